"""Predictions against truth: each score beside its chance level, with an interval over units (local days)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sage_lightning.metrics.bootstrap import Interval, ratio_interval


@dataclass(frozen=True)
class Score:
    """One number, what knowing nothing gives, and how far a resampling of the units moves it."""

    value: float
    chance: float
    interval: Interval
    rows: int


def accuracy(truth: ArrayLike, predicted: ArrayLike, train: ArrayLike, units: ArrayLike) -> Score:
    """Share of right labels; chance is to say the training rows' commonest label always.

    Args:
        truth: (Q,) labels.
        predicted: (Q,) labels.
        train: (N,) the training rows' labels.
        units: (Q,) the unit that each test row belongs to.
    """
    true = np.asarray(truth)
    kinds, counts = np.unique(np.asarray(train), return_counts=True)
    right = (true == np.asarray(predicted)).astype(np.float64)
    return Score(
        value=float(right.mean()),
        chance=float((true == kinds[counts.argmax()]).mean()),
        interval=ratio_interval(right, np.ones_like(right), units),
        rows=len(true),
    )


def balanced_accuracy(truth: ArrayLike, predicted: ArrayLike, units: ArrayLike) -> Score:
    """Mean over the kinds present of the share found; chance is 1 / kinds.

    Args:
        truth: (Q,) labels.
        predicted: (Q,) labels.
        units: (Q,) the unit that each test row belongs to.
    """
    true = np.asarray(truth)
    _, codes, counts = np.unique(true, return_inverse=True, return_counts=True)
    weight = 1.0 / (len(counts) * counts[codes.ravel()])  # a kind's rows share 1 / kinds
    right = (true == np.asarray(predicted)) * weight
    return Score(
        value=float(right.sum()),
        chance=1.0 / len(counts),
        interval=ratio_interval(right, weight, units),
        rows=len(true),
    )


def r_squared(truth: ArrayLike, predicted: ArrayLike, units: ArrayLike) -> Score:
    """1 - squared error / squared deviation from the test rows' mean; 0 is to say that mean always.

    Args:
        truth: (Q,) numbers, not all alike.
        predicted: (Q,) numbers.
        units: (Q,) the unit that each test row belongs to.
    """
    true = np.asarray(truth, np.float64)
    squared_error = (true - np.asarray(predicted, np.float64)) ** 2
    deviation = (true - true.mean()) ** 2
    low, high = ratio_interval(squared_error, deviation, units)
    return Score(
        value=float(1 - squared_error.sum() / deviation.sum()),
        chance=0.0,
        interval=Interval(1 - high, 1 - low),
        rows=len(true),
    )
