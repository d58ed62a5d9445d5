"""Rows put into a long sorted table, and taken out of it, without sorting it again."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

_MOST_RUNS = (
    10_000  # of neighbouring rows, which are not copied; what is cut into more is gathered row by row
)


def merged(old: pa.Table, stay: npt.NDArray[np.bool_], new: pa.Table, key: str) -> pa.Table:
    """The rows of two tables, sorted.

    Args:
        old: n rows, sorted by `key`, a text, first of all.
        stay: (n,) which of them stay; none that does has the key of a new row.
        new: sorted likewise, with the same columns.
        key: the column.
    """
    at = np.searchsorted(old[key].to_numpy(), new[key].to_numpy())
    both = pa.concat_tables([old, new.cast(old.schema)])
    rows = np.insert(np.arange(len(old)), at, np.arange(len(old), len(both)))
    rows = rows[np.append(stay, np.ones(len(new), dtype=np.bool_))[rows]]
    begins = np.flatnonzero(np.diff(rows, prepend=-2) != 1)
    if len(begins) > _MOST_RUNS:
        return both.take(pa.array(rows))
    lengths = np.diff(begins, append=len(rows))
    runs = zip(rows[begins].tolist(), lengths.tolist(), strict=True)
    return pa.concat_tables([both[:0], *(both.slice(first, length) for first, length in runs)])
