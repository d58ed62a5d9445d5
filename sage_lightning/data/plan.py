"""Which shard holds which pair. Rows are only ever added: what has been decoded stays where it is.

`plan.parquet` has one row for each pair that was ever asked for: `pair_id`, `rgb_path`, `ir_path`,
`rgb_bytes`, `ir_bytes`, `rgb_time`, `ir_time`, `shard`. The rows of a shard, in their order, are its places
0, 1, 2 … A file of another length, or of another time where times count, makes another row; the old one keeps
its place.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SHARD_PAIRS = 512
GONE = (-1, 0)  # of a file that is not there any more

_SAME = ["pair_id", "rgb_path", "ir_path", "rgb_bytes", "ir_bytes", "rgb_time", "ir_time"]
_TYPES = {**dict.fromkeys(_SAME[:3], "str"), **dict.fromkeys(_SAME[3:], "int64"), "shard": "int64"}


@dataclass(frozen=True)
class Plan:
    """The plan of a folder, and which of its rows a collection is made of now.

    Attributes:
        table: see above.
        live: (n,) the row of the table for each of the n pairs that were asked for.
    """

    table: pd.DataFrame
    live: NDArray[np.int64]

    @property
    def shards(self) -> int:
        """How many there are."""
        return int(self.table["shard"].iloc[-1]) + 1 if len(self.table) else 0

    def rows(self, shard: int) -> NDArray[np.int64]:
        """The rows of the table that are the places of a shard."""
        start, stop = np.searchsorted(self.table["shard"].to_numpy(), [shard, shard + 1])
        return np.arange(start, stop)


def extend(folder: Path, root: Path, pairs: pd.DataFrame, dated: bool) -> Plan:
    """The folder's plan with a place for each of these pairs; new ones fill the last shard and then others.

    Args:
        folder: of shards; is there.
        root: where the paths start.
        pairs: rows of an index.
        dated: whether a file that was modified at another time is another one.
    """
    path = folder / "plan.parquet"
    asked = pairs[["pair_id", "rgb_path", "ir_path"]].astype("str").reset_index(drop=True)
    # Of millions of files, putting `Path`s together takes longer than asking the system.
    for sensor in ("rgb", "ir"):
        paths = asked[f"{sensor}_path"].tolist()
        stats = np.array([_stat(os.path.join(root, path)) for path in paths], np.int64)  # noqa: PTH118
        asked[f"{sensor}_bytes"], asked[f"{sensor}_time"] = stats.reshape(-1, 2).T
        if not dated:
            asked[f"{sensor}_time"] = 0
    asked = asked[_SAME]
    known = pd.read_parquet(path) if path.is_file() else asked[:0].assign(shard=0).astype(_TYPES)
    live = _places(known, asked)
    new = np.flatnonzero(live < 0)
    if not len(new):
        return Plan(known, live)
    live[new] = len(known) + np.arange(len(new))
    last = int(known["shard"].iloc[-1]) if len(known) else 0
    taken = int((known["shard"] == last).sum())
    fresh = asked.iloc[new].assign(shard=last + (taken + np.arange(len(new))) // SHARD_PAIRS)
    table = pd.concat([known, fresh], ignore_index=True).astype(_TYPES)
    partial = path.with_suffix(".partial")
    table.to_parquet(partial, index=False)
    partial.replace(path)
    return Plan(table, live)


def _places(known: pd.DataFrame, asked: pd.DataFrame) -> NDArray[np.int64]:
    """(n,): the row of `known` that is the same pair with files of the same lengths; -1 where none is."""
    keys = pd.util.hash_pandas_object(known[_SAME], index=False)
    place = pd.Index(keys).get_indexer(pd.Index(pd.util.hash_pandas_object(asked, index=False)))
    found = np.flatnonzero(place >= 0)
    same = known[_SAME].take(place[found]).reset_index(drop=True).eq(asked.iloc[found].reset_index(drop=True))
    place[found[~same.all(axis="columns").to_numpy()]] = -1
    return place.astype(np.int64)


def _stat(path: str) -> tuple[int, int]:
    """Length in bytes, and when it was modified."""
    try:
        found = os.stat(path)  # noqa: PTH116
    except OSError:  # decoding will say what is the matter
        return GONE
    return found.st_size, found.st_mtime_ns
