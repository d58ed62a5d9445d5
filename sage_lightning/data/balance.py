"""Sampling by strata: every combination of some columns' values is drawn equally often, however rare."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from sage_lightning.data.counted import permutation
from sage_lightning.errors import UserError


def check_strata(columns: Sequence[str], index: pd.DataFrame) -> None:
    """Refuses columns that make no strata.

    Raises:
        UserError: none is named, one is not there, or one holds continuous numbers.
    """
    shown = f"data.balance=[{','.join(columns)}]"
    if not columns:
        raise UserError(
            f"{shown}: must hold at least one column; leave it out to draw every pair once an epoch"
        )
    unknown = [column for column in columns if column not in index.columns]
    if unknown:
        legal = ", ".join(sorted(index.columns))
        raise UserError(f"{shown}: no column {', '.join(unknown)}; the index has {legal}")
    continuous = [column for column in columns if pd.api.types.is_float_dtype(index[column])]
    if continuous:
        raise UserError(f"{shown}: {', '.join(continuous)} is a continuous number, which makes no strata")


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


def balanced_order(seed: int, epoch: int, strata: Tensor, draws: int) -> Tensor:
    """(draws,) int64: the rows of an epoch, the strata by turns.

    The whole run is one sequence of rounds, and an epoch a piece of it. A round draws every stratum once, in
    an order of its own: at any moment all have been drawn equally often, within one. No row of a stratum
    comes again before all of it have come.

    Args:
        seed: of the run.
        epoch: from 0.
        strata: (n,) int64, the stratum of each row, numbered from 0 without gaps.
        draws: of every epoch.
    """
    sizes = strata.bincount().tolist()
    count, begin = len(sizes), epoch * draws
    first, last = begin // count, -(-(begin + draws) // count)  # rounds
    drawn = torch.empty(last - first, count, dtype=torch.int64)
    for stratum, rows in enumerate(strata.argsort(stable=True).split(sizes)):
        turns = torch.arange(first // len(rows), (last - 1) // len(rows) + 1)
        order = rows[permutation(seed, turns, len(rows), 1 + stratum)].flatten()
        drawn[:, stratum] = order[first % len(rows) :][: last - first]
    order = permutation(seed, torch.arange(first, last), count, 1 + count)
    return drawn.gather(1, order).flatten()[begin - first * count :][:draws]
