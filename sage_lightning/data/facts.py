"""What opening files has told of them, kept by file: nothing but a change of the file itself loses it.

facts-<hash of what reasons depend on>-<hash of the folder's name>.parquet   one row a file and side

A file is known by its path from the collection's root, its length and when it was modified. Other files,
lists, records, node tables, crop boxes and the listing that an index was made from change nothing of it, and
a folder that is moved as a whole takes it along. What follows from comparing files is not kept: `verdicts`
derives it.
"""

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from filelock import FileLock

from sage_lightning.data.disk import writing_below
from sage_lightning.data.plan import GONE

log = logging.getLogger("sage_lightning")

FORMAT = 1  # of what is written; another number is another file
SIDES = ("rgb_path", "ir_path")

_ROOT = b"root"  # where the collection lies, in the schema's metadata
_LOOKED_AT = 64  # files of a collection that is gone, by which it is known again elsewhere
_SCHEMA = pa.schema(
    {
        "side": pa.large_string(),
        "path": pa.large_string(),
        "length": pa.int64(),
        "modified": pa.int64(),
        "reason": pa.large_string(),
        "content": pa.binary(32),
        "height": pa.int32(),
        "width": pa.int32(),
    }
)


class Fact(NamedTuple):
    """What is known of a file.

    Attributes:
        side: of `SIDES`: a file is looked at as a picture, or as a thermal file.
        path: from the collection's root.
        length: in bytes.
        modified: nanoseconds since 1970.
        reason: why it cannot be used, whatever other files are; "" where it can.
        content: sha256 of its bytes; None where they could not be had.
        height: of a thermal picture that could be read, in pixels; 0 of others.
        width: likewise.
    """

    side: str
    path: str
    length: int
    modified: int
    reason: str
    content: bytes | None
    height: int
    width: int


class Facts:
    """The facts of one collection.

    Args:
        cache_dir: where they are kept; made if it is not there.
        root: the collection's folder.
        rules: what a reason depends on beside the file; plain values, ready for JSON.
    """

    def __init__(self, cache_dir: Path, root: Path, rules: Mapping[str, Any]) -> None:
        self._root = Path(root).absolute()
        self._kind = f"facts-{_short([FORMAT, dict(rules)])}"
        self._path = Path(cache_dir) / f"{self._kind}-{_short(str(self._root))}.parquet"

    def learn(self, told: pd.DataFrame) -> None:
        """Keeps facts, in the place of what was known of the same files.

        Args:
            told: with the columns of `Fact`, a row a file and side.

        Raises:
            UserError: they cannot be written. What was kept is whole then.
        """
        new = pa.Table.from_pandas(told[list(_SCHEMA.names)], _SCHEMA, preserve_index=False)
        with writing_below(self._path.parent):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self._path.with_suffix(".lock")):
                known = self._known()
                stay = np.ones(len(known), dtype=bool)
                for side in SIDES:
                    paths = new.filter(pc.equal(new["side"], side))["path"]
                    again = pc.and_(pc.equal(known["side"], side), pc.is_in(known["path"], value_set=paths))
                    stay &= ~_mask(again)
                self._save(pa.concat_tables([known.filter(pa.array(stay)), new]))

    def amiss(self, ir_size: tuple[int, int] | None) -> pd.DataFrame:
        """The facts that may keep a pair out of use, of files that are still those that they were told of.

        Those are files with a reason, thermal pictures of another size, and files whose bytes another has.
        Others, of millions, are not looked up.

        Args:
            ir_size: (h, w) that a thermal picture must have; None where any will do.
        """
        known = self._known()
        codes = known["content"].combine_chunks().dictionary_encode().indices
        codes = codes.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        counts = np.bincount(codes[codes >= 0], minlength=1)
        asked = (codes >= 0) & (counts[np.maximum(codes, 0)] > 1)
        asked |= _mask(pc.not_equal(known["reason"], ""))
        if ir_size is not None:
            height, width = (known[side].to_numpy() for side in ("height", "width"))
            asked |= (height > 0) & ((height != ir_size[0]) | (width != ir_size[1]))
        found = known.filter(pa.array(asked)).to_pandas()
        return found[self._is_so(found)].reset_index(drop=True)

    def are_of(self, files: pd.DataFrame) -> pd.Series:
        """Whether each of some files, by `side` and `path`, is known as it is now."""
        known = self._known()
        known = known.filter(pc.is_in(known["path"], value_set=pa.array(files["path"], pa.large_string())))
        table = known.to_pandas()
        table = table[self._is_so(table)]
        there = pd.MultiIndex.from_frame(table[["side", "path"]])
        return pd.Series(pd.MultiIndex.from_frame(files[["side", "path"]]).isin(there), files.index)

    def _is_so(self, facts: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """(n,): whether the file has the length and time that a fact names."""
        states = [state(self._root, path) for path in facts["path"].tolist()]
        said = zip(facts["length"].tolist(), facts["modified"].tolist(), strict=True)
        return np.array([now == was for now, was in zip(states, said, strict=True)], dtype=bool)

    def _known(self) -> pa.Table:
        """All that is kept, with what a folder that has been moved here brings along."""
        parts = [_SCHEMA.empty_table(), *([] if (own := _read(self._path)) is None else [own])]
        for path in sorted(self._path.parent.glob(f"{self._kind}-*.parquet")):
            if path != self._path and _is_left(path) and (table := _read(path)) is not None:
                some = table.take(list(range(0, len(table), max(1, len(table) // _LOOKED_AT)))).to_pandas()
                if 2 * int(self._is_so(some).sum()) > len(some):
                    parts.append(table)
        table = pa.concat_tables(parts)
        if len(parts) <= 2:
            return table
        # Of a file that both know its own fact is the later one.
        rows = table.select(["side", "path"]).to_pandas()
        return table.filter(pa.array(~rows.duplicated().to_numpy()))

    def _save(self, table: pa.Table) -> None:
        table = table.cast(_SCHEMA).replace_schema_metadata({_ROOT: os.fsencode(self._root)})
        partial = self._path.with_suffix(".partial")
        pq.write_table(
            table, partial, compression="zstd", use_dictionary=["side", "reason", "height", "width"]
        )
        partial.replace(self._path)


def state(root: Path, path: str) -> tuple[int, int]:
    """A file's length in bytes, and when it was modified; `GONE` where it is not there."""
    try:  # of a million files, `Path`s take longer than the system
        found = os.stat(os.path.join(root, path))  # noqa: PTH116, PTH118
    except (OSError, ValueError):  # ValueError: a cell that can name no file
        return GONE
    return found.st_size, found.st_mtime_ns


def table_of(facts: list[Fact]) -> pd.DataFrame:
    """As `Facts.learn` takes them."""
    return pd.DataFrame(facts, columns=list(_SCHEMA.names))


def _read(path: Path) -> pa.Table | None:
    try:
        return pq.read_table(path).cast(_SCHEMA) if path.is_file() else None
    except (pa.ArrowException, OSError, ValueError) as error:
        log.warning(
            "%s: damaged (%s); what decoding has told is lost, index.verify=true tells it anew",
            path,
            str(error).splitlines()[0],
        )
        with suppress(OSError):
            path.unlink()
        return None


def _is_left(path: Path) -> bool:
    """Whether the folder that facts are of is gone, or nothing is in it any more."""
    try:
        root = os.fsdecode((pq.read_schema(path).metadata or {})[_ROOT])
        with os.scandir(root) as entries:
            return not list(islice(entries, 1))
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (pa.ArrowException, OSError, ValueError, KeyError):
        return False  # nothing says so


def _mask(found: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    return np.asarray(found.fill_null(False).to_numpy(), dtype=bool)


def _short(said: Any) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:12]
