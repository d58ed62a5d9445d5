"""The content hash of an index: of all that the table says, wherever its folder lies and in whatever order.

Not the hash by which a store is found and a checkpoint knows its pairs (`index.index_hash`: paths, status,
reason and labels): another node table gives this table other days and views, and those pairs the same pixels.
"""

import hashlib

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from sage_lightning.data.index import COLUMNS, label_columns

_ORDER = ("pair_id", "rgb_path", "ir_path")  # a row is known by them
_LEFT_OUT = ("store_row",)  # where a store keeps a pair is no part of what the index says
# Machines differ in the last digits of hours and heights of the sun.
_DIGITS = {"local_hour": 2, "sun_elevation": 2}


def table_hash(index: pd.DataFrame) -> str:
    """sha256 over the names and values of all columns; a column that is not there is as one of nulls.

    Args:
        index: of a collection; its columns may be in any order, labels come after those of every index.
    """
    names = [name for name in COLUMNS if name not in _LEFT_OUT] + sorted(label_columns(index))
    nothing = pa.nulls(len(index), pa.large_string())
    texts = {name: _texts(index[name], _DIGITS.get(name)) if name in index else nothing for name in names}
    keys = pa.table({name: texts[name] for name in _ORDER})
    order = pc.sort_indices(keys, [(name, "ascending") for name in _ORDER])
    digest = hashlib.sha256()
    for name in names:
        column = texts[name].take(order)
        digest.update(f"{name}\0{len(column)}\0".encode())
        lengths = pc.fill_null(pc.cast(pc.binary_length(column), pa.int64()), -1)  # a null is no empty text
        digest.update(np.ascontiguousarray(lengths.to_numpy(zero_copy_only=False), "<i8").data)
        digest.update(_letters(column))
    return digest.hexdigest()


def _texts(column: pd.Series, digits: int | None) -> pa.LargeStringArray:
    """Each value as a text, null where there is none."""
    if digits is not None:
        column = (column.astype("float64") * 10**digits).round().astype("Int64")
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        column = column.dt.as_unit("ns").astype("int64").where(column.notna(), pd.NA).astype("Int64")
    if pd.api.types.is_string_dtype(column) or pd.api.types.is_integer_dtype(column):
        texts = pa.array(column, from_pandas=True).cast(pa.large_string())
    else:  # labels of all kinds, as Python writes them
        said = [None if pd.api.types.is_scalar(value) and pd.isna(value) else str(value) for value in column]
        texts = pa.array(said, pa.large_string())
    return texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts


def _letters(column: pa.LargeStringArray) -> bytes:
    """All texts, one after the other."""
    whole = pc.fill_null(column, "")
    ends, letters = whole.buffers()[1:]
    if letters is None or not len(whole):
        return b""
    first, last = np.frombuffer(ends, "<i8")[[whole.offset, whole.offset + len(whole)]]
    return letters.to_pybytes()[first:last]
