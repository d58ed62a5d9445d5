"""The moving warm object: a body that both sensors see by day and only the thermal one by night."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sage_lightning.data.simulated.light import rgb
from sage_lightning.data.simulated.view import ELEVATION, FIELD_OF_VIEW, ViewGrid

Floats = NDArray[np.float32]

# Half width and half height in degrees.
_SHAPES = {
    "person": (0.9, 2.2),
    "animal": (1.9, 1.0),
    "vehicle": (3.2, 1.6),
    "bird": (1.7, 0.7),
    "aircraft": (2.8, 0.8),
}
_IN_THE_SKY = ("bird", "aircraft")
_ON_THE_GROUND = ("person", "animal", "vehicle")
_CHANCE = 0.4


@dataclass(frozen=True)
class WarmObject:
    """One body.

    Attributes:
        kind: what it is.
        azimuth: of its centre, degrees clockwise from north.
        elevation: degrees.
        turn: radians from level.
        warmth: kelvin above what is behind it.
        colour: red, green, blue, 0–1.
    """

    kind: str
    azimuth: float
    elevation: float
    turn: float
    warmth: float
    colour: tuple[float, float, float]

    def paint(self) -> Floats:
        """(3, 1, 1) its colour in full daylight."""
        return rgb(*self.colour)

    def mask(self, grid: ViewGrid) -> Floats:
        """(rows, columns): 1 where it is, 0 elsewhere, soft between."""
        width, height = _SHAPES[self.kind]
        x, y = grid.azimuth - self.azimuth, grid.elevation - self.elevation
        c, s = math.cos(self.turn), math.sin(self.turn)
        distance = ((c * x + s * y) / width) ** 2 + ((c * y - s * x) / height) ** 2
        return np.clip(3 * (1.17 - distance), 0, 1)


def draw_object(rng: np.random.Generator, grid: ViewGrid) -> WarmObject | None:
    """One within the thermal field of view, or none."""
    if rng.random() > _CHANCE:
        return None
    kinds = _IN_THE_SKY if grid.view == "sky" else _ON_THE_GROUND
    lowest, highest = (-0.4, -0.1) if grid.view == "horizon" else (-0.4, 0.4)
    light = rng.uniform(0.03, 0.25) if rng.random() < 0.6 else rng.uniform(0.8, 1.0)
    tint = rng.uniform(0.6, 1.0, size=3)
    return WarmObject(
        kind=kinds[int(rng.integers(len(kinds)))],
        azimuth=180 + 45 * grid.column + rng.uniform(-0.4, 0.4) * FIELD_OF_VIEW[0],
        elevation=ELEVATION[grid.view] + rng.uniform(lowest, highest) * FIELD_OF_VIEW[1],
        turn=rng.uniform(-0.4, 0.4) if kinds is _IN_THE_SKY else rng.uniform(-0.1, 0.1),
        warmth=rng.uniform(8, 18),
        colour=(light * tint[0], light * tint[1], light * tint[2]),
    )
