"""Where a camera looks: presets 1–32 (eight columns of four rows) and directions such as "NEH"."""

from typing import Literal

View = Literal["sky", "horizon", "below", "ground"]

VIEWS: tuple[View, ...] = ("sky", "horizon", "below", "ground")
COLUMNS = ("S", "SW", "W", "NW", "N", "NE", "E", "SE")  # the presets' order, when preset 1 faces south
PRESETS = 32

_VIEW_LETTERS = "SHBG"


def row_of(position: str | None) -> View | None:
    """The row of views that a position belongs to; None where unknown (no position, "0", custom scans)."""
    place = _place(position)
    return None if place is None else VIEWS[place[1]]


def column_of(position: str | None) -> int | None:
    """The column, 0–7 in the order of `COLUMNS`; None where it is unknown."""
    place = _place(position)
    return None if place is None else place[0]


def azimuth(position: str | None) -> float | None:
    """Degrees clockwise from north, when preset 1 faces south; None where it is unknown.

    Nominal: the moves are timed, so the true angles differ from node to node.
    """
    column = column_of(position)
    return None if column is None else (180.0 + 45.0 * column) % 360.0


def _place(position: str | None) -> tuple[int, int] | None:
    if position is None:
        return None
    if position.isdecimal():
        preset = int(position)
        return divmod(preset - 1, len(VIEWS)) if 1 <= preset <= PRESETS else None
    compass, view = position[:-1], position[-1:]
    if compass in COLUMNS and view in _VIEW_LETTERS:
        return COLUMNS.index(compass), _VIEW_LETTERS.index(view)
    return None
