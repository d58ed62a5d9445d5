"""Which pairs to show, chosen by rule and not by eye: evenly spaced among those that qualify."""

from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sage_lightning.clustering.cluster import NAME_OF_NOISE, NOISE, Clusters
from sage_lightning.evaluation.figures.sheets import Search
from sage_lightning.evaluation.known import is_known_node
from sage_lightning.evaluation.labels import NOWHERE, labels_of, places, subset_rows, telling
from sage_lightning.metrics.retrieval import retrieval

Array = NDArray[Any]

MOST_CLUSTERS = 12
PER_CLUSTER = 4
RIGHT_AND_WRONG = 3  # of each
FOUND = 5
NODE_END, NAME_END = 4, 24  # characters that tell nodes and files apart, of long ones the last
WRONG_RANK = 5  # a miss worth showing stands below this, where one does


def spaced(rows: Array, count: int) -> list[int]:
    """At most `count` of the rows, evenly spaced, first and last among them."""
    if len(rows) == 0:
        return []
    return [int(rows[place]) for place in np.unique(np.linspace(0, len(rows) - 1, count).round().astype(int))]


def cluster_examples(clusters: Clusters, index: pd.DataFrame) -> list[tuple[str, list[int]]]:
    """Name and rows for the largest clusters, in the order of time."""
    times = index["time"].to_numpy()
    shown = []
    for number, size in enumerate(clusters.sizes[:MOST_CLUSTERS]):
        rows = np.flatnonzero(clusters.labels == number)
        shown.append((f"{number}\n{size} pairs", spaced(rows[times[rows].argsort()], PER_CLUSTER)))
    if clusters.noise:
        rows = np.flatnonzero(clusters.labels == NOISE)
        shown.append(
            (f"{NAME_OF_NOISE}\n{clusters.noise} pairs", spaced(rows[times[rows].argsort()], PER_CLUSTER))
        )
    return shown


def search_examples(query: Array, gallery: Array, index: pd.DataFrame) -> list[Search]:
    """Searches within one (node, position), by day where that is known: some that found it, some that missed.

    Pairs of unknown position are left out; where no position is known, all pairs are one gallery.

    Args:
        query: (N, P) projections of the pictures.
        gallery: (N, P) projections of the thermal frames.
        index: (N) the pairs.
    """
    place = places(index)
    if (place == NOWHERE).all():
        place = np.zeros_like(place)
    rows = np.flatnonzero(place != NOWHERE)
    day = rows[subset_rows(index, "day")[rows]]
    rows = day if len(day) else rows
    found = retrieval(query[rows], gallery[rows], groups=place[rows])
    asked = rows[found.rows]
    hit, missed = asked[found.ranks == 1], asked[found.ranks > 1]
    if (far := found.ranks > WRONG_RANK).any():
        missed = asked[far]
    rank_of = dict(zip(asked.tolist(), found.ranks.tolist(), strict=True))
    label = next((label.name for label in telling(labels_of(index)) if label.kind == "class"), None)
    searches = []
    for row in spaced(hit, RIGHT_AND_WRONG) + spaced(missed, RIGHT_AND_WRONG):
        group = rows[place[rows] == place[row]]
        candidates = gallery[group] / np.maximum(np.linalg.norm(gallery[group], axis=1, keepdims=True), 1e-12)
        best = group[np.argsort(-(candidates @ query[row]), kind="stable")[:FOUND]]
        searches.append(
            Search(row, [int(r) for r in best], rank_of[row], len(group), _title(index.iloc[row], label))
        )
    return searches


def attention_examples(index: pd.DataFrame, count: int) -> list[int]:
    """Rows for attention maps: half by day, half by night where that is known, over the views."""
    order = index.sort_values(["view", "pair_id"], na_position="last").index.to_numpy()
    halves = [order[subset_rows(index, subset)[order]] for subset in ("day", "night")]
    if any(len(half) == 0 for half in halves):
        return spaced(order, count)
    return [row for half in halves for row in spaced(half, count // 2)]


def _title(pair: pd.Series, label: str | None) -> str:
    """What is known of where and when; where no day is, the file's name and a label."""
    parts = []
    if is_known_node(pd.Series([pair["node"]]))[0]:
        parts.append(_end(str(pair["node"]), NODE_END))
    if pd.notna(pair["position"]):
        parts.append(f"position {pair['position']}")
    if pd.notna(pair["local_day"]):
        hour = "" if pd.isna(pair["local_hour"]) else f" {int(pair['local_hour']):02d} h"
        return ", ".join([*parts, f"{pair['local_day']}{hour}"])
    parts.append(_end(PurePosixPath(pair["rgb_path"]).stem, NAME_END))
    if label is not None and pd.notna(pair[label]):
        value = pair[label]
        parts.append(value if isinstance(value, str) else f"{label.replace('_', ' ')} {value}")
    return ", ".join(parts)


def _end(text: str, length: int) -> str:
    return text if len(text) <= length else f"…{text[-length:]}"
