"""All figures of an evaluation, by name; what a figure needs and a run lacks leaves it out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sage_lightning.clustering.cluster import Clusters
from sage_lightning.evaluation.examples import (
    attention_examples,
    cluster_examples,
    search_examples,
    spaced,
)
from sage_lightning.evaluation.features import Split
from sage_lightning.evaluation.figures.curves import training_curves
from sage_lightning.evaluation.figures.maps import MOST_POINTS, embedding_maps, flatten
from sage_lightning.evaluation.figures.scores import readout_dots, retrieval_dots
from sage_lightning.evaluation.figures.sheet import Pictures
from sage_lightning.evaluation.figures.sheets import (
    Search,
    attention_sheet,
    cluster_sheet,
    retrieval_sheet,
)
from sage_lightning.evaluation.labels import labels_of, telling
from sage_lightning.evaluation.table import SENSORS

Array = NDArray[Any]

ATTENTION_PAIRS = 6


@dataclass(frozen=True)
class Source:
    """Where pictures and attention maps of a split's rows come from.

    Attributes:
        pictures: rows → the pairs as they are stored.
        attention: rows → the pairs as the towers see them, and (N, heads, rows, columns) of the RGB tower and
            of the thermal tower.
        attends: sensor → whether these are heads' attention, or else how strong features are.
    """

    pictures: Callable[[list[int]], Pictures]
    attention: Callable[[list[int]], tuple[Pictures, Array, Array]]
    attends: dict[str, bool]


def gallery(
    scores: pd.DataFrame,
    test: Split,
    clusters: dict[str, Clusters],
    source: Source,
    history: pd.DataFrame | None,
) -> dict[str, Figure]:
    """Name → figure: curves, retrieval, readouts_r2, clusters_rgb, clusters_ir, maps, attention, searches …

    Args:
        scores: the table.
        test: the scored split.
        clusters: sensor → grouping; empty where the split was too small to group.
        source: of pictures.
        history: metrics.csv of the training run, if there is one.
    """
    figures: dict[str, Figure | None] = {
        "curves": None if history is None else training_curves(history),
        "retrieval": retrieval_dots(scores) if scores["task"].str.startswith("retrieval").any() else None,
        "readouts_r2": readout_dots(scores, "r2"),
        "readouts_accuracy": readout_dots(scores, "accuracy"),
    }
    for sensor, found in clusters.items():
        named = cluster_examples(found, test.index)
        rows = [row for _, examples in named for row in examples]
        starts = np.cumsum([0, *(len(examples) for _, examples in named)])
        lines = [(name, range(starts[i], starts[i + 1])) for i, (name, _) in enumerate(named)]
        figures[f"clusters_{sensor}"] = cluster_sheet(source.pictures(rows), lines)
    if clusters:
        figures["maps"] = _maps(test, clusters)
    rows = attention_examples(test.index, ATTENTION_PAIRS)
    figures["attention"] = attention_sheet(*source.attention(rows), source.attends)
    for query, other in (("rgb", "ir"), ("ir", "rgb")):
        figures[f"searches_{query}"] = _searches(test, source, query, other)
    return {name: figure for name, figure in figures.items() if figure is not None}


def _searches(test: Split, source: Source, query: str, other: str) -> Figure | None:
    """Some searches by one sensor for the other's partner; None where nothing could be searched."""
    asked, gallery = (test.learned[f"{sensor}_projection"] for sensor in (query, other))
    searches = search_examples(asked, gallery, test.index)
    if not searches:
        return None
    rows = sorted({row for search in searches for row in (search.query, *search.found)})
    place = {row: number for number, row in enumerate(rows)}
    moved = [
        Search(place[s.query], [place[row] for row in s.found], s.rank, s.among, s.title) for s in searches
    ]
    return retrieval_sheet(source.pictures(rows), moved, by=query)


def _maps(test: Split, clusters: dict[str, Clusters]) -> Figure:
    rows = np.array(spaced(np.arange(len(test.index)), MOST_POINTS))
    points = {sensor: flatten(test.learned[f"{sensor}_embedding"][rows]) for sensor in SENSORS}
    index = test.index.iloc[rows].reset_index(drop=True)
    colourings = {name: index[name] for name in _coloured_by(test.index)}
    columns = {
        sensor: colourings | {"cluster": clusters[sensor].names.iloc[rows].reset_index(drop=True)}
        for sensor in SENSORS
    }
    return embedding_maps(points, columns)


def _coloured_by(index: pd.DataFrame) -> list[str]:
    """Cloud fraction, or else the label that tells most; the hour and the position where known."""
    names = [label.name for label in telling(labels_of(index))]
    first = ["cloud_fraction"] if "cloud_fraction" in names else names[:1]
    return first + [name for name in ("local_hour", "position") if index[name].notna().any()]
