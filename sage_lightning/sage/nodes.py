"""The table of nodes: which camera stood where, from when to when, and how it looks at the scene.

A CSV that is kept by hand. `node`, `vsn`, `longitude` and `latitude` must be there; the others may be:
`time_zone`, `valid_from`, `valid_to`, `crop_box`, `masks`. A node that moved has a row for each place.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from sage_lightning.errors import UserError
from sage_lightning.sage.node_cells import (
    EVER,
    check_zone,
    is_date,
    read_boxes,
    read_degrees,
    read_time,
    write_boxes,
    write_time,
)
from sage_lightning.sage.node_cells import Box as Box

NEEDED = ("node", "vsn", "longitude", "latitude")
COLUMNS = (*NEEDED, "time_zone", "valid_from", "valid_to", "crop_box", "masks")

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
    valid_from: int = EVER[0]
    valid_to: int = EVER[1]
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

    def ids(self, nodes: pd.Series, times: npt.NDArray[np.int64]) -> pd.Series:
        """The id of each node that is named by its VSN, as far as the table knows it; others as they are.

        Args:
            nodes: (n,) ids or VSNs.
            times: (n,) nanoseconds; negative where not known, which is enough for a VSN that had one id only.
        """
        owners = {vsn: [row for row in self.rows if row.vsn == vsn] for vsn in {row.vsn for row in self.rows}}
        owners.pop("", None)
        short = nodes.isin(list(owners))
        if not short.any():
            return nodes
        named, when = nodes[short], times[short.to_numpy()]
        found = named.copy()
        for vsn, rows in owners.items():
            alone = len({row.node for row in rows}) == 1
            for row in rows:
                then = np.where(when < 0, alone, (when >= row.valid_from) & (when < row.valid_to))
                found[(named == vsn) & then] = row.node
        return nodes.mask(short, found)

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
        UserError: the file is none or no CSV, a column is missing or unknown, or a cell makes no sense.
    """
    path = Path(path)
    lines = _lines(path)
    ended = {}  # (node, bare date that ends a row of it) → the time zone that the date is of
    for number, cells in lines:
        with _in_line(path, number):
            check_zone(cells["time_zone"])
        if is_date(cells["valid_to"]):
            ended[cells["node"].lower(), cells["valid_to"]] = cells["time_zone"]
    rows = []
    for number, cells in lines:
        with _in_line(path, number):
            # One date that ends a row and begins the next of the node is one instant, the earlier row's.
            began = ended.get((cells["node"].lower(), cells["valid_from"]), cells["time_zone"])
            rows.append(_row(cells, began))
    return NodeTable(rows)


def write_nodes(path: Path, rows: Iterable[Node]) -> None:
    """Writes the table that `read_nodes` reads; columns without a value in any row are left out."""
    lines = [_cells(row) for row in rows]
    columns = [name for name in COLUMNS if name in NEEDED or any(line[name] for line in lines)]
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)


def _lines(path: Path) -> list[tuple[int, dict[str, str]]]:
    """The number and the cells of each line; cells are trimmed and those that are not there empty."""
    if not path.is_file():
        raise UserError(f"data.nodes={path} is not a file; it is a CSV with the columns {', '.join(NEEDED)}")
    try:
        text = path.read_text(encoding="utf-8-sig")
        if "\0" in text:
            raise UserError(f"data.nodes={path} holds a NUL, which no text does; save it as a CSV in UTF-8")
        reader = csv.DictReader(io.StringIO(text))
        have = reader.fieldnames or []
        lines = [(reader.line_num, line) for line in reader]
    except OSError as error:
        raise UserError(f"data.nodes={path} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UserError(f"data.nodes={path} is not in UTF-8; save it as a CSV in UTF-8") from error
    except csv.Error as error:
        raise UserError(f"data.nodes={path} is no CSV: {error}") from error
    if missing := [column for column in NEEDED if column not in have]:
        raise UserError(f"data.nodes={path} lacks {', '.join(missing)}; its columns are {', '.join(COLUMNS)}")
    if unknown := [column for column in have if column not in COLUMNS]:
        raise UserError(
            f"data.nodes={path} has the column {', '.join(unknown)}; its columns are {', '.join(COLUMNS)}"
        )
    return [(number, {name: (line.get(name) or "").strip() for name in COLUMNS}) for number, line in lines]


@contextmanager
def _in_line(path: Path, number: int) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise UserError(f"data.nodes={path}, line {number}: {error}") from error


def _row(cells: dict[str, str], began: str) -> Node:
    """The row of these cells; `began` is the time zone of a date in `valid_from`."""
    if not is_node_id(cells["node"].lower()):
        raise ValueError(
            f"node={cells['node']} is no node's id, which is 16 hexadecimal digits; "
            "a spreadsheet may have changed it"
        )
    if cells["vsn"] and not is_vsn(cells["vsn"]):
        raise ValueError(f"vsn={cells['vsn']} is none; write it as W057: a capital, three hexadecimal digits")
    begins, ends = EVER
    if cells["valid_from"]:
        begins = read_time(cells["valid_from"], began, "valid_from")
    if cells["valid_to"]:
        ends = read_time(cells["valid_to"], cells["time_zone"], "valid_to")
    if begins >= ends:
        raise ValueError(f"valid_from={cells['valid_from']} is not before valid_to={cells['valid_to']}")
    boxes = read_boxes(cells["crop_box"], "crop_box")
    if len(boxes) > 1:
        raise ValueError("crop_box is one box: left top right bottom")
    return Node(
        node=cells["node"].lower(),
        vsn=cells["vsn"],
        longitude=read_degrees(cells["longitude"], "longitude", 180),
        latitude=read_degrees(cells["latitude"], "latitude", 90),
        time_zone=cells["time_zone"],
        valid_from=begins,
        valid_to=ends,
        crop_box=boxes[0] if boxes else None,
        masks=read_boxes(cells["masks"], "masks"),
    )


def _cells(row: Node) -> dict[str, str]:
    cells = {field.name: str(getattr(row, field.name)) for field in fields(row)}
    times = {name: write_time(getattr(row, name)) for name in ("valid_from", "valid_to")}
    crop_box = () if row.crop_box is None else (row.crop_box,)
    return cells | times | {"crop_box": write_boxes(crop_box), "masks": write_boxes(row.masks)}


def _holds(row: Node, time_ns: int) -> bool:
    return row.valid_from <= time_ns < row.valid_to


def is_vsn(text: str) -> bool:
    """Whether this is a VSN, such as "W057"."""
    return _VSN.fullmatch(text) is not None


def is_node_id(text: str) -> bool:
    """Whether this is a node's id, 16 lower-case hexadecimal digits."""
    return _NODE.fullmatch(text) is not None
