"""How two sensors' embeddings lie on the sphere and beside each other. All in float64, features (N, D)."""

import numpy as np
from numpy.typing import ArrayLike

from sage_lightning.metrics.retrieval import unit

CHUNK = 1024


def alignment(a: ArrayLike, b: ArrayLike) -> float:
    """Mean squared distance of partners on the unit sphere (Wang and Isola 2020); 2 is unrelated."""
    return float(((_unit(a) - _unit(b)) ** 2).sum(1).mean())


def uniformity(features: ArrayLike) -> float:
    """Log of the mean of exp(-2 |x - y|²) over distinct pairs on the unit sphere (Wang and Isola 2020).

    0 is a collapse to one point; about -4 is uniform in many dimensions.
    """
    x = _unit(features)
    total = 0.0
    for start in range(0, len(x), CHUNK):
        squared = np.maximum(2 - 2 * x[start : start + CHUNK] @ x.T, 0.0)
        total += float(np.exp(-2 * squared).sum())
    count = len(x)
    # the diagonal adds 1 a row; what rounding leaves below 0 is a perfectly spread pair
    return float(np.log(max(total - count, np.finfo(np.float64).tiny) / (count * (count - 1))))


def normalised_std(features: ArrayLike) -> float:
    """Mean over features of the standard deviation of the L2-normalised rows, times sqrt(D).

    1 is isotropic, 0 is a collapse to one point (Chen and He 2021 draw it without the factor).
    """
    x = _unit(features)
    return float(x.std(axis=0).mean() * np.sqrt(x.shape[1]))


def linear_cka(a: ArrayLike, b: ArrayLike) -> float:
    """Linear centred kernel alignment (Kornblith et al. 2019), in [0, 1]; blind to rotation and scale.

    Args:
        a: (N, D_a).
        b: (N, D_b); the widths may differ.
    """
    x, y = (np.asarray(z, np.float64) for z in (a, b))
    x, y = x - x.mean(0), y - y.mean(0)
    if len(x) < max(x.shape[1], y.shape[1]):  # the same traces from (N, N) Gram matrices, which are smaller
        k, m = x @ x.T, y @ y.T
        cross, own = float((k * m).sum()), float(np.linalg.norm(k) * np.linalg.norm(m))
    else:
        cross = float(np.linalg.norm(y.T @ x) ** 2)
        own = float(np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y))
    return cross / own if own > 0 else 0.0


def modality_gap(a: ArrayLike, b: ArrayLike) -> float:
    """Distance of the two sensors' mean directions on the unit sphere (Liang et al. 2022); 0 is no gap."""
    return float(np.linalg.norm(_unit(a).mean(0) - _unit(b).mean(0)))


def relative_distance(a: ArrayLike, b: ArrayLike) -> float:
    """Mean ‖a − b‖ of partners over the mean norm of all: 0 where they coincide, √2 where they are unrelated.

    Args:
        a: (N, D), as they are, not normalised.
        b: (N, D).
    """
    x, y = (np.asarray(z, np.float64) for z in (a, b))
    norm = float(np.linalg.norm([x, y], axis=2).mean())
    return float(np.linalg.norm(x - y, axis=1).mean()) / norm if norm > 0 else 0.0


def _unit(features: ArrayLike) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return unit(np.asarray(features, np.float64))
