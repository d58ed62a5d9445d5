"""The long table of scores: one row a number, so that any question about a run is a filter."""

from typing import TypedDict

import pandas as pd


class Row(TypedDict):
    """One number and all that tells it from the others; "" where a key does not apply.

    Attributes:
        task: retrieval_rgb_to_ir, retrieval_within_position_rgb_to_ir, their reverses, probe, knn, health,
            clustering.
        subset: all, day, night, or a view (sky, horizon, below, ground).
        label: the label column that is read out.
        metric: r1, r5, r10, median_rank, r2, accuracy, rankme …
        space: backbone, projection, or pixels for what needs no learning.
        sensor: rgb or ir.
        features: one of LEARNED, RANDOM, MEAN, MEAN_SPREAD, GRADIENTS, CHANCE.
        value: the number.
        n: rows it was scored on.
        low: lower end of its 95 % interval over days, NaN where none was made.
        high: upper end.
    """

    task: str
    subset: str
    label: str
    metric: str
    space: str
    sensor: str
    features: str
    value: float
    n: int
    low: float
    high: float


LEARNED = "learned"
RANDOM = "random initialisation"
MEAN = "mean"
MEAN_SPREAD = "mean and spread"
GRADIENTS = "gradient grid"
CHANCE = "chance"
FEATURES = (CHANCE, RANDOM, MEAN, MEAN_SPREAD, GRADIENTS, LEARNED)

BACKBONE, PROJECTION, PIXELS = "backbone", "projection", "pixels"
SENSORS = ("rgb", "ir")


def row(
    task: str,
    metric: str,
    value: float,
    n: int,
    *,
    subset: str = "all",
    label: str = "",
    space: str = "",
    sensor: str = "",
    features: str = "",
    low: float = float("nan"),
    high: float = float("nan"),
) -> Row:
    """A row with the keys that do not apply left empty."""
    return Row(
        task=task,
        subset=subset,
        label=label,
        metric=metric,
        space=space,
        sensor=sensor,
        features=features,
        value=value,
        n=n,
        low=low,
        high=high,
    )


def pick(scores: pd.DataFrame, **keys: str) -> pd.DataFrame:
    """The rows whose columns equal the keys: pick(scores, task="probe", label="cloud_fraction")."""
    chosen = pd.Series(True, index=scores.index)
    for column, value in keys.items():
        chosen &= scores[column] == value
    return scores[chosen]
