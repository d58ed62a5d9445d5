"""Cloud on a plane at its base height, in perspective: one field for both sensors, and its shadow."""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from sage_lightning.data.simulated.fractal import fractal_tile, sample, smoothstep
from sage_lightning.data.simulated.truth import Weather
from sage_lightning.data.simulated.view import ViewGrid

Floats = NDArray[np.float32]

COVERED = 0.5  # density from which a pixel counts as cloudy

# Keeps the plane's far end within reach: the distance in base heights is 1 / (tan(elevation) + this).
_CURVATURE = 0.25
_SLOPES = (2.9, 3.4, 4.0)


@dataclass(frozen=True)
class Clouds:
    """The cloud field on a view's grid.

    Attributes:
        density: (rows, columns) 0 clear, 1 fully cloudy; below the horizon it is that of the cloud which
            stands between the ground and the sun.
        depth: (rows, columns) how far inside a cloud, in the pattern's standard deviations; negative outside.
        thickness: optical depth of a full cloud in the thermal band.
    """

    density: Floats
    depth: Floats
    thickness: float


def draw_clouds(rng: np.random.Generator, weather: Weather, grid: ViewGrid) -> Clouds:
    """A pattern of its own for every frame; its stretch and softness go by the cloud's height."""
    high = weather.cloud_base_km > 4.5
    thickness = rng.uniform(0.5, 1.6) if high else rng.uniform(2.5, 7.0)
    softness = rng.uniform(0.7, 1.4) if high else rng.uniform(0.25, 1.0)
    tile = fractal_tile(rng, _SLOPES[int(rng.integers(len(_SLOPES)))])
    across, along = draw_plane(rng, grid, stretch=rng.uniform(0.2, 0.5) if high else rng.uniform(0.7, 1.0))
    pattern = sample(tile, across, along)
    share = min(max(weather.cloud_cover, 0.0005), 0.9995)
    threshold = -NormalDist().inv_cdf(share)
    depth = pattern - threshold
    return Clouds(smoothstep(depth / softness + COVERED), depth, thickness)


def draw_plane(rng: np.random.Generator, grid: ViewGrid, stretch: float) -> tuple[Floats, Floats]:
    """Where lines of sight meet a level plane, in pixels of a tile, under a random shift, turn and scale.

    Planes above and below the camera are mirror images.

    Args:
        rng: drawn from four times.
        grid: the view.
        stretch: below 1, the pattern is drawn out along one direction.
    """
    slant = np.abs(np.tan(np.radians(grid.elevation))) + _CURVATURE
    turn = rng.uniform(0, 2 * math.pi)
    scale = 36 * math.exp(rng.uniform(-0.5, 0.5))
    angle = np.radians(grid.azimuth) + turn
    across = (scale * np.sin(angle) + rng.uniform(0, 256) * slant) / slant
    along = (scale * stretch * np.cos(angle) + rng.uniform(0, 256) * slant) / slant
    return across.astype(np.float32), along.astype(np.float32)
