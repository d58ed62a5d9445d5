"""report.html: what was trained, on what, and what it learned, in one file that needs nothing beside it."""

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from sage_lightning.clustering.cluster import Clusters
from sage_lightning.evaluation import sections
from sage_lightning.evaluation.examples import WRONG_RANK
from sage_lightning.evaluation.figures.style import SENSOR_NAMES
from sage_lightning.evaluation.figures.svg import svg
from sage_lightning.evaluation.page import Picture, Section, render

LONGEST_FACT = 48  # characters that fit into the strip under the title

CAPTIONS = {
    "curves": "Training and validation, on held-out pairs, over optimiser steps.",
    "retrieval": "R@1; lines are 95 % intervals over local days, or over queries where no day is known; the "
    "upright stroke is chance.",
    "readouts_r2": "R² of linear probes of the backbone; 0 is to say the mean always. What is worse than "
    "-0.3 stands at the edge.",
    "readouts_accuracy": "Accuracy of linear probes of the backbone; the upright stroke is the share of the "
    "commonest label.",
    "maps": "Backbone embeddings by t-SNE of their first 50 principal components: neighbours are meant, "
    "distances are not. Numbers in a map are the names of positions or clusters.",
    "attention": "Where each head of each tower's last block looks, on the view that the tower is given: "
    "full light is four times an even share.",
    "searches_rgb": "Queries by RGB among the thermal frames of one (node, position), or of all where none "
    f"is known: some that found their own frame (green), then some that did not, from below "
    f"rank {WRONG_RANK} if any stood there, else from below the first. Chosen by even spacing, not by eye.",
    "searches_ir": "The same the other way: queries by thermal frame among the RGB pictures.",
}


def write_report(
    path: Path,
    *,
    scores: pd.DataFrame,
    short: pd.DataFrame,
    figures: dict[str, Figure],
    clusters: dict[str, Clusters],
    clustering: str,
    index: pd.DataFrame,
    split: str,
    facts: dict[str, str],
) -> None:
    """Writes the page.

    Args:
        path: of the file.
        scores: the table.
        short: its headline.
        figures: from `gallery`.
        clusters: sensor → grouping.
        clustering: what grouped them, in words.
        index: the whole pair index, quarantine included.
        split: the scored one.
        facts: name → value.
    """

    def shown(*names: str) -> list[Picture]:
        return [
            Picture(svg(figures[name], name), CAPTIONS.get(name) or _cluster_caption(name))
            for name in names
            if name in figures
        ]

    parts = [
        sections.claim(short, scores),
        sections.data(index),
        Section("training", "Training", pictures=shown("curves")) if "curves" in figures else None,
        sections.retrieval(scores, shown("retrieval")),
        sections.readouts(scores, shown("readouts_r2", "readouts_accuracy")),
        Section("maps", "Embeddings", pictures=shown("maps")) if "maps" in figures else None,
        Section("attention", "Attention", pictures=shown("attention")),
        Section("examples", "Right and wrong", pictures=examples)
        if (examples := shown("searches_rgb", "searches_ir"))
        else None,
        sections.clusters(scores, clusters, clustering, shown("clusters_rgb", "clusters_ir"))
        if clusters
        else None,
        sections.health(scores),
        sections.provenance(facts),
    ]
    strip = {name: value for name, value in facts.items() if len(value) <= LONGEST_FACT and "\n" not in value}
    scored = index[index["split"] == split]
    days = scored["local_day"].nunique()
    page = render(
        title="What RGB and thermal pairs taught without labels",
        subtitle=f"Evaluation on the {split} split: {len(scored)} pairs"
        + (f" of {days} local days." if days else "."),
        facts=strip,
        sections=[part for part in parts if part is not None],
        beside="scores.csv and embeddings.parquet",
    )
    path.write_text(page, encoding="utf-8")


def _cluster_caption(name: str) -> str:
    sensor = SENSOR_NAMES[name.removeprefix("clusters_")]
    return f"Clusters of the {sensor} embedding, the largest first; examples are evenly spaced in time."
