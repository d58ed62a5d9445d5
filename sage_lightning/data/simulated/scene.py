"""A frame before any sensor: its truth, and the fields on the view's grid that both sensors render."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sage_lightning.data.simulated.clouds import COVERED, Clouds, draw_clouds, draw_plane
from sage_lightning.data.simulated.fractal import fractal_tile, sample, smoothstep
from sage_lightning.data.simulated.objects import WarmObject, draw_object
from sage_lightning.data.simulated.truth import Moment, Site, Weather, draw_moment, draw_weather
from sage_lightning.data.simulated.view import ViewGrid
from sage_lightning.data.simulated.world import KINDS, Terrain, terrain

Floats = NDArray[np.float32]

Labels = dict[str, str | int | float | bool | None]

_SNOW_BELOW = -1.0  # °C: colder air has snow on the ground, water apart
_SNOW, _WATER = KINDS.index("snow"), KINDS.index("water")


@dataclass(frozen=True)
class Scene:
    """All that the sensors need.

    Attributes:
        grid: the view.
        moment: where, when, sun.
        weather: the frame's weather.
        clouds: the sky's clouds, and their shadows.
        terrain: what stands still.
        kind: (rows, columns) index into `KINDS`, snow included.
        wet: (rows, columns) 0 dry, 1 wet.
        mist: (rows, columns) 0 clear, 1 veiled.
        warm_object: the moving object, if any.
    """

    grid: ViewGrid
    moment: Moment
    weather: Weather
    clouds: Clouds
    terrain: Terrain
    kind: NDArray[np.int8]
    wet: Floats
    mist: Floats
    warm_object: WarmObject | None

    def labels(self) -> Labels:
        """The truth as label columns; cloud_fraction is of the sky in the thermal field of view."""
        sky = self.grid.crop(self.terrain.land) < 0.5
        covered = self.grid.crop(self.clouds.density)[sky] > COVERED
        ground = self.grid.crop(self.kind)[~sky]
        no_cloud = self.weather.cloud_cover < 0.01
        return {
            "day_of_year": self.moment.day_of_year,
            "cloud_cover": self.weather.cloud_cover,
            "cloud_base_km": None if no_cloud else self.weather.cloud_base_km,
            "cloud_fraction": float(covered.mean()) if covered.size else None,
            "ground_kind": None if ground.size == 0 else KINDS[int(np.bincount(ground).argmax())],
            "air_temperature": self.weather.air_temperature,
            "warm_object": self.warm_object is not None,
            "warm_object_kind": None if self.warm_object is None else self.warm_object.kind,
        }


def draw_scene(
    rng: np.random.Generator, seed: int, node: int, place: Site, days: int, grid: ViewGrid
) -> Scene:
    """The scene of one frame.

    Args:
        rng: the frame's own.
        seed: the simulation's.
        node: the node's number.
        place: the node's place.
        days: of how many local days one is drawn.
        grid: the view.
    """
    moment = draw_moment(rng, place, grid.position, days)
    weather = draw_weather(rng, seed, place, moment)
    clouds = draw_clouds(rng, weather, grid)
    warm_object = draw_object(rng, grid)
    fixed = terrain(seed, node, grid)
    kind, wet, mist = fixed.kind, np.zeros(grid.shape, np.float32), np.zeros(grid.shape, np.float32)
    if grid.view != "sky":
        if weather.air_temperature < _SNOW_BELOW:
            kind = np.where(kind == _WATER, kind, np.int8(_SNOW))
        if weather.wetness or weather.mist:
            patches = sample(fractal_tile(rng, 3.6), *draw_plane(rng, grid, stretch=1.0))
            # One pattern for both: water gathers where the pattern is high, mist where it is low.
            wet = _patches(patches, weather.wetness)
            mist = _patches(-patches, weather.mist) * 0.8
    return Scene(grid, moment, weather, clouds, fixed, kind, wet, mist, warm_object)


def _patches(pattern: Floats, share: float) -> Floats:
    """0–1; about `share` of the pattern, which has mean 0 and deviation 1, is above a half."""
    return smoothstep((pattern - (1.6 - 3.2 * share)) / 0.7 + 0.5) * (share > 0)
