"""The table of scores of one split: retrieval, probes, kNN, health and clusters, with what each must beat."""

from typing import Any

import numpy as np
import pandas as pd

from sage_lightning.clustering.cluster import Clusters, agreement
from sage_lightning.evaluation.features import Features, Split, all_features
from sage_lightning.evaluation.label_scores import label_rows
from sage_lightning.evaluation.labels import labels_of
from sage_lightning.evaluation.retrieval_scores import retrieval_rows
from sage_lightning.evaluation.table import LEARNED, PIXELS, SENSORS, Row, row
from sage_lightning.metrics.alignment import (
    alignment,
    linear_cka,
    modality_gap,
    normalised_std,
    uniformity,
)
from sage_lightning.metrics.rankme import rankme

MOST_ROWS = 20_000  # a split is scored on at most so many rows, evenly spaced


def score_table(
    train: Split, test: Split, clusters: dict[str, Clusters], *, read_labels: bool
) -> pd.DataFrame:
    """All scores of the `test` split, as rows of `evaluation.table.Row`.

    Args:
        train: what baselines are standardised on and probes are fitted on.
        test: what is scored.
        clusters: sensor → the grouping of the scored rows' embeddings.
        read_labels: whether probes and kNN make sense: not where both splits are one.
    """
    rows = cluster_rows(clusters, test.index)
    train, test = thinned(train), thinned(test)
    features = all_features(train, test)
    rows += retrieval_rows(features, test.index)
    if read_labels:
        rows += label_rows(features, train.index, test.index)
    for part in features:
        if part.space != PIXELS:
            rows += health_rows(part)
    return pd.DataFrame(rows, columns=list(Row.__annotations__))


def thinned(split: Split) -> Split:
    """The split, or `MOST_ROWS` of it."""
    count = len(split.index)
    if count <= MOST_ROWS:
        return split
    keep = np.linspace(0, count - 1, MOST_ROWS).astype(np.int64)
    learned, random, pixels = (
        {key: value[keep] for key, value in part.items()}
        for part in (split.learned, split.random, split.pixels)
    )
    index = split.index.iloc[keep].reset_index(drop=True)
    return Split(index, learned, random, pixels, split.widths)


def health_rows(part: Features) -> list[Row]:
    """What tells a living embedding from a collapsed one, without labels."""
    rgb, ir = part.compared["rgb"], part.compared["ir"]
    rows = []
    for sensor, x in part.compared.items():
        for metric, value in (
            ("rankme", rankme(x)),
            ("std", normalised_std(x)),
            ("uniformity", uniformity(x)),
        ):
            keys: dict[str, Any] = {"space": part.space, "sensor": sensor, "features": part.name}
            rows.append(row("health", metric, value, len(x), **keys))
    between = {"cka": linear_cka(rgb, ir)}
    if rgb.shape[1] == ir.shape[1]:
        between |= {"alignment": alignment(rgb, ir), "modality_gap": modality_gap(rgb, ir)}
    for metric, value in between.items():
        rows.append(row("health", metric, value, len(rgb), space=part.space, features=part.name))
    return rows


def cluster_rows(clusters: dict[str, Clusters], index: pd.DataFrame) -> list[Row]:
    """Sizes, silhouette, agreement with the label columns; with position it measures the confound."""
    rows = []
    for sensor in (sensor for sensor in SENSORS if sensor in clusters):
        found = clusters[sensor]
        common: dict[str, Any] = {"space": "backbone", "sensor": sensor, "features": LEARNED}
        n = len(found.labels)
        rows += [
            row("clustering", "clusters", len(found.sizes), n, **common),
            row("clustering", "noise_share", found.noise / n, n, **common),
            row("clustering", "silhouette", found.silhouette, n, **common),
        ]
        rows += [
            row("clustering", "nmi", agreement(found.labels, index[name]), n, label=name, **common)
            for name in (label.name for label in labels_of(index))
        ]
    return rows
