"""Folders → camera files: what each file's name and folder say, one row a file."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from sage_lightning.data.listing import Folder
from sage_lightning.sage.names import node_of, parse_name

UNKNOWN = "unknown"  # the node of a file whose path does not say it
# Not a null: pandas takes nullable integers through float64, which holds nanoseconds only to some hundred.
NO_TIME = -1
LATEST_TIME = 2**63 - 1  # nanoseconds, in the year 2262; a name that says more does not say a time
SECOND = 1_000_000_000  # nanoseconds
KINDS = ("picture", "thermal", "plot")  # by their codes
OTHER = -1  # the code of a file that is none of them

_SCHEMA = pa.schema(
    {
        "path": pa.large_string(),
        "folder": pa.dictionary(pa.int32(), pa.large_string()),
        "bytes": pa.int64(),
        "kind": pa.int8(),
        "node": pa.large_string(),
        "time_ns": pa.int64(),
        "position": pa.large_string(),
        "width": pa.int32(),
        "height": pa.int32(),
    }
)
_TYPES = {"path": "str", "kind": "str", "node": "str", "position": "str", "width": "Int32", "height": "Int32"}
_NAMES_AT_A_TIME = 65_536  # of which each is an object of Python's for a moment


def camera_files(folders: Sequence[Folder]) -> pd.DataFrame:
    """Pictures, thermal files and plots, sorted by path.

    Returns:
        `path` from the root, `folder` (a category), `bytes`, `kind` ("picture", "thermal", "plot"), `node`
        (`UNKNOWN` where no one says), `time_ns` (`NO_TIME`), `position` (null), `width` and `height` as the
        name has them (null).
    """
    return only_cameras(all_files(folders))


def all_files(folders: Sequence[Folder]) -> pa.Table:
    """One row a file in the order of the listing, with the columns of `camera_files`.

    `kind` is a code, an index of `KINDS`, or `OTHER`; of other files nothing more is said.
    """
    parts = [part for folder in folders for part in _of_folder(folder)]
    return pa.concat_tables([_SCHEMA.empty_table(), *parts]).unify_dictionaries()


def only_cameras(files: pa.Table) -> pd.DataFrame:
    """What `camera_files` returns, of `all_files`."""
    cameras = pc.not_equal(files["kind"], OTHER)
    if not pc.all(cameras).as_py():
        files = pa.concat_tables([files[:0], files.filter(cameras)])  # a column of no chunk breaks pandas
    kinds = pc.take(pa.array(KINDS, pa.large_string()), files["kind"])
    files = files.set_column(files.schema.get_field_index("kind"), "kind", kinds)
    table = files.to_pandas(types_mapper={pa.int32(): pd.Int32Dtype()}.get).astype(_TYPES)
    return table if table["path"].is_monotonic_increasing else table.sort_values("path", ignore_index=True)


def content_of(folders: Sequence[Folder]) -> str:
    """A hash of every file's path and length: where it differs, files must be decoded again.

    Args:
        folders: of which every file counts; their order changes nothing.
    """
    blocks = [(folder.paths(), folder.sizes) for folder in folders if len(folder.names)]
    blocks.sort(key=lambda block: block[0][0].as_py())
    if any(one[-1].as_py() > other[0].as_py() for (one, _), (other, _) in pairwise(blocks)):
        # A folder in a folder: its files stand between those of the outer one.
        paths = pa.concat_arrays([paths for paths, _ in blocks])
        order = pc.sort_indices(paths)
        sizes = np.concatenate([sizes for _, sizes in blocks])
        blocks = [(paths.take(order), sizes[order.to_numpy()])]
    ends = [_ends(paths) for paths, _ in blocks]
    digest = hashlib.sha256()
    for _, sizes in blocks:
        digest.update(sizes.astype("<i8", copy=False).data)
    digest.update(np.concatenate([[0], *map(np.diff, ends)]).cumsum().astype("<i8", copy=False).data)
    for (paths, _), end in zip(blocks, ends, strict=True):
        digest.update(paths.buffers()[2][end[0] : end[-1]])
    return digest.hexdigest()


def _ends(texts: pa.LargeStringArray) -> npt.NDArray[np.int64]:
    """(n + 1,): where texts begin and end in their buffer of letters."""
    return np.frombuffer(texts.buffers()[1], dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]


def _of_folder(folder: Folder) -> Iterator[pa.Table]:
    node = node_of(folder.path.rpartition("/")[2])
    for start in range(0, len(folder.names), _NAMES_AT_A_TIME):
        names = folder.names.slice(start, _NAMES_AT_A_TIME)
        part = replace(folder, names=names, sizes=folder.sizes[start : start + len(names)])
        said = [parse_name(name, node) for name in names.to_pylist()]
        rows = [row for row, file in enumerate(said) if file is not None]
        found = [file for file in said if file is not None]
        codes, times = np.full(len(said), OTHER, dtype=np.int8), np.full(len(said), NO_TIME, dtype=np.int64)
        codes[rows] = [KINDS.index(file.kind) for file in found]
        times[rows] = [known_time(file.time_ns) for file in found]
        place = None
        if len(rows) < len(said):  # other files have nulls
            place = np.full(len(said), -1, dtype=np.int64)
            place[rows] = np.arange(len(rows))
            place = pa.array(place, mask=place < 0)

        def column(values: list[Any], name: str, place: pa.Array | None = place) -> pa.Array:
            array = pa.array(values, _SCHEMA.field(name).type)
            return array if place is None else array.take(place)

        columns = {
            "path": part.paths(),
            "folder": pa.DictionaryArray.from_arrays(
                pa.array(np.zeros(len(said), dtype=np.int32)), pa.array([folder.path], pa.large_string())
            ),
            "bytes": part.sizes,
            "kind": codes,
            "node": column([file.node or UNKNOWN for file in found], "node"),
            "time_ns": times,
            "position": column([file.position for file in found], "position"),
            "width": column([file.width for file in found], "width"),
            "height": column([file.height for file in found], "height"),
        }
        yield pa.table(columns, schema=_SCHEMA)


def known_time(time_ns: int | None) -> int:
    """What a table holds of a time that a name says or does not."""
    return NO_TIME if time_ns is None or time_ns > LATEST_TIME else time_ns
