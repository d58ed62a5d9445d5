"""Degrees as the store keeps them: uint16 hundredths of a kelvin, where that loses nothing; 0 is missing.

Cameras print multiples of 0.01 °C, so half the bytes of float32 hold the printed number itself.
"""

import numpy as np
from numpy.typing import NDArray

ZERO_CELSIUS = 273.15  # kelvin


def encode(celsius: NDArray[np.float32]) -> NDArray[np.uint16] | None:
    """(...) degrees as hundredths of a kelvin; None unless `decode` gives every value back exactly."""
    missing = np.isnan(celsius)
    raw = np.rint((celsius.astype(np.float64) + ZERO_CELSIUS) * 100)
    if not ((raw >= 1) & (raw <= np.iinfo(np.uint16).max) | missing).all():
        return None
    code = np.where(missing, 0, raw).astype(np.uint16)
    return code if np.array_equal(decode(code), celsius, equal_nan=True) else None


def decode(code: NDArray[np.uint16]) -> NDArray[np.float32]:
    """(...) degrees Celsius, the float32 nearest to the number with two decimals; NaN where missing."""
    # (code − 27315) is exact; dividing it gives the float64 nearest to the two-decimal number.
    celsius = ((code.astype(np.int64) - 27315) / 100).astype(np.float32)
    return np.where(code == 0, np.float32(np.nan), celsius)
