"""RankMe: how many dimensions an embedding really uses (Garrido et al. 2023, equation 1)."""

import numpy as np
from numpy.typing import ArrayLike

EPSILON = 1e-7  # the paper's, added to each share


def rankme(features: ArrayLike) -> float:
    """The exponential of the entropy of the normalised singular values; between 1 and min(N, D).

    Compare it only within one method and one width. The features are not centred, as in the paper: a
    collapse to one point reads 1.

    Args:
        features: (N, D).
    """
    singular = np.linalg.svd(np.asarray(features, np.float64), compute_uv=False)
    total = singular.sum()
    if total == 0:
        return 1.0
    shares = singular / total + EPSILON
    return float(np.exp(-(shares * np.log(shares)).sum()))
