"""Triangle filters of one axis of one crop: the numbers of `resample.triangles`, rounded as there."""

import math

import numpy as np
from numpy import float32
from numpy.typing import NDArray

from sage_lightning.machine_code import machine_code

_FEWEST = 4  # are read at once


def room(size_in: int, size_out: int) -> int:
    """How many weights a pixel may have."""
    return max(math.ceil(2 * max(size_in / size_out, 1.0)), _FEWEST)


@machine_code("void(float32, float32, int64, boolean, int64[::1], float32[:, ::1])")
def write_taps(
    start: float,
    length: float,
    size_in: int,
    turned: bool,
    first: NDArray[np.int64],
    weights: NDArray[np.float32],
) -> None:
    """Writes which pixels of a line count, and how much, for each pixel of a box of it.

    In float32 and with nothing fused, as torch has it: a hundred-thousandth of a pixel would show.

    Args:
        start: of the box, a fraction of the line.
        length: likewise.
        size_in: pixels of the line.
        turned: whether the last comes first.
        first: (out,), written: the first that counts.
        weights: (out, K), written: its weight, its neighbour's …; then zeros.
    """
    out, most = weights.shape
    zero, half, one, size = float32(0), float32(0.5), float32(1), float32(size_in)
    scale = length * size / float32(out)
    reach = max(scale, one)
    for x in range(out):
        place = out - 1 - x if turned else x
        centre = start * size + (float32(place) + half) * scale
        at = max(np.floor(centre - reach - half) + one, zero)
        first[x] = np.int64(at)
        total = zero
        for k in range(most):
            near = max(one - abs(at + half - centre) / reach, zero)
            near = near if at < size else zero
            weights[x, k] = near
            total += near
            at += one
        for k in range(most):
            weights[x, k] /= total
