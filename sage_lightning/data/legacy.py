"""What early users left beside their files: pair lists, query records, and a folder of pairs put aside.

    pairs/<node>/<any>.txt       two lines: a picture below rgb/, a thermal file below thermal/
    bad_pairs/…                  the same lists, or files, of pairs that someone has put aside
    sage_meta/…                  records of the query API: .ndjson, .json, their .gz, .csv or .parquet

`rgb/` and `thermal/` lie beside `pairs/`. Lists and records know what names do not say: who belongs to whom,
the node, the exact time, the position.
"""

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

from sage_lightning.data.files import NO_TIME, UNKNOWN
from sage_lightning.data.listing import Folder
from sage_lightning.errors import UserError
from sage_lightning.sage.names import node_of
from sage_lightning.sage.records import RECORD_SUFFIXES, read_records

_LISTS = re.compile(r"(?P<base>(?:.*/)?)(?P<bad>bad_)?pairs/(?P<node>[^/]+)")
_RECORDS = re.compile(r"(?:.*/)?sage_meta(?:/.*)?")
_BAD = r"(?:^|/)bad_pairs/"
_VSN = r"[A-Z][0-9A-F]{3}"
_MOMENT = ["node", "time_ns"]
_SECOND = 1_000_000_000  # nanoseconds


class Legacy:
    """The lists and records of a collection.

    Args:
        root: the collection's folder.
        folders: its listing.

    Attributes:
        read: how many lists and records there are.

    Raises:
        UserError: records cannot be read.
    """

    def __init__(self, root: Path, folders: Sequence[Folder]) -> None:
        self._lists = _read_lists(root, folders)
        paths = [
            path for folder in folders if _RECORDS.fullmatch(folder.path) for path in _records_of(folder)
        ]
        self._records = pd.concat([_records(root, path) for path in paths]) if paths else None
        self.read = len(self._lists) + len(paths)

    def __bool__(self) -> bool:
        """Whether there is anything that files far from it depend on."""
        return self.read > 0

    def applied(self, files: pd.DataFrame) -> pd.DataFrame:
        """Camera files with what lists and records know of them; see `pair_files` for the columns."""
        if self._records is not None:
            files = _with_records(files, self._records)
        files = files.assign(
            listed=pd.Series(None, files.index, dtype="str"), bad=files["path"].str.contains(_BAD)
        )
        return _with_lists(files, self._lists) if len(self._lists) else files


def _read_lists(root: Path, folders: Sequence[Folder]) -> pd.DataFrame:
    """One row a list that names two files: `list`, `picture`, `thermal`, `node`, `bad`."""
    rows = []
    for folder in folders:
        if (found := _LISTS.fullmatch(folder.path)) is None:
            continue
        node = node_of(found["node"]) or found["node"]
        for name in folder.names.to_pylist():
            if not name.endswith(".txt"):
                continue
            path = f"{folder.path}/{name}"
            try:
                lines = (root / path).read_text(encoding="utf-8", errors="replace").split("\n")
            except FileNotFoundError:
                continue  # it vanished since the folder was listed
            named = [line.strip().lstrip("/") for line in lines if line.strip()]
            if len(named) == 2:
                sides = (
                    f"{found['base']}{side}/{line}"
                    for side, line in zip(("rgb", "thermal"), named, strict=True)
                )
                rows.append((path, *sides, node, found["bad"] is not None))
    lists = pd.DataFrame(rows, columns=["list", "picture", "thermal", "node", "bad"])
    return lists.sort_values(["bad", "list"], ascending=[False, True], ignore_index=True)


def _records_of(folder: Folder) -> list[str]:
    paths = [str(PurePosixPath(folder.path) / name) for name in folder.names.to_pylist()]
    return [path for path in paths if path.endswith(RECORD_SUFFIXES)]


def _records(root: Path, path: str) -> pd.DataFrame:
    try:
        return read_records(root / path)
    except (ValueError, OSError) as error:
        raise UserError(f"data.root: {path} cannot be read as records of the query API ({error})") from error


def _with_lists(files: pd.DataFrame, lists: pd.DataFrame) -> pd.DataFrame:
    """Both files of a list get its name, and one node and time: those that either of them knows."""
    time, node = files.set_index("path")["time_ns"], files.set_index("path")["node"]
    sides = [lists[side] for side in ("picture", "thermal")]
    there = sides[0].isin(time.index) & sides[1].isin(time.index)
    lists, sides = lists[there], [side[there] for side in sides]
    times = [side.map(time).astype("int64") for side in sides]
    nodes = [side.map(node) for side in sides]
    common = times[0].where(times[0] != NO_TIME, times[1])
    owner = nodes[0].mask(nodes[0] == UNKNOWN, nodes[1])
    owner = owner.mask(owner == UNKNOWN, lists["node"])
    known = pd.concat(
        [
            pd.DataFrame({"path": side, "list": lists["list"], "t": common, "n": owner, "b": lists["bad"]})
            for side in sides
        ]
    ).drop_duplicates("path")
    found = files[["path"]].merge(known, on="path", how="left").set_index(files.index)
    named = found["list"].notna()
    return files.assign(
        listed=found["list"].astype("str"),
        time_ns=files["time_ns"].mask(named, found["t"]).astype("int64"),
        node=files["node"].mask(named, found["n"]),
        bad=files["bad"] | found["b"].eq(True),
    )


def _with_records(files: pd.DataFrame, records: pd.DataFrame) -> pd.DataFrame:
    """Nodes, exact times and positions that records alone know, where all records that fit say the same.

    The files of one node and time are one moment and go together, whichever of them the records are of:
    a side that knew more than the other would have lost its partner.
    """
    exact = records[["node", "time_ns", "kind"]].assign(true_node=records["node"], true_ns=records["time_ns"])
    fitting = pd.concat(
        [
            exact.assign(node=records["vsn"], time_ns=records["time_ns"] // _SECOND * _SECOND),
            exact.assign(node=UNKNOWN),
        ]
    )
    told = files[[*_MOMENT, "kind"]].drop_duplicates().merge(fitting, on=[*_MOMENT, "kind"])
    true = _fit(files[files["time_ns"] != NO_TIME], told.drop(columns="kind"), _MOMENT)
    files = files.copy()
    files.loc[true.index, "node"] = true["true_node"]
    files.loc[true.index, "time_ns"] = true["true_ns"]
    keys = [*_MOMENT, "kind"]
    placed = _fit(files[files["position"].isna()], records[[*keys, "position"]], keys)
    files.loc[placed.index, "position"] = placed["position"]
    return files


def _fit(files: pd.DataFrame, known: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Of the files of whose keys one thing alone is known, that, by the file's row.

    Overlapping queries give a record twice: what says the same is one thing.
    """
    alone = known.dropna().drop_duplicates().drop_duplicates(keys, keep=False)
    # An inner merge: rows without a partner would turn nanoseconds into floats.
    return files[keys].reset_index(names="row").merge(alone, on=keys).set_index("row")
