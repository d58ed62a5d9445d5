"""Which pairs make up optimiser step s: a function of (seed, s) alone, so ranks and resumed runs agree.

Step s takes one global batch of its epoch's permutation; ranks and accumulation steps share it out.
"""

from collections.abc import Callable, Iterator
from typing import Any

from torch.utils.data import DataLoader, Sampler

from sage_lightning.batch import PairBatch
from sage_lightning.data.counted import permutation
from sage_lightning.data.dataset import StoreDataset
from sage_lightning.errors import UserError


class CountedBatchSampler(Sampler[list[tuple[int, int]]]):
    """This rank's share of every batch, as lists of (epoch, row), from the current step on.

    One pass is as long as an epoch. Begun within an epoch it goes on into the next one: Lightning counts for
    itself where its epoch ends, and never meets the end of an iterator where it expects a batch.
    The n % batch_size rows at the end of an epoch's permutation are left out: other ones in each epoch.

    Args:
        n: rows to draw from.
        batch_size: the global batch, over all ranks and accumulation steps.
        seed: fixes the order.
        rank: of this process.
        world: processes.
        accumulate: batches that a rank takes before an optimiser step.
        step: the optimiser steps that the run has done; asked each time a pass begins.

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
                order = permutation(self.seed, epoch, self.n).tolist()
            begin = step % self.steps_per_epoch * self.batch_size
            for turn in range(self.accumulate):
                start = begin + (turn * self.world + self.rank) * micro
                yield [(epoch, row) for row in order[start : start + micro]]


class CountedLoader:
    """Training batches for Lightning, resumable in mid-epoch.

    It wraps a DataLoader and is none: under DDP Lightning rebuilds those with a sampler of its own.

    Args:
        dataset: what the rows point into.
        sampler: this rank's batches.
        num_workers: processes that read; they stay alive between epochs.
        pin_memory: whether batches lie in page-locked memory.
    """

    def __init__(
        self, dataset: StoreDataset, sampler: CountedBatchSampler, num_workers: int, pin_memory: bool
    ) -> None:
        self.sampler = sampler
        self.loader: DataLoader[PairBatch] = DataLoader(
            dataset,
            batch_sampler=sampler,
            collate_fn=as_is,  # type: ignore[arg-type]  # `__getitems__` gives no list
            num_workers=num_workers,
            pin_memory=pin_memory,
            persistent_workers=num_workers > 0,
        )

    def __len__(self) -> int:
        return len(self.sampler)

    def __iter__(self) -> Iterator[PairBatch]:
        return iter(self.loader)

    def state_dict(self) -> dict[str, Any]:
        """What fixes the sequence; the position in it is the trainer's number of optimiser steps."""
        return {
            "seed": self.sampler.seed,
            "data.batch_size": self.sampler.batch_size,
            "pairs": self.sampler.n,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Checks that the sequence goes on as it began.

        Raises:
            UserError: a number that fixes it differs.
        """
        now = self.state_dict()
        changed = [
            f"{key}={now[key]}, but the run that is resumed had {was}"
            for key, was in state_dict.items()
            if was != now[key]
        ]
        if changed:
            raise UserError(*changed)


def as_is(batch: PairBatch) -> PairBatch:
    """The collate function of datasets that read whole batches."""
    return batch
