"""What stands still: a node's skyline, terrain, kinds of ground and buildings, seen from each position."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sage_lightning.data.simulated.fractal import fractal_tile, sample, smoothstep
from sage_lightning.data.simulated.view import ViewGrid

Floats = NDArray[np.float32]

KINDS = ("grass", "soil", "asphalt", "water", "snow")

_WORLD_STREAM, _BUILDING_STREAM = 1_000_000_021, 1_000_000_033
_CAMERA_REACH = 0.12  # as the clouds' curvature: keeps the plain's far end within reach
_TILE = 256  # side of the terrain's tiles
_TILE = 256  # side of the terrain's tiles
_BUILDINGS = 4  # a column and zone
# Lower edge, upper edge (degrees of elevation) of the buildings in the distance, in the middle and close by.
_ZONES = (((-8.0, -3.0), (2.0, 7.0)), ((-30.0, -24.0), (-19.0, -10.0)), ((-66.0, -56.0), (-48.0, -40.0)))


@dataclass(frozen=True)
class Terrain:
    """A position's fixed surroundings on the view's grid, each (rows, columns).

    Attributes:
        land: 1 below the skyline, 0 in the sky, soft between.
        kind: index into `KINDS`, snow left to the weather.
        texture: fine pattern of the surface, about ±1.
        slope_east: how far the surface leans to the east, about ±1.
        slope_north: likewise to the north.
        haze: 0 near, 1 at the horizon.
        building: 1 on buildings.
        roof: 0 off roofs; on them their heat, 0.3–1.
        wall: brightness of buildings, 0–1.
        lamp: 1 at lamps, which shine at night.
    """

    land: Floats
    kind: NDArray[np.int8]
    texture: Floats
    slope_east: Floats
    slope_north: Floats
    haze: Floats
    building: Floats
    roof: Floats
    wall: Floats
    lamp: Floats


@lru_cache(maxsize=64)
def terrain(seed: int, node: int, grid: ViewGrid) -> Terrain:
    """The same for every frame of one (node, position)."""
    rng = np.random.default_rng([seed, node, _WORLD_STREAM])
    hills, ground, patches = (fractal_tile(rng, slope, _TILE) for slope in (5.0, 3.0, 5.5))
    azimuth, elevation = grid.azimuth, grid.elevation
    bearing = np.radians(azimuth)
    reach = np.abs(np.tan(np.radians(elevation))) + _CAMERA_REACH
    x = (np.sin(bearing) / reach).astype(np.float32)
    y = (np.cos(bearing) / reach).astype(np.float32)

    # Once around the horizon is a whole number of tiles, so that the skyline closes.
    skyline = 2.5 + 1.4 * sample(hills, azimuth * (2 * _TILE / 360), np.zeros_like(azimuth))
    skyline += 0.5 * sample(ground, azimuth * (8 * _TILE / 360), np.full_like(azimuth, 90))
    pixel = elevation[0, 0] - elevation[1, 0]
    land = np.clip((skyline - elevation) / pixel + 0.5, 0, 1)

    usual, other = _kinds_of_region(rng, grid.column)
    kind = np.where(sample(patches, 30 * x, 30 * y) > 0.8, other, usual).astype(np.int8)
    height = sample(hills, 30 * x + 31, 30 * y + 77)
    east = sample(hills, 30 * x + 33, 30 * y + 77) - height
    north = sample(hills, 30 * x + 31, 30 * y + 79) - height
    # Fine structure fades where a pixel holds more of it than it can show.
    near = np.clip(4 * reach - 4 * _CAMERA_REACH, 0.1, 1)
    texture = near**0.5 * sample(ground, 80 * x, 80 * y) + 0.5 * near * sample(ground, 300 * x, 300 * y)
    building, roof, wall, lamp = _buildings(seed, node, grid)
    return Terrain(
        land=np.maximum(land, building),
        kind=kind,
        texture=texture.astype(np.float32),
        slope_east=np.clip(east / 0.25, -1, 1),
        slope_north=np.clip(north / 0.25, -1, 1),
        haze=np.broadcast_to(np.exp(-np.abs(elevation) / 6), grid.shape).astype(np.float32),
        building=building,
        roof=roof,
        wall=wall,
        lamp=lamp,
    )


def _kinds_of_region(rng: np.random.Generator, column: int) -> tuple[int, int]:
    """What most of the ground in this column's direction is, and what its patches are."""
    usual = rng.permutation(np.arange(8) % 4)  # each kind of `KINDS` but snow, twice around
    other = (usual + rng.integers(1, 4, size=8)) % 4
    return int(usual[column]), int(other[column])


def _buildings(seed: int, node: int, grid: ViewGrid) -> tuple[Floats, Floats, Floats, Floats]:
    """Masks of buildings, heat of roofs, brightness of walls, and lamps."""
    layers = np.zeros((4, *grid.shape), dtype=np.float32)
    building, roof, wall, lamp = layers
    rng = np.random.default_rng([seed, node, grid.column, _BUILDING_STREAM])
    centre = 180 + 45 * grid.column
    for bottoms, tops in _ZONES:
        for _ in range(_BUILDINGS):
            left = centre + rng.uniform(-36, 32)
            bottom, top = rng.uniform(*bottoms), rng.uniform(*tops)
            width, heat, light = rng.uniform(3, 9), rng.uniform(0.3, 1), rng.uniform(0.25, 0.8)
            eaves = top - 0.3 * (top - bottom)
            inside = (grid.azimuth > left) & (grid.azimuth < left + width)
            body = inside & (grid.elevation > bottom) & (grid.elevation < top)
            building[body] = 1
            wall[body] = light
            roof[body] = 0
            roof[body & (grid.elevation > eaves)] = heat
            spot = np.hypot(grid.azimuth - left - width / 2, grid.elevation - eaves) / 0.6
            np.maximum(lamp, smoothstep(1.3 - spot), out=lamp)
    return building, roof, wall, lamp
