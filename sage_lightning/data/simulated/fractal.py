"""Random fractal patterns: tiles that repeat without a seam, and their sampling at any point."""

from functools import lru_cache

import numpy as np
import scipy.fft
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_LONGEST = 2  # waves a tile: longer ones are damped, else one of them decides the whole picture


def white_noise(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Independent numbers of mean 0 and deviation 1: the sum of two dice of 256 faces, not quite normal.

    Drawn in a fifth of the time that normal numbers take.
    """
    dice = np.frombuffer(rng.bytes(2 * shape[0] * shape[1]), dtype=np.uint8).reshape(2, *shape)
    total = dice[0].astype(np.float32)
    total += dice[1]
    total -= 255
    total /= 104.5  # √((256² − 1) / 6)
    return total


def fractal_tile(rng: np.random.Generator, slope: float, side: int = 128) -> Floats:
    """A (side, side) periodic Gaussian field of mean 0 and standard deviation 1, by spectral synthesis.

    Args:
        rng: drawn from once.
        slope: the power spectrum falls as wavenumber^-slope; larger is smoother. Real clouds have about 8/3.
        side: pixels, a power of two.
    """
    white = white_noise(rng, (side, side + 2)).view(np.complex64)
    white *= _filter(slope, side)
    tile = np.asarray(scipy.fft.irfft2(white, s=(side, side)), dtype=np.float32)
    tile /= tile.std()
    return tile


@lru_cache(maxsize=8)
def _filter(slope: float, side: int) -> Floats:
    rows = scipy.fft.fftfreq(side)[:, None] * side
    columns = scipy.fft.rfftfreq(side)[None, :] * side
    wavenumber = np.hypot(rows, columns)
    amplitude = (_LONGEST**2 + wavenumber**2) ** (-slope / 4)
    amplitude[0, 0] = 0
    return amplitude.astype(np.float32)


def sample(tile: Floats, x: Floats, y: Floats) -> Floats:
    """The tile's values at points, bilinear, repeating without end.

    Args:
        tile: (side, side), side a power of two.
        x: (...) pixels along the columns.
        y: (...) pixels along the rows, of the same shape.
    """
    side = tile.shape[0]
    column, row = np.floor(x), np.floor(y)
    along, down = x - column, y - row
    left, top = column.astype(np.int32), row.astype(np.int32)
    right, bottom = (left + 1) & (side - 1), ((top + 1) & (side - 1)) * side
    left, top = left & (side - 1), (top & (side - 1)) * side
    flat = tile.ravel()
    above = flat.take(top + left)
    above += (flat.take(top + right) - above) * along
    below = flat.take(bottom + left)
    below += (flat.take(bottom + right) - below) * along
    above += (below - above) * down
    return above


def smoothstep(values: Floats) -> Floats:
    """0 below 0, 1 above 1, and a soft step between."""
    clipped = np.clip(values, 0, 1)
    return clipped * clipped * (3 - 2 * clipped)
