"""report.html: what was trained, on what, and what it learned, in one file that needs nothing beside it."""

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from sage_lightning.clustering.cluster import Clusters
from sage_lightning.evaluation import sections
from sage_lightning.evaluation.captions import captions
from sage_lightning.evaluation.figures.svg import svg
from sage_lightning.evaluation.known import known_of
from sage_lightning.evaluation.make_up import make_up
from sage_lightning.evaluation.page import Picture, Section, render

LONGEST_FACT = 48  # characters that fit into the strip under the title


def write_report(
    path: Path,
    *,
    scores: pd.DataFrame,
    short: pd.DataFrame,
    figures: dict[str, Figure],
    clusters: dict[str, Clusters],
    clustering: str,
    attends: dict[str, bool],
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
        attends: sensor → whether the tower's maps are heads' attention.
        index: the whole pair index, quarantine included.
        split: the scored one.
        facts: name → value.
    """

    scored = index[index["split"] == split]
    known = known_of(scored)
    said = captions(known, attends, clusters)

    def shown(*names: str) -> list[Picture]:
        return [Picture(svg(figures[name], name), said[name]) for name in names if name in figures]

    looks = "Attention" if any(attends.values()) else "Strength of features"
    parts = [
        sections.claim(short, scores, known),
        make_up(index),
        Section("training", "Training", pictures=shown("curves")) if "curves" in figures else None,
        sections.retrieval(scores, shown("retrieval")),
        sections.readouts(scores, known, shown("readouts_r2", "readouts_accuracy")),
        Section("maps", "Embeddings", pictures=shown("maps")) if "maps" in figures else None,
        Section("attention", looks, pictures=shown("attention")),
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
