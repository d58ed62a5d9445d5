"""One thermal crop's gain and offset."""

import numpy as np
from numpy import float32
from numpy.typing import NDArray

from sage_lightning.machine_code import machine_code


@machine_code("void(float32[:, ::1], boolean, float32, float32, float32[:, ::1])", fused=True)
def temper(
    crop: NDArray[np.float32], coded: bool, gain: float, offset: float, work: NDArray[np.float32]
) -> None:
    """Multiplies the distance from the mean and adds an offset, in place; NaN stays and does not count.

    Args:
        crop: (h, w).
        coded: whether it is in hundredths of a kelvin, and to become degrees Celsius.
        gain: factor.
        offset: in the unit that comes out.
        work: (2, w), to work in.
    """
    sums, counts = work[0], work[1]
    sums[:] = 0
    counts[:] = 0
    for y in range(len(crop)):
        line = crop[y]
        for x in range(line.size):
            value = (line[x] - float32(27315)) / float32(100) if coded else line[x]
            line[x] = value
            known = value == value
            sums[x] += value if known else float32(0)
            counts[x] += float32(1) if known else float32(0)
    total, count = 0.0, 0.0
    for x in range(sums.size):
        total += sums[x]
        count += counts[x]
    shift = float32(total / max(count, 1.0)) * (float32(1) - gain) + offset
    for y in range(len(crop)):
        line = crop[y]
        for x in range(line.size):
            line[x] = line[x] * gain + shift
