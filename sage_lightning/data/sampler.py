"""Which pairs make up optimiser step s: a function of (seed, s) alone, so ranks and resumed runs agree.

Step s takes one global batch of its epoch's permutation; ranks and accumulation steps share it out.
"""

from collections.abc import Callable, Iterator

from torch import Tensor
from torch.utils.data import Sampler

from sage_lightning.data.balance import balanced_order
from sage_lightning.data.counted import permutation


class CountedBatchSampler(Sampler[list[tuple[int, int]]]):
    """This rank's share of every batch, as lists of (epoch, row), from the current step on.

    One pass is as long as an epoch. Begun within an epoch it goes on into the next one: Lightning counts for
    itself where its epoch ends, and never meets the end of an iterator where it expects a batch.
    The n % batch_size rows at the end of an epoch's permutation are left out: other ones in each epoch. Of
    strata nothing is left out, see `balanced_order`.

    Args:
        n: rows to draw from.
        batch_size: the global batch, over all ranks and accumulation steps.
        seed: fixes the order.
        rank: of this process.
        world: processes.
        accumulate: batches that a rank takes before an optimiser step.
        step: the optimiser steps that the run has done; asked each time a pass begins.
        strata: (n,), the stratum of each row, to be drawn equally often; None draws every row once an epoch.

    Raises:
        ValueError: batch_size does not divide over world * accumulate, or n is less than one batch.
    """

    def __init__(
        self,
        n: int,
        batch_size: int,
        seed: int,
        rank: int,
        world: int,
        accumulate: int,
        step: Callable[[], int],
        strata: Tensor | None = None,
    ) -> None:
        if batch_size % (world * accumulate):
            raise ValueError(
                f"batch_size={batch_size} is no multiple of {world} ranks x {accumulate} accumulation steps"
            )
        if n < batch_size:
            raise ValueError(f"{n} rows are less than one batch of {batch_size}")
        self.n = n
        self.batch_size = batch_size
        self.seed = seed
        self.rank = rank
        self.world = world
        self.accumulate = accumulate
        self.step = step
        self.strata = strata
        self.steps_per_epoch = n // batch_size

    def __len__(self) -> int:
        return self.steps_per_epoch * self.accumulate

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        first = self.step()
        micro = self.batch_size // (self.world * self.accumulate)
        epoch = -1
        for step in range(first, first + self.steps_per_epoch):
            if step // self.steps_per_epoch != epoch:
                epoch = step // self.steps_per_epoch
                order = self._order(epoch).tolist()
            begin = step % self.steps_per_epoch * self.batch_size
            for turn in range(self.accumulate):
                start = begin + (turn * self.world + self.rank) * micro
                yield [(epoch, row) for row in order[start : start + micro]]

    def _order(self, epoch: int) -> Tensor:
        if self.strata is None:
            return permutation(self.seed, epoch, self.n)
        return balanced_order(self.seed, epoch, self.strata, self.steps_per_epoch * self.batch_size)
