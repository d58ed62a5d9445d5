"""Strata of an index: every combination of some columns' values is one."""

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sage_lightning.data.index import is_whole, own_names
from sage_lightning.errors import UserError


def check_strata(columns: Sequence[str], index: pd.DataFrame) -> None:
    """Refuses columns that make no strata.

    Raises:
        UserError: none is named, one is not there, all are empty, or one holds continuous numbers.
    """
    shown = f"data.balance=[{','.join(columns)}]"
    if not columns:
        raise UserError(
            f"{shown}: must hold at least one column; leave it out to draw every pair once an epoch"
        )
    check_strata_names(columns, index.columns)
    if index[list(columns)].isna().all(axis=None):
        raise UserError(f"{shown}: no pair has a value of {' or '.join(columns)}, so all are one stratum")
    numbers = [column for column in columns if pd.api.types.is_float_dtype(index[column])]
    continuous = [column for column in numbers if not is_whole(index[column])]
    if continuous:
        raise UserError(f"{shown}: {', '.join(continuous)} is a continuous number, which makes no strata")


def check_strata_names(columns: Sequence[str], have: Collection[str]) -> None:
    """Refuses names that are none of an index's columns.

    Raises:
        UserError: with those that are.
    """
    if unknown := [column for column in columns if column not in have]:
        legal = ", ".join(sorted(have))
        line = f"data.balance=[{','.join(columns)}]: no column {', '.join(unknown)}; the index has {legal}"
        raise UserError(line + own_names(unknown, have))


def strata_of(index: pd.DataFrame, columns: Sequence[str]) -> tuple[NDArray[np.int64], list[int]]:
    """The stratum of each row, numbered from 0, and how many rows each has. Unknown values are a stratum.

    Args:
        index: of the training split.
        columns: whose combinations are the strata.

    Raises:
        UserError: see `check_strata`.
    """
    check_strata(columns, index)
    groups = index.groupby(list(columns), dropna=False, sort=True).ngroup()
    numbers = groups.to_numpy(dtype=np.int64, copy=True)
    return numbers, np.bincount(numbers).tolist()
