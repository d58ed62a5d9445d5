"""What a cell of the node table says: a place, a time, boxes. A `ValueError` says what is wrong with it."""

import re
from zoneinfo import ZoneInfo

import pandas as pd

Box = tuple[float, float, float, float]  # left, top, right, bottom, as fractions of the optical half

EVER = (-(2**63), 2**63 - 1)  # nanoseconds

_DATE = r"\d{4}-\d{2}-\d{2}"
_TIME = re.compile(_DATE + r"([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?")
_WHOLE_YEARS = (1678, 2261)  # the first and the last that lie within nanoseconds of 64 bits


def read_degrees(text: str, name: str, most: int) -> float:
    """A longitude or latitude, within ±`most`."""
    try:
        value = float(text)
    except ValueError as error:
        raise ValueError(f"{name}={text} is no number of degrees") from error
    if not -most <= value <= most:
        raise ValueError(f"{name}={text} is not within ±{most} degrees")
    return value


def check_zone(text: str) -> None:
    """A time zone by its name, or nothing."""
    try:
        ZoneInfo(text or "UTC")
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"time_zone={text} is none; write it as America/Chicago") from error


def is_date(text: str) -> bool:
    """Whether this is a bare date, which has the meaning that its time zone gives it."""
    return re.fullmatch(_DATE, text) is not None


def read_time(text: str, zone: str, name: str) -> int:
    """Nanoseconds; a year beyond them, as in 9999-12-31, is for ever.

    What clocks say twice is the first of the two; what they skip is when they go on.
    """
    try:
        if _TIME.fullmatch(text) is None:  # pandas also takes "now", and the months of 1/2/2023 as it likes
            raise ValueError(text)
        moment = pd.Timestamp(text)
        if moment.year < _WHOLE_YEARS[0]:
            return EVER[0]
        if moment.year > _WHOLE_YEARS[1]:
            return EVER[1]
        if moment.tzinfo is None:
            moment = moment.tz_localize(zone or "UTC", ambiguous=True, nonexistent="shift_forward")
        return int(moment.as_unit("ns").value)
    except ValueError as error:  # pandas' own are of it
        raise ValueError(f"{name}={text} is no date or time; write it as 2023-05-20") from error


def write_time(value: int) -> str:
    """What `read_time` reads; empty for ever."""
    return "" if value in EVER else pd.Timestamp(value, unit="ns", tz="UTC").isoformat()


def read_boxes(text: str, name: str) -> tuple[Box, ...]:
    """Any number of boxes, a semicolon between two."""
    return tuple(_box(part, name) for part in text.split(";") if part.strip())


def write_boxes(boxes: tuple[Box, ...]) -> str:
    """What `read_boxes` reads."""
    return "; ".join(" ".join(map(str, box)) for box in boxes)


def _box(text: str, name: str) -> Box:
    try:
        left, top, right, bottom = map(float, text.split())
    except ValueError as error:
        raise ValueError(f"{name}={text.strip()} is no box; write it as left top right bottom") from error
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise ValueError(
            f"{name}={text.strip()} lies not within 0…1, with left before right and top before bottom"
        )
    return left, top, right, bottom
