"""The ground in both sensors: its temperature follows the day with a lag, its colour the light."""

import math

import numpy as np
from numpy.typing import NDArray

from sage_lightning.data.simulated.light import daylight, light_colour, rgb
from sage_lightning.data.simulated.scene import Scene
from sage_lightning.data.simulated.world import KINDS

Floats = NDArray[np.float32]

# By kind, as in `KINDS`: kelvin that full sun adds, kelvin that a clear night takes, kelvin of texture.
_HEATING = np.array([9.0, 15.0, 23.0, 1.5, 2.0], dtype=np.float32)
_COOLING = np.array([5.0, 4.0, 1.5, -2.0, 7.0], dtype=np.float32)
_ROUGHNESS = np.array([1.0, 0.8, 0.4, 0.12, 0.4], dtype=np.float32)

# Red, green and blue, a row each, by kind; and how strongly the texture shows.
_COLOUR = np.array(
    [[0.24, 0.50, 0.30, 0.12, 0.90], [0.36, 0.38, 0.30, 0.22, 0.92], [0.14, 0.26, 0.31, 0.30, 0.95]],
    dtype=np.float32,
)
_CONTRAST = np.array([0.20, 0.16, 0.10, 0.06, 0.04], dtype=np.float32)
_LAMP, _HAZE = rgb(1.0, 0.85, 0.55), rgb(0.70, 0.78, 0.88)

_WATER, _SNOW = KINDS.index("water"), KINDS.index("snow")


def ground_temperature(scene: Scene) -> Floats:
    """(rows, columns) °C. Roofs are hot here alone; cloud shadow, wet patches and mist show a little."""
    terrain, weather, kind = scene.terrain, scene.weather, scene.kind
    air, dry_land = weather.air_temperature, kind != _WATER
    now = max(0.0, math.sin(math.radians(scene.moment.sun_elevation)))
    past = max(0.0, math.sin(math.radians(scene.moment.past_sun_elevation)))
    sun = past * (1 - 0.5 * weather.cloud_cover)
    night = (1 - daylight(scene.moment.sun_elevation)) * (1 - 0.8 * weather.cloud_cover)
    temperature = air + _HEATING[kind] * (sun * (1 + 0.2 * _facing(scene))) - _COOLING[kind] * night
    temperature += _ROUGHNESS[kind] * terrain.texture
    temperature -= (6 * now * scene.clouds.density + (2 + 5 * sun) * scene.wet) * dry_land
    temperature += (air + 5 * sun + 4 * night - temperature) * terrain.building
    temperature += (5 + 26 * sun) * terrain.roof
    np.minimum(temperature, 0, out=temperature, where=kind == _SNOW)
    temperature += (air - 1 - temperature) * np.maximum(0.4 * terrain.haze, scene.mist)
    return temperature


def ground_colour(scene: Scene) -> Floats:
    """(3, rows, columns) in 0–1 before exposure; black at night but for lamps."""
    terrain, kind, moment = scene.terrain, scene.kind, scene.moment
    light, sunlight = daylight(moment.sun_elevation), light_colour(moment.sun_elevation)
    height = max(0.0, math.sin(math.radians(moment.sun_elevation)))
    open_land = 1 - terrain.building
    direct: Floats = (
        math.sqrt(height) * (1 - 0.85 * scene.clouds.density) * (1 + 0.4 * _facing(scene) * open_land)
    )
    shading: Floats = light * (0.45 + 0.85 * direct)
    shading *= 1 + _CONTRAST[kind] * terrain.texture * open_land
    shading *= 1 - 0.45 * scene.wet * (kind != _WATER)
    surface: Floats = np.stack([channel[kind] for channel in _COLOUR])
    surface += (terrain.wall - surface) * terrain.building
    colour: Floats = surface * shading * sunlight
    colour += (0.85 * light * _HAZE - colour) * np.maximum(0.6 * terrain.haze, scene.mist)
    if height > 0.08:
        colour += _glint(scene) * sunlight
    if light < 1:
        colour += 0.7 * (1 - light) * terrain.lamp * _LAMP
    return colour


def _facing(scene: Scene) -> Floats:
    """(rows, columns) about ±1: how far slopes lean towards the sun; more in the evening than at noon."""
    bearing = math.radians(scene.moment.sun_azimuth)
    low = math.cos(math.radians(max(scene.moment.sun_elevation, 0)))
    east, north = scene.terrain.slope_east, scene.terrain.slope_north
    return low * math.sin(bearing) * east + low * math.cos(bearing) * north


def _glint(scene: Scene) -> Floats:
    """(rows, columns) the sun's glitter on water, which RGB alone sees."""
    turn = np.radians(scene.grid.azimuth - scene.moment.sun_azimuth)
    towards = np.exp(8 * (np.cos(turn) - 1))
    sparkle = np.clip(scene.terrain.texture - 0.7, 0, 1)
    return sparkle * towards * (scene.kind == _WATER) * (1 - scene.clouds.density)
