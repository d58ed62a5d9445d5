"""Daylight: how much of it there is and what colour it has, by the sun's height."""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def rgb(red: float, green: float, blue: float) -> Floats:
    """A colour in 0–1 as (3, 1, 1), to go with fields of (rows, columns)."""
    return np.array([red, green, blue], dtype=np.float32)[:, None, None]


_SUNLIGHT, DUSK = rgb(1.0, 0.97, 0.92), rgb(1.0, 0.50, 0.22)


def daylight(sun_elevation: float) -> float:
    """How much light there is, 0 in the night to 1 by day; civil twilight lies between.

    Args:
        sun_elevation: degrees.
    """
    step = min(max((sun_elevation + 7) / 14, 0), 1)
    return step * step * (3 - 2 * step)


def light_colour(sun_elevation: float) -> Floats:
    """(3, 1, 1) the colour of sunlight: orange at dusk.

    Args:
        sun_elevation: degrees.
    """
    dusk = math.exp(-((sun_elevation / 7) ** 2))
    return (1 - 0.7 * dusk) * _SUNLIGHT + 0.7 * dusk * DUSK
