"""Sampling by strata: every combination of some columns' values is drawn equally often, however rare."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from sage_lightning.data.counted import permutation
from sage_lightning.errors import UserError


def strata_of(index: pd.DataFrame, columns: Sequence[str]) -> tuple[NDArray[np.int64], list[int]]:
    """The stratum of each row, numbered from 0, and how many rows each has. Unknown values are a stratum.

    Args:
        index: of the training split.
        columns: whose combinations are the strata.

    Raises:
        UserError: a column that is not there, or one of continuous numbers.
    """
    shown = f"data.balance=[{','.join(columns)}]"
    unknown = [column for column in columns if column not in index.columns]
    if unknown:
        legal = ", ".join(sorted(index.columns))
        raise UserError(f"{shown}: no column {', '.join(unknown)}; the index has {legal}")
    continuous = [column for column in columns if pd.api.types.is_float_dtype(index[column])]
    if continuous:
        raise UserError(f"{shown}: {', '.join(continuous)} is a continuous number, which makes no strata")
    groups = index.groupby(list(columns), dropna=False, sort=True).ngroup()
    numbers = groups.to_numpy(dtype=np.int64, copy=True)
    return numbers, np.bincount(numbers).tolist()


def balanced_order(seed: int, epoch: int, strata: Tensor) -> Tensor:
    """(n,) int64: the rows of an epoch, as many as there are, the strata by turns.

    Within a stratum rows come in permuted rounds: none comes again before all of it have come.

    Args:
        seed: of the run.
        epoch: another one, another order.
        strata: (n,) int64, the stratum of each row, numbered from 0 without gaps.
    """
    n, count = len(strata), int(strata.max()) + 1
    draws = -(-n // count)  # of each stratum, rounded up
    order = torch.empty(draws, count, dtype=torch.int64)
    for stratum in range(count):
        rows = (strata == stratum).nonzero()[:, 0]
        rounds = range(-(-draws // len(rows)))
        turns = [rows[permutation(seed, epoch, len(rows), 1 + stratum + number * count)] for number in rounds]
        order[:, stratum] = torch.cat(turns)[:draws]
    return order.flatten()[:n]
