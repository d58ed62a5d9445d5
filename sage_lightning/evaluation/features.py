"""Sets of features of both sensors, for the training and the scored rows: learned, random, or from pixels."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sage_lightning.evaluation.table import (
    BACKBONE,
    GRADIENTS,
    LEARNED,
    MEAN,
    MEAN_SPREAD,
    PIXELS,
    PROJECTION,
    RANDOM,
    SENSORS,
)

Array = NDArray[Any]


@dataclass(frozen=True)
class Features:
    """What one way of describing pictures gives.

    Attributes:
        name: a value of the table's `features` column.
        space: a value of its `space` column.
        train: sensor → (N, D) of the training rows.
        test: sensor → (Q, D) of the scored rows.
        score: how two rows are compared.
        probed: whether label columns are read out of it, or only retrieval is scored.
        widths: sensor → how many columns, the first, sensors are compared in; None for all. Beyond them lies
            what a look took away, each sensor's own: degrees say nothing of colours.
    """

    name: str
    space: str
    train: dict[str, Array]
    test: dict[str, Array]
    score: Literal["cosine", "distance"] = "cosine"
    probed: bool = True
    widths: dict[str, int] | None = None

    @property
    def compared(self) -> dict[str, Array]:
        """Sensor → (Q, at most D) of the scored rows, what one sensor has to find the other by."""
        if self.widths is None:
            return self.test
        return {sensor: rows[:, : self.widths[sensor]] for sensor, rows in self.test.items()}


@dataclass(frozen=True)
class Split:
    """What is known of the rows of one split, and what was computed for them, row by row.

    Attributes:
        index: the pairs; row i is row i of every array.
        learned: rgb_embedding, ir_embedding, rgb_projection, ir_projection, (N, D) each.
        random: the same of untrained towers.
        pixels: rgb_mean, ir_mean (N, 2) and rgb_gradients, ir_gradients (N, 256), which need no learning.
        widths: sensor → how many of an embedding's columns, the first, are its tower's features.
    """

    index: pd.DataFrame
    learned: dict[str, Array]
    random: dict[str, Array]
    pixels: dict[str, Array]
    widths: dict[str, int]


def all_features(train: Split, test: Split) -> list[Features]:
    """Every feature set of the table, the learned projection first."""
    sets = []
    for name, source in ((LEARNED, "learned"), (RANDOM, "random")):
        for space, key in ((PROJECTION, "projection"), (BACKBONE, "embedding")):
            at_train, at_test = (
                {sensor: getattr(split, source)[f"{sensor}_{key}"] for sensor in SENSORS}
                for split in (train, test)
            )
            probed = (name, space) != (RANDOM, PROJECTION)
            widths = test.widths if space == BACKBONE else None
            sets.append(Features(name, space, at_train, at_test, probed=probed, widths=widths))
    standard = {
        sensor: _standardised(train.pixels[f"{sensor}_mean"], test.pixels[f"{sensor}_mean"])
        for sensor in SENSORS
    }
    for name, width in ((MEAN, 1), (MEAN_SPREAD, 2)):
        at_train, at_test = (
            {sensor: standard[sensor][part][:, :width] for sensor in SENSORS} for part in (0, 1)
        )
        sets.append(Features(name, PIXELS, at_train, at_test, score="distance"))
    at_train, at_test = (
        {sensor: split.pixels[f"{sensor}_gradients"] for sensor in SENSORS} for split in (train, test)
    )
    sets.append(Features(GRADIENTS, PIXELS, at_train, at_test, probed=False))
    return sets


def _standardised(train: Array, test: Array) -> tuple[Array, Array]:
    """Both by the training rows' mean and spread, so that brightness and degrees can be compared."""
    mean, std = train.mean(0), train.std(0)
    std = np.where(std > 0, std, 1.0)
    return (train - mean) / std, (test - mean) / std
