"""Folder → files → pairs: lists a folder of camera files and pairs them on (node, exact nanosecond).

Nothing is opened here. Every camera file ends in one row: in a pair, or in quarantine with its reason.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from sage_lightning.data import quarantine
from sage_lightning.errors import UserError
from sage_lightning.sage.names import parse_path

UNKNOWN = "unknown"  # the node of a file whose path does not say it
# Not a null: pandas takes nullable integers through float64, which holds nanoseconds only to some hundred.
NO_TIME = -1
LATEST_TIME = 2**63 - 1  # nanoseconds, in the year 2262; a name that says more does not say a time


@dataclass(frozen=True)
class Scan:
    """What a folder holds.

    Attributes:
        index: the pair index as far as names and places in the folder give it, sorted by pair id.
        pictures: the number of picture files.
        thermals: the number of thermal files.
        others: the number of files that are neither, plots included; they are counted and not listed.
        content: a hash of every listed file's path and length: where it differs, files must be decoded again.
    """

    index: pd.DataFrame
    pictures: int
    thermals: int
    others: int
    content: str


def scan_folder(root: Path) -> Scan:
    """Lists `root` with all folders below it, links included, and pairs what it finds."""
    rows = []
    others = 0
    digest = hashlib.sha256()
    for entry in sorted(_files(root), key=lambda entry: entry.path):
        path = Path(entry.path).relative_to(root).as_posix()
        file = parse_path(path)
        if file is None or file.kind == "plot":
            others += 1
            continue
        digest.update(f"{path}\0{entry.stat().st_size}\n".encode())
        time_ns = NO_TIME if file.time_ns is None or file.time_ns > LATEST_TIME else file.time_ns
        rows.append((path, file.kind, file.node or UNKNOWN, time_ns, file.position, file.width, file.height))
    files = pd.DataFrame(rows, columns=["path", "kind", "node", "time_ns", "position", "width", "height"])
    for column in ("path", "kind", "node", "position"):
        files[column] = pd.Series(files[column], dtype="str")
    files = files.astype({"time_ns": "int64", "width": "Int32", "height": "Int32"})
    pictures = int((files["kind"] == "picture").sum())
    return Scan(pair_files(files), pictures, len(files) - pictures, others, digest.hexdigest())


def pairless(root: Path) -> str | None:
    """What to say of a folder without a pair; None where there is one: the first found ends the search."""
    kinds: dict[tuple[str, int], str] = {}
    for entry in _files(root):
        file = parse_path(Path(entry.path).relative_to(root).as_posix())
        if file is None or file.kind == "plot" or file.time_ns is None or file.time_ns > LATEST_TIME:
            continue
        if kinds.setdefault((file.node or UNKNOWN, file.time_ns), file.kind) != file.kind:
            return None
    scan = scan_folder(root)
    return (
        f"data.root={root} holds no pair: looked for pictures (*.jpg) and thermal files "
        "(*.thermal.celsius*.csv) of the same node and timestamp; "
        f"found {scan.pictures} pictures, {scan.thermals} thermal files and {scan.others} other files"
    )


def pair_files(files: pd.DataFrame) -> pd.DataFrame:
    """The pair index of listed files, sorted by pair id.

    Of several files that say the same of themselves the first by path is taken; the others are duplicates.
    Files that say different positions at one node and time, as names with whole seconds may, are paired by
    position; what has no position to go by is ambiguous. A pair whose two files name two positions is
    quarantined and its position null: one of the two is wrong, and nothing says which.

    Args:
        files: one row a file: `path`, `kind` ("picture" or "thermal"), `node`, `time_ns`, `position`,
            `width`, `height`; `time_ns` is `NO_TIME` where a name has none.
    """
    files = files.sort_values("path")
    timeless = files["time_ns"] == NO_TIME
    moment = ["node", "time_ns"]
    places = files.groupby([*moment, "kind"])["position"].transform("nunique")
    crowded = places.groupby([files[name] for name in moment]).transform("max") > 1
    files = files.assign(place=files["position"].where(crowded, "").fillna(""))
    again = files.duplicated([*moment, "kind", "place"]) & ~timeless
    ambiguous = crowded & (files["place"] == "") & ~again & ~timeless
    paired = files[~timeless & ~again & ~ambiguous]
    sides = [paired[paired["kind"] == kind] for kind in ("picture", "thermal")]
    left, right = (side.drop(columns="kind") for side in sides)
    pairs = left.merge(right, on=[*moment, "place"], how="outer", suffixes=("_rgb", "_ir"))
    pairs["reason"] = ""
    named = pairs["position_rgb"].notna() & pairs["position_ir"].notna()
    pairs.loc[named & (pairs["position_rgb"] != pairs["position_ir"]), "reason"] = (
        quarantine.POSITION_MISMATCH
    )
    pairs.loc[pairs["path_rgb"].isna() | pairs["path_ir"].isna(), "reason"] = quarantine.PARTNER_MISSING
    parts = [
        pairs,
        _alone(files[again], quarantine.DUPLICATE),
        _alone(files[ambiguous], quarantine.AMBIGUOUS),
        _alone(files[timeless], quarantine.NO_TIMESTAMP),
    ]
    return _index(pd.concat([part for part in parts if len(part)] or [pairs], ignore_index=True))


def _alone(files: pd.DataFrame, reason: str) -> pd.DataFrame:
    """Rows of one file each, in the shape of the merged pairs."""
    rows = files[["node", "time_ns", "place"]].copy()
    for column in ("path", "position", "width", "height"):
        for side, kind in (("rgb", "picture"), ("ir", "thermal")):
            rows[f"{column}_{side}"] = files[column].where(files["kind"] == kind)
    return rows.assign(reason=reason)


def _index(pairs: pd.DataFrame) -> pd.DataFrame:
    position = pairs["position_rgb"].fillna(pairs["position_ir"])
    timeless = pairs["time_ns"] == NO_TIME
    when = pairs["time_ns"].astype("str").mask(timeless, UNKNOWN)
    when = when.where(timeless | (pairs["place"] == ""), when + "-" + pairs["place"])
    index = pd.DataFrame(
        {
            "pair_id": pd.Series(pairs["node"] + "-" + when, dtype="str"),
            "node": pairs["node"],
            "position": position.mask(pairs["reason"] == quarantine.POSITION_MISMATCH),
            "time": pd.to_datetime(pairs["time_ns"], unit="ns", utc=True).mask(timeless),
            "rgb_path": pairs["path_rgb"],
            "ir_path": pairs["path_ir"],
            "rgb_width": pairs["width_rgb"],
            "rgb_height": pairs["height_rgb"],
            "ir_width": pairs["width_ir"],
            "ir_height": pairs["height_ir"],
            "status": pd.Series("ok", index=pairs.index, dtype="str").where(
                pairs["reason"] == "", "quarantined"
            ),
            "reason": pd.Series(pairs["reason"], dtype="str"),
        }
    )
    return index.sort_values(["pair_id", "rgb_path", "ir_path"], ignore_index=True)


def _files(root: Path) -> Iterator[os.DirEntry[str]]:
    """Every file below `root`; a folder that links lead to twice, or in a circle, is entered once."""
    folders = [str(root)]
    entered = set()
    while folders:
        folder = folders.pop()
        status = os.stat(folder)  # noqa: PTH116 - strings throughout: a Path for each file costs more than the listing
        if (status.st_dev, status.st_ino) in entered:
            continue
        entered.add((status.st_dev, status.st_ino))
        try:
            listing = os.scandir(folder)
        except OSError as error:  # a scan without it would call its pairs gone
            raise UserError(f"data.root: {folder} cannot be listed ({error.strerror})") from error
        with listing as entries:
            for entry in entries:
                if entry.is_dir():
                    folders.append(entry.path)
                elif entry.is_file():
                    yield entry
