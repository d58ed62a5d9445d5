"""Folders → camera files: what each file's name and folder say, one row a file."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pandas as pd
import pyarrow as pa

from sage_lightning.data.listing import Folder
from sage_lightning.sage.names import node_of, parse_name

UNKNOWN = "unknown"  # the node of a file whose path does not say it
# Not a null: pandas takes nullable integers through float64, which holds nanoseconds only to some hundred.
NO_TIME = -1
LATEST_TIME = 2**63 - 1  # nanoseconds, in the year 2262; a name that says more does not say a time

_SCHEMA = pa.schema(
    {
        "path": pa.large_string(),
        "folder": pa.dictionary(pa.int32(), pa.large_string()),
        "bytes": pa.int64(),
        "kind": pa.large_string(),
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
    parts = [part for folder in folders for part in _of_folder(folder)]
    table = pa.concat_tables([_SCHEMA.empty_table(), *parts]).unify_dictionaries()
    del parts
    nullable = {pa.int32(): pd.Int32Dtype()}
    files = table.to_pandas(types_mapper=nullable.get).astype(_TYPES)
    return files if files["path"].is_monotonic_increasing else files.sort_values("path", ignore_index=True)


def content_of(files: pd.DataFrame) -> str:
    """A hash of every file's path and length: where it differs, files must be decoded again."""
    paths = pa.concat_arrays([pa.array([], pa.large_string()), *_chunks(files["path"])])
    _, ends, letters = paths.buffers()
    digest = hashlib.sha256(files["bytes"].to_numpy(dtype="<i8").tobytes())
    for part in (ends, letters):
        digest.update(part or b"")
    return digest.hexdigest()


def _chunks(texts: pd.Series) -> list[pa.LargeStringArray]:
    array = pa.array(texts, pa.large_string())
    return array.chunks if isinstance(array, pa.ChunkedArray) else [array]


def _of_folder(folder: Folder) -> Iterator[pa.Table]:
    node = node_of(folder.path.rpartition("/")[2])
    for start in range(0, len(folder.names), _NAMES_AT_A_TIME):
        part = replace(folder, names=folder.names.slice(start, _NAMES_AT_A_TIME))
        said = [parse_name(name, node) for name in part.names.to_pylist()]
        rows = [row for row, file in enumerate(said) if file is not None]
        if not rows:
            continue
        found = [file for file in said if file is not None]
        columns = {
            "path": part.paths().take(pa.array(rows)),
            "folder": pa.array([folder.path]).dictionary_encode().take(pa.array([0] * len(rows))),
            "bytes": folder.sizes[start:][rows],
            "kind": [file.kind for file in found],
            "node": [file.node or UNKNOWN for file in found],
            "time_ns": [_known(file.time_ns) for file in found],
            "position": [file.position for file in found],
            "width": [file.width for file in found],
            "height": [file.height for file in found],
        }
        yield pa.table(columns, schema=_SCHEMA)


def _known(time_ns: int | None) -> int:
    return NO_TIME if time_ns is None or time_ns > LATEST_TIME else time_ns
