"""The table of nodes: which is where. A CSV with the columns node, vsn, longitude, latitude."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from sage_lightning.errors import UserError

COLUMNS = ("node", "vsn", "longitude", "latitude")

_VSN = re.compile(r"[A-Z][0-9A-F]{3}")
_NODE = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Node:
    """One node.

    Attributes:
        node: 16 lower-case hexadecimal digits.
        vsn: the short name on its box, as "W057".
        longitude: degrees, east positive.
        latitude: degrees, north positive.
    """

    node: str
    vsn: str
    longitude: float
    latitude: float


def read_nodes(path: Path) -> dict[str, Node]:
    """The nodes by their id.

    Raises:
        UserError: the file or a column is missing, or a line has no sound coordinates.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"data.nodes={path} is not a file; it is a CSV with the columns {', '.join(COLUMNS)}")
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = [column for column in COLUMNS if column not in (reader.fieldnames or [])]
        if missing:
            raise UserError(
                f"data.nodes={path} lacks {', '.join(missing)}; its columns are {', '.join(COLUMNS)}"
            )
        rows = list(reader)
    nodes = {}
    for number, row in enumerate(rows, start=2):
        try:
            longitude, latitude = float(row["longitude"]), float(row["latitude"])
        except (TypeError, ValueError) as error:  # a short line has None
            raise UserError(f"data.nodes={path}, line {number}: coordinates are degrees") from error
        if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
            raise UserError(
                f"data.nodes={path}, line {number}: longitude is within ±180, latitude within ±90 degrees"
            )
        node = row["node"].lower()
        nodes[node] = Node(node, row["vsn"], longitude, latitude)
    return nodes


def write_nodes(path: Path, nodes: list[Node]) -> None:
    """Writes the table that `read_nodes` reads."""
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows((node.node, node.vsn, node.longitude, node.latitude) for node in nodes)


def is_vsn(text: str) -> bool:
    """Whether this is a VSN, such as "W057"."""
    return _VSN.fullmatch(text) is not None


def is_node_id(text: str) -> bool:
    """Whether this is a node's id, 16 lower-case hexadecimal digits."""
    return _NODE.fullmatch(text) is not None
