"""The sun over a place: its height and direction, and the local solar day that splits and labels go by."""

import datetime

import numpy as np
import numpy.typing as npt
from astral import Observer
from astral.sun import azimuth, elevation

_NS_PER_HOUR = 3_600_000_000_000
_NS_PER_DAY = 24 * _NS_PER_HOUR


def sun_elevation(longitude: float, latitude: float, time_ns: int) -> float:
    """Apparent height above the horizon, degrees, refraction included.

    Args:
        longitude: degrees, east positive.
        latitude: degrees, north positive.
        time_ns: nanoseconds since 1970, UTC.
    """
    return elevation(Observer(latitude, longitude), _utc(time_ns))


def sun_azimuth(longitude: float, latitude: float, time_ns: int) -> float:
    """Degrees clockwise from north; arguments as for `sun_elevation`."""
    return azimuth(Observer(latitude, longitude), _utc(time_ns))


def local_solar_time(
    longitude: npt.NDArray[np.float64], time_ns: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.str_], npt.NDArray[np.float64]]:
    """The local day "YYYY-MM-DD" and hour, 0 to below 24, by mean solar time: 15° of longitude an hour.

    Args:
        longitude: (n,) degrees, east positive.
        time_ns: (n,) nanoseconds since 1970, UTC.
    """
    local_ns = time_ns + np.rint(longitude / 15 * _NS_PER_HOUR).astype(np.int64)
    days, rest = np.divmod(local_ns, _NS_PER_DAY)
    return np.datetime_as_string(days.astype("datetime64[D]")), rest / _NS_PER_HOUR


def _utc(time_ns: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(time_ns // 1_000_000_000, tz=datetime.UTC)
