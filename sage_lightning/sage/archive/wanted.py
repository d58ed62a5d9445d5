"""From records to the files that are wanted: pictures and matrices of degrees, not plots, not NetCDF."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from sage_lightning.sage.archive.destination import destination
from sage_lightning.sage.archive.troubles import Refused
from sage_lightning.sage.names import parse_path
from sage_lightning.sage.nodes import is_vsn

KINDS = ("picture", "thermal")


@dataclass(frozen=True)
class Wanted:
    """One file of a frame.

    Attributes:
        url: where it is.
        path: where it goes, below the folder.
        label: the node's VSN, or its 16 digits where the records do not say it.
        position: as in its name; None where it has none.
        time_ns: of the frame, nanoseconds since 1970 UTC.
    """

    url: str
    path: str
    label: str
    position: str | None
    time_ns: int


@dataclass
class Selection:
    """What the records of a span come to.

    Attributes:
        files: those wanted, each once, by time.
        refused: address, node and reason of records that are not followed.
    """

    files: list[Wanted] = field(default_factory=list)
    refused: list[tuple[str, str, str]] = field(default_factory=list)


def select(records: pd.DataFrame, storage: str) -> Selection:
    """The wanted files of some records, as `sage_data_client` gives them."""
    selection = Selection()
    found: dict[str, Wanted] = {}
    for record in records.to_dict("records"):
        if record["name"] != "upload":
            continue
        try:
            wanted = file_of(record["value"], storage, record)
        except Refused as error:
            selection.refused.append((str(record["value"]), label_of(record), error.reason))
            continue
        if wanted is not None:
            found[wanted.path] = wanted
    selection.files = sorted(found.values(), key=lambda file: (file.time_ns, file.path))
    return selection


def file_of(url: object, storage: str, record: dict[Hashable, Any] | None = None) -> Wanted | None:
    """The file at an address; None for one that is not wanted.

    Args:
        url: its address.
        storage: what addresses begin with.
        record: what the archive says of it, which must not contradict the address.

    Raises:
        Refused: the address is not followed.
    """
    place = destination(url, storage)
    record = record or {}
    time = record.get("timestamp")
    if time is not None and time != pd.Timestamp(place.time_ns, tz="UTC"):
        raise Refused("its record and its address differ in time")
    for column, said in (("meta.node", place.node), ("meta.filename", place.filename)):
        if isinstance(record.get(column), str) and record[column] != said:
            raise Refused(f"its record and its address differ in {column.removeprefix('meta.')}")
    file = parse_path(place.path)
    if file is None or file.kind not in KINDS:
        return None
    label = label_of(record) or place.node
    return Wanted(str(url), place.path, label, file.position, place.time_ns)


def label_of(record: dict[Hashable, Any]) -> str:
    """The VSN that a record gives; "" where it gives none."""
    vsn = record.get("meta.vsn")
    return vsn if isinstance(vsn, str) and is_vsn(vsn) else ""
