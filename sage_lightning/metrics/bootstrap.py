"""How sure a mean over test rows is, when rows come in bunches: frames of one day resemble each other."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class Interval(NamedTuple):
    """The ends of a central interval; NaN where there is nothing to resample."""

    low: float
    high: float


def ratio_interval(
    numerator: ArrayLike,
    denominator: ArrayLike,
    units: ArrayLike | None = None,
    *,
    level: float = 0.95,
    draws: int = 1000,
    seed: int = 0,
) -> Interval:
    """Percentile bootstrap of sum(numerator) / sum(denominator), whole units resampled with replacement.

    A mean is the ratio with a denominator of ones.

    Args:
        numerator: (N,) what each row adds above the line.
        denominator: (N,) what it adds below.
        units: (N,) the bunch that a row belongs to; None makes each row its own.
        level: the share of the resampled ratios that lies inside.
    """
    above, below = np.asarray(numerator, np.float64), np.asarray(denominator, np.float64)
    if units is not None:
        bunch = np.unique(np.asarray(units), return_inverse=True)[1].ravel()
        above, below = (np.bincount(bunch, part).astype(np.float64) for part in (above, below))
    count = len(above)
    if count < 2:
        return Interval(float("nan"), float("nan"))
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=draws)
    weights = drawn.astype(np.float64)
    sums_below = weights @ below
    usable = sums_below > 0
    if not usable.any():
        return Interval(float("nan"), float("nan"))
    ratios = (weights @ above)[usable] / sums_below[usable]
    low, high = np.quantile(ratios, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))
