"""The table of nodes: which camera stood where, from when to when, and how it looks at the scene.

A CSV that is kept by hand. `node`, `vsn`, `longitude` and `latitude` must be there; the others may be:
`time_zone`, `valid_from`, `valid_to`, `crop_box`, `masks`. A node that moved has a row for each place.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from sage_lightning.errors import UserError

Box = tuple[float, float, float, float]  # left, top, right, bottom, as fractions of the optical half

NEEDED = ("node", "vsn", "longitude", "latitude")
COLUMNS = (*NEEDED, "time_zone", "valid_from", "valid_to", "crop_box", "masks")

_EVER = (-(2**63), 2**63 - 1)  # nanoseconds

_VSN = re.compile(r"[A-Z][0-9A-F]{3}")
_NODE = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Node:
    """A node at one place.

    Attributes:
        node: 16 lower-case hexadecimal digits.
        vsn: the short name on its box, as "W057".
        longitude: degrees, east positive.
        latitude: degrees, north positive.
        time_zone: as "America/Chicago"; the dates of `valid_from` and `valid_to` are of it, or else UTC.
        valid_from: nanoseconds since 1970 UTC from which it stood there.
        valid_to: nanoseconds at which it no longer did.
        crop_box: what the thermal picture sees of the optical half; None for that of the run.
        masks: parts of the optical half that hold on-screen drawings.
    """

    node: str
    vsn: str
    longitude: float
    latitude: float
    time_zone: str = ""
    valid_from: int = _EVER[0]
    valid_to: int = _EVER[1]
    crop_box: Box | None = None
    masks: tuple[Box, ...] = ()


class NodeTable:
    """Rows by node and time. Files are looked up by the node's id, or by its VSN where a name says only that.

    Args:
        rows: of one node no two hold at the same time.

    Raises:
        UserError: two of them do.
    """

    def __init__(self, rows: Iterable[Node] = ()) -> None:
        self.rows = tuple(sorted(rows, key=lambda row: (row.node, row.valid_from)))
        for name in ("node", "vsn"):
            self._refuse_overlaps(name)

    def at(self, node: str | None, time_ns: int) -> Node | None:
        """The row of a node, by id or VSN, at a time; None where the table has none."""
        return next((row for row in self.rows if node in (row.node, row.vsn) and _holds(row, time_ns)), None)

    def places(self, nodes: pd.Series, times: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """(n,): which of `rows` holds for each node and time; -1 where none does.

        Args:
            nodes: (n,) ids or VSNs.
            times: (n,) nanoseconds.
        """
        found = np.full(len(nodes), -1, dtype=np.int64)
        for number, row in enumerate(self.rows):
            named = ((nodes == row.node) | (nodes == row.vsn)).to_numpy(dtype=bool)
            found[named & (times >= row.valid_from) & (times < row.valid_to)] = number
        return found

    def cameras_recipe(self) -> list[list[Any]]:
        """What of the table decides how pictures are decoded, ready for JSON; empty where nothing does."""
        return [
            [row.node, row.vsn, row.valid_from, row.valid_to, row.crop_box, row.masks]
            for row in self.rows
            if row.crop_box is not None or row.masks
        ]

    def places_recipe(self) -> list[list[Any]]:
        """What of the table decides places and times, ready for JSON."""
        return [
            [row.node, row.vsn, row.longitude, row.latitude, row.valid_from, row.valid_to]
            for row in self.rows
        ]

    def _refuse_overlaps(self, name: str) -> None:
        rows = sorted(self.rows, key=lambda row: (getattr(row, name), row.valid_from))
        for one, other in pairwise(rows):
            same = getattr(one, name)
            if same and same == getattr(other, name) and one.valid_to > other.valid_from:
                raise UserError(
                    f"data.nodes: {name} {same} stands in two rows that hold at the same time; "
                    "give valid_to of the one and valid_from of the other"
                )


def read_nodes(path: Path) -> NodeTable:
    """The table in a CSV.

    Raises:
        UserError: the file or a column is missing, a column is unknown, or a cell makes no sense.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"data.nodes={path} is not a file; it is a CSV with the columns {', '.join(NEEDED)}")
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        have = reader.fieldnames or []
        if missing := [column for column in NEEDED if column not in have]:
            raise UserError(
                f"data.nodes={path} lacks {', '.join(missing)}; its columns are {', '.join(COLUMNS)}"
            )
        if unknown := [column for column in have if column not in COLUMNS]:
            raise UserError(
                f"data.nodes={path} has the column {', '.join(unknown)}; its columns are {', '.join(COLUMNS)}"
            )
        lines = list(reader)
    rows = []
    for number, line in enumerate(lines, start=2):
        try:
            rows.append(_row({name: (line.get(name) or "").strip() for name in COLUMNS}))
        except ValueError as error:
            raise UserError(f"data.nodes={path}, line {number}: {error}") from error
    return NodeTable(rows)


def write_nodes(path: Path, rows: Iterable[Node]) -> None:
    """Writes the table that `read_nodes` reads; columns without a value in any row are left out."""
    lines = [_cells(row) for row in rows]
    columns = [name for name in COLUMNS if name in NEEDED or any(line[name] for line in lines)]
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)


def _row(cells: dict[str, str]) -> Node:
    longitude, latitude = (
        _degrees(cells["longitude"], "longitude", 180),
        _degrees(cells["latitude"], "latitude", 90),
    )
    zone = cells["time_zone"]
    try:
        ZoneInfo(zone or "UTC")
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"time_zone={zone} is none; write it as America/Chicago") from error
    begins, ends = (_time(cells[name], zone, name) for name in ("valid_from", "valid_to"))
    if begins is not None and ends is not None and begins >= ends:
        raise ValueError(f"valid_from={cells['valid_from']} is not before valid_to={cells['valid_to']}")
    boxes = [_box(text, "crop_box") for text in _parts(cells["crop_box"])]
    if len(boxes) > 1:
        raise ValueError("crop_box is one box: left top right bottom")
    return Node(
        node=cells["node"].lower(),
        vsn=cells["vsn"],
        longitude=longitude,
        latitude=latitude,
        time_zone=zone,
        valid_from=_EVER[0] if begins is None else begins,
        valid_to=_EVER[1] if ends is None else ends,
        crop_box=boxes[0] if boxes else None,
        masks=tuple(_box(text, "masks") for text in _parts(cells["masks"])),
    )


def _degrees(text: str, name: str, most: int) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise ValueError(f"{name}={text} is no number of degrees") from error
    if not -most <= value <= most:
        raise ValueError(f"{name}={text} is not within ±{most} degrees")
    return value


def _time(text: str, zone: str, name: str) -> int | None:
    if not text:
        return None
    try:
        moment = pd.Timestamp(text)
        moment = moment.tz_localize(zone or "UTC") if moment.tzinfo is None else moment
        return int(moment.as_unit("ns").value)
    except (ValueError, OverflowError) as error:  # what pandas says of a time that is none is of these
        raise ValueError(f"{name}={text} is no date or time; write it as 2023-05-20") from error


def _parts(text: str) -> Iterator[str]:
    return (part for part in text.split(";") if part.strip())


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


def _cells(row: Node) -> dict[str, str]:
    cells = {field.name: str(getattr(row, field.name)) for field in fields(row)}
    for name, never in zip(("valid_from", "valid_to"), _EVER, strict=True):
        value = getattr(row, name)
        cells[name] = "" if value == never else pd.Timestamp(value, unit="ns", tz="UTC").isoformat()
    boxes = {"crop_box": [row.crop_box] if row.crop_box else [], "masks": row.masks}
    for name, those in boxes.items():
        cells[name] = "; ".join(" ".join(map(str, box)) for box in those)
    return cells


def _holds(row: Node, time_ns: int) -> bool:
    return row.valid_from <= time_ns < row.valid_to


def is_vsn(text: str) -> bool:
    """Whether this is a VSN, such as "W057"."""
    return _VSN.fullmatch(text) is not None


def is_node_id(text: str) -> bool:
    """Whether this is a node's id, 16 lower-case hexadecimal digits."""
    return _NODE.fullmatch(text) is not None
