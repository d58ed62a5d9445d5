"""The two sensors: from a scene to pixels and to degrees, each with its own noise."""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sage_lightning.data.simulated.fractal import smoothstep, white_noise
from sage_lightning.data.simulated.ground import ground_colour, ground_temperature
from sage_lightning.data.simulated.light import daylight
from sage_lightning.data.simulated.scene import Scene
from sage_lightning.data.simulated.sky import sky_colour, sky_temperature

Floats = NDArray[np.float32]

_NETD = 0.06  # kelvin: noise of one thermal pixel
_FIXED_PATTERN = 0.05  # kelvin: what each column is off by, always
_STEP, _OFFSET = 0.04, 273.15  # the camera's degrees are 0.04 raw − 273.15
_PATTERN_STREAM = 1_000_000_087


def thermal_picture(rng: np.random.Generator, seed: int, node: int, scene: Scene) -> Floats:
    """(h, w) degrees Celsius on the camera's grid of 0.04 K."""
    land = scene.terrain.land
    if land.min() == 1:
        ideal = ground_temperature(scene)
    elif land.max() == 0:
        ideal = sky_temperature(scene)
    else:
        sky = sky_temperature(scene)
        ideal = sky + (ground_temperature(scene) - sky) * land
    if scene.warm_object is not None:
        ideal += scene.warm_object.warmth * scene.warm_object.mask(scene.grid)
    seen = scene.grid.thermal(ideal)
    seen += _column_pattern(seed, node, seen.shape[1])
    seen += _NETD * white_noise(rng, (seen.shape[0], seen.shape[1]))
    raw = np.rint((seen.astype(np.float64) + _OFFSET) / _STEP)
    return (_STEP * raw - _OFFSET).astype(np.float32)


def optical_picture(rng: np.random.Generator, scene: Scene, size: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W, 3) of `size` (W, H): exposed, noisy, and next to black at night."""
    land = scene.terrain.land
    dark = 1 - daylight(scene.moment.sun_elevation)
    if land.min() == 1:
        colour = ground_colour(scene)
    elif land.max() == 0:
        colour = sky_colour(scene)
    else:
        colour = sky_colour(scene)
        colour += (ground_colour(scene) - colour) * land
    if scene.warm_object is not None:
        paint = (1 - dark) * scene.warm_object.paint()
        colour += (paint - colour) * scene.warm_object.mask(scene.grid)
    _add_flare(colour, scene)
    exposure = math.exp(rng.normal(0, 0.10))
    gains = [255 * exposure * math.exp(rng.normal(0, 0.015)) for _ in range(3)]
    exposed = np.stack(
        [np.minimum(gain * channel, 250) for gain, channel in zip(gains, colour, strict=True)], 2
    )
    scaled = Image.fromarray(exposed.astype(np.uint8)).resize(size, Image.Resampling.BILINEAR)
    pixels = np.asarray(scaled, dtype=np.int16)
    # Photon noise by day; read noise, amplified, by night. One for all colours: JPEG blurs what differs.
    noise = white_noise(rng, (size[1], size[0]))
    noise *= 1.2 + 2.8 * dark + 0.012 * pixels[..., 1].astype(np.float32)
    noise += 2 + 4 * dark
    noisy = pixels.reshape(size[1], -1) + np.repeat(noise.astype(np.int16), 3, axis=1)
    return np.clip(noisy, 0, 255).astype(np.uint8).reshape(pixels.shape)


def side_by_side(optical: NDArray[np.uint8], celsius: Floats) -> Image.Image:
    """The picture as the camera saves it: optical on the left, thermal in false colours on the right."""
    height, width, _ = optical.shape
    lowest, highest = float(celsius.min()), float(celsius.max())
    level = (celsius - lowest) * (255 / max(highest - lowest, 1.0))
    false = Image.fromarray(level.astype(np.uint8)).resize((width, height), Image.Resampling.BILINEAR)
    false.putpalette(_palette())
    picture = Image.new("RGB", (2 * width, height))
    picture.paste(Image.fromarray(optical), (0, 0))
    picture.paste(false.convert("RGB"), (width, 0))
    return picture


def _add_flare(colour: Floats, scene: Scene) -> None:
    """Ghosts of the sun on the line through the picture's centre: of the lens's making, so in RGB alone."""
    moment, grid = scene.moment, scene.grid
    centre_azimuth, centre_elevation = float(grid.azimuth.mean()), float(grid.elevation.mean())
    across = (moment.sun_azimuth - centre_azimuth + 180) % 360 - 180
    up = moment.sun_elevation - centre_elevation
    # The optical sensor's half field of view, and a little beyond.
    if moment.sun_elevation < 1 or abs(across) > 40 or abs(up) > 28:
        return
    strength = 0.3 * math.exp(-4 * scene.weather.cloud_cover)
    for along, radius in ((-0.35, 1.6), (-0.7, 3.0), (-1.1, 2.2)):
        x = grid.azimuth - (centre_azimuth + along * across)
        y = grid.elevation - (centre_elevation + along * up)
        colour += strength * smoothstep(2 * (radius - np.hypot(x, y)) + 0.5)


@lru_cache(maxsize=16)
def _column_pattern(seed: int, node: int, width: int) -> Floats:
    rng = np.random.default_rng([seed, node, _PATTERN_STREAM])
    return (_FIXED_PATTERN * rng.standard_normal(width)).astype(np.float32)


@lru_cache(maxsize=1)
def _palette() -> bytes:
    """Black, violet, orange, yellow, white: 256 colours from cold to hot."""
    stops = np.array([[0, 0, 0], [70, 0, 130], [210, 60, 60], [250, 170, 20], [255, 255, 210]])
    at = np.linspace(0, len(stops) - 1, 256)
    channels = [np.interp(at, np.arange(len(stops)), stops[:, i]) for i in range(3)]
    return np.stack(channels, axis=1).astype(np.uint8).tobytes()
