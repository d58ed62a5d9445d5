"""The latent truth of a frame: where, when and what weather. All that either sensor shows follows from it."""

import datetime
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from sage_lightning.sage.nodes import Node
from sage_lightning.sage.sun import local_solar_time, sun_azimuth, sun_elevation

_NS_PER_HOUR = 3_600_000_000_000
_FIRST_DAY = datetime.date(2023, 1, 1)
_DAYS_OF_YEAR = 365

# Longitude, latitude, mean temperature and half the difference between summer and winter, °C.
_SITES = ((-87.99, 41.70, 11.0, 12.0), (-117.16, 32.88, 17.0, 5.0))

# Cover when clear, scattered, broken, overcast, or anything; cloud base in km when low, middle or high.
_SKIES = ((0.0, 0.04), (0.08, 0.4), (0.4, 0.8), (0.85, 1.0), (0.0, 1.0))
_SKY_ODDS = (0.12, 0.26, 0.27, 0.2, 0.15)
_LAYERS = ((0.3, 1.8), (1.8, 4.5), (4.5, 8.0))
_LAYER_ODDS = (0.45, 0.3, 0.25)

# Separate streams of random numbers for one seed; a frame's own stream is [seed, frame].
_NODE_STREAM, _DAY_STREAM = 1_000_000_007, 1_000_000_009


@dataclass(frozen=True)
class Site:
    """A node and its climate; temperatures in °C, `season` is half the difference of summer and winter."""

    node: Node
    mean_temperature: float
    season: float


@dataclass(frozen=True)
class Weather:
    """The weather of one frame.

    Attributes:
        cloud_cover: of the whole sky, 0–1.
        cloud_base_km: above the camera.
        humidity: optical depth of water vapour in the thermal band, towards the zenith.
        air_temperature: °C, at the camera.
        wetness: share of the ground that is wet.
        mist: share of the ground that lies under patches of mist.
    """

    cloud_cover: float
    cloud_base_km: float
    humidity: float
    air_temperature: float
    wetness: float
    mist: float


@dataclass(frozen=True)
class Moment:
    """Where and when, and the sun.

    Attributes:
        position: preset 1–32.
        time_ns: nanoseconds since 1970, UTC.
        local_day: "YYYY-MM-DD" by mean solar time.
        local_hour: 0 to below 24.
        day_of_year: 1–366.
        sun_elevation: degrees.
        sun_azimuth: degrees clockwise from north.
        past_sun_elevation: 90 minutes ago: what the ground's temperature goes by.
    """

    position: int
    time_ns: int
    local_day: str
    local_hour: float
    day_of_year: int
    sun_elevation: float
    sun_azimuth: float
    past_sun_elevation: float


@lru_cache(maxsize=64)
def site(seed: int, index: int) -> Site:
    """The node of this number; the first two stand near Chicago and San Diego, others anywhere between."""
    rng = np.random.default_rng([seed, index, _NODE_STREAM])
    node_id = f"{int(rng.integers(2**48)):016x}"
    if index < len(_SITES):
        longitude, latitude, mean, season = _SITES[index]
    else:
        longitude, latitude = round(rng.uniform(-120, -75), 2), round(rng.uniform(30, 47), 2)
        mean, season = 38 - 0.65 * latitude, 0.5 * (latitude - 22)
    return Site(Node(node_id, f"S{index + 1:03X}", longitude, latitude), mean, season)


def draw_moment(rng: np.random.Generator, place: Site, position: int, days: int) -> Moment:
    """Any time of any of the days, which lie evenly over the year."""
    day = _FIRST_DAY + datetime.timedelta(days=int(rng.integers(days)) * max(1, _DAYS_OF_YEAR // days))
    midnight = (day - datetime.date(1970, 1, 1)).days * 24 * _NS_PER_HOUR
    longitude, latitude = place.node.longitude, place.node.latitude
    local_ns = midnight + int(rng.integers(24 * _NS_PER_HOUR))
    time_ns = local_ns - round(longitude / 15 * _NS_PER_HOUR)
    local_days, local_hours = local_solar_time(np.array([longitude]), np.array([time_ns]))
    return Moment(
        position=position,
        time_ns=time_ns,
        local_day=str(local_days[0]),
        local_hour=float(local_hours[0]),
        day_of_year=day.timetuple().tm_yday,
        sun_elevation=sun_elevation(longitude, latitude, time_ns),
        sun_azimuth=sun_azimuth(longitude, latitude, time_ns),
        past_sun_elevation=sun_elevation(longitude, latitude, time_ns - 3 * _NS_PER_HOUR // 2),
    )


def draw_weather(rng: np.random.Generator, seed: int, place: Site, moment: Moment) -> Weather:
    """Cloud does not depend on hour, day or position: only the sky itself tells it."""
    cover = rng.uniform(*_SKIES[int(rng.choice(len(_SKIES), p=_SKY_ODDS))])
    base = rng.uniform(*_LAYERS[int(rng.choice(len(_LAYERS), p=_LAYER_ODDS))])
    humidity = rng.uniform(0.15, 0.42)
    days = datetime.date.fromisoformat(moment.local_day).toordinal()
    whim = np.random.default_rng([seed, days, int(place.node.node, 16), _DAY_STREAM]).uniform(-8, 8)
    season = place.season * math.cos(2 * math.pi * (moment.day_of_year - 201) / _DAYS_OF_YEAR)
    daily = 5 * math.cos(2 * math.pi * (moment.local_hour - 15) / 24)
    return Weather(
        cloud_cover=cover,
        cloud_base_km=base,
        humidity=humidity,
        air_temperature=place.mean_temperature + season + daily + whim + rng.normal(0, 0.7),
        wetness=rng.uniform(0.2, 0.6) if rng.random() < 0.4 else 0.0,
        mist=rng.uniform(0.15, 0.6) if rng.random() < 0.35 else 0.0,
    )
