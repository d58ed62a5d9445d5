"""The sky in both sensors: how warm it radiates, and what colour it has."""

import math

import numpy as np
from numpy.typing import NDArray

from sage_lightning.data.simulated.light import DUSK, daylight, light_colour, rgb
from sage_lightning.data.simulated.scene import Scene

Floats = NDArray[np.float32]

_LAPSE = 6.0  # kelvin per kilometre: clouds are warmer the lower they are
_SPACE = 75.0  # kelvin below the air: the background that shines through a dry atmosphere in the thermal band
_VAPOUR_HEIGHT = 2.0  # kilometres: the scale height of water vapour, most of which lies below high clouds

_ZENITH_BLUE, _HORIZON_BLUE = rgb(0.20, 0.42, 0.80), rgb(0.66, 0.78, 0.92)
_NIGHT = rgb(0.010, 0.012, 0.022)


def sky_temperature(scene: Scene) -> Floats:
    """(rows, columns) °C: the clear sky is cold and colder towards the zenith; clouds go by their height."""
    weather, clouds = scene.weather, scene.clouds
    air, base = weather.air_temperature, weather.cloud_base_km
    sine = np.sin(np.radians(np.maximum(scene.grid.elevation, 0)))
    path = weather.humidity / (sine + 0.06)  # optical depth of the vapour along the line of sight
    clear = air - _SPACE * np.exp(-path)
    # The thicker a cloud, the lower, and warmer, the height from which its radiation comes.
    body = np.tanh(clouds.depth / 2.5)
    height = np.maximum(base * (1 + 0.08 * (1 - clouds.density)) - 0.35 * body, 0)
    cloudy = air - _LAPSE * height * np.exp(-path * (1 - math.exp(-base / _VAPOUR_HEIGHT)))
    opacity = 1 - np.exp(-clouds.thickness * clouds.density)
    return clear + (cloudy - clear) * opacity


def sky_colour(scene: Scene) -> Floats:
    """(3, rows, columns) in 0–1 before exposure; next to black at night, when clouds are hardly seen."""
    moment, clouds = scene.moment, scene.clouds
    light, sunlight = daylight(moment.sun_elevation), light_colour(moment.sun_elevation)
    away = _sun_distance(scene)
    # Vapour whitens the sky, the more so the lower one looks.
    low = np.exp(-np.maximum(scene.grid.elevation, 0) / (60 * scene.weather.humidity))
    blue = _ZENITH_BLUE + (_HORIZON_BLUE - _ZENITH_BLUE) * low
    dusk = 0.9 * math.exp(-((moment.sun_elevation / 6) ** 2))
    clear = (blue + (DUSK - blue) * (dusk * np.exp(-away / 60) * low)) * light
    # Thick, low cloud is grey underneath; edges near the sun are lined with silver.
    grey = 0.5 * min(clouds.thickness / 5, 1) * min(1, 3 / (scene.weather.cloud_base_km + 1))
    white = 0.97 - 1.2 * grey * np.tanh(np.maximum(clouds.depth, 0) / 2.5)
    white += 0.35 * np.exp(-away / 12) * (1 - clouds.density)
    opacity = 1 - np.exp(-1.4 * clouds.thickness * clouds.density)
    colour = clear + (light * white * sunlight - clear) * opacity
    if moment.sun_elevation > -0.5:
        disc = np.exp(-(((away / 1.3) ** 2) ** 2)) + 0.45 * np.exp(-away / 5)
        colour += disc * np.exp(-2.5 * clouds.density * clouds.thickness) * sunlight
    colour += _NIGHT
    colour += 0.004 * opacity
    return colour


def _sun_distance(scene: Scene) -> Floats:
    """(rows, columns) degrees between the line of sight and the sun."""
    moment, grid = scene.moment, scene.grid
    sight, sun = np.radians(grid.elevation), math.radians(moment.sun_elevation)
    turn = np.radians(grid.azimuth - moment.sun_azimuth)
    cosine = np.sin(sight) * math.sin(sun) + np.cos(sight) * (math.cos(sun) * np.cos(turn))
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))
