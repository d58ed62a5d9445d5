"""Sampling by strata: every combination of some columns' values is drawn equally often, however rare."""

import torch
from torch import Tensor

from sage_lightning.data.counted import permutation


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
