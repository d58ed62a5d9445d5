"""Counted normal numbers, added where they are made: those of `counted.normal_of`."""

import numpy as np
from numpy import float32, int32, uint64
from numpy.typing import NDArray

from sage_lightning.machine_code import machine_code


@machine_code("void(float32[::1], int64, float32)", fused=True)
def add_noise(values: NDArray[np.float32], key: int, size: float) -> None:
    """Adds Box and Muller's pairs in place, to an odd number of values one less; NaN stays.

    Logarithm, sine and cosine are polynomials (Chebyshev's, fitted to 1e-7), so that LLVM does many at once.

    Args:
        values: (n,).
        key: from which the numbers are drawn, see `counted.key`.
        size: standard deviation.
    """
    for pair in range(len(values) // 2):
        # SplitMix64, as `counted` has it.
        bits = uint64(key) + uint64(0x9E3779B97F4A7C15) * uint64(pair + 1)
        bits = (bits ^ (bits >> uint64(30))) * uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> uint64(27))) * uint64(0x94D049BB133111EB)
        bits ^= bits >> uint64(31)
        # log(1 − u), of a number from 2^−24 to 1, by its exponent and by a mantissa between √½ and √2.
        rest = float32(float32(int32(0x1000000) - int32(bits >> uint64(40))) * float32(2.0**-24))
        code = int32(rest.view(int32) - int32(0x3F3504F3))
        exponent = float32(int32(code >> int32(23)))
        mantissa = int32((code & int32(0x7FFFFF)) + int32(0x3F3504F3))
        m = mantissa.view(float32) - float32(1)
        log = float32(-0.08104815) * m + float32(0.12714013)
        log = log * m - float32(0.12971814)
        log = log * m + float32(0.142019)
        log = log * m - float32(0.16642262)
        log = log * m + float32(0.20001481)
        log = log * m - float32(0.25000295)
        log = log * m + float32(0.33333328)
        log = (log * m - float32(0.5)) * m * m + m + exponent * float32(0.6931472)
        radius = size * np.sqrt(float32(-2) * log)
        # The angle in quarters of a turn: the nearest whole one, and what is left, −½ to ½.
        angle = float32(int32(bits & uint64(0xFFFFFF))) * float32(2.0**-22)
        quarter = int32(angle + float32(0.5))
        angle -= float32(quarter)
        square = angle * angle
        sine = ((float32(-0.004602163) * square + float32(0.07968022)) * square - float32(0.6459635)) * square
        sine = (sine + float32(1.5707964)) * angle
        cosine = ((float32(0.00090363) * square - float32(0.02086007)) * square + float32(0.2536692)) * square
        cosine = (cosine - float32(1.2337005)) * square + float32(1)
        turned = (quarter & int32(1)) != 0
        x = sine if turned else cosine
        y = cosine if turned else sine
        x = -x if ((quarter + int32(1)) & int32(2)) != 0 else x
        y = -y if (quarter & int32(2)) != 0 else y
        values[2 * pair] += radius * x
        values[2 * pair + 1] += radius * y
