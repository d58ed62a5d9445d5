"""Loaders for Lightning. They wrap a DataLoader and are none: under DDP Lightning would rebuild one."""

import hashlib
from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader

from sage_lightning.batch import PairBatch
from sage_lightning.data.dataset import StoreDataset
from sage_lightning.data.sampler import CountedBatchSampler
from sage_lightning.errors import UserError

Keys = list[tuple[int, int]]

_DIGEST = "sample_ids"  # sha256 of the training pairs' ids, in their order


class BatchLoader:
    """Batches as the store gives them.

    Args:
        dataset: what is read.
        batches: the (epoch, row) of each batch; its length is the loader's.
        num_workers: processes that read; 0 reads in the process that asks.
    """

    def __init__(
        self, dataset: StoreDataset, batches: CountedBatchSampler | list[Keys], num_workers: int
    ) -> None:
        self.batches = batches
        self.loader: DataLoader[PairBatch] = DataLoader(
            dataset,
            batch_sampler=batches,
            collate_fn=_as_is,  # type: ignore[arg-type]  # `__getitems__` gives no list
            num_workers=num_workers,
            # The dataset reads into pinned memory by itself; what workers send is in shared memory.
            pin_memory=num_workers > 0 and torch.cuda.is_available(),
            persistent_workers=num_workers > 0,
        )

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[PairBatch]:
        return iter(self.loader)

    # By this attribute Lightning ends the workers when a fit ends. Left to the garbage collector, which may
    # close their queues first, each worker would be waited for in vain for five seconds.
    @property
    def _iterator(self) -> Any:
        return self.loader._iterator

    @_iterator.setter
    def _iterator(self, value: None) -> None:
        self.loader._iterator = value


class CountedLoader(BatchLoader):
    """Training batches, resumable in mid-epoch.

    Args:
        dataset: what is read.
        sampler: this rank's batches.
        num_workers: processes that read.
    """

    def __init__(self, dataset: StoreDataset, sampler: CountedBatchSampler, num_workers: int) -> None:
        super().__init__(dataset, sampler, num_workers)
        self.sampler = sampler
        self._digest = hashlib.sha256(dataset.sample_ids.tobytes()).hexdigest()

    def state_dict(self) -> dict[str, Any]:
        """What fixes the sequence; the position in it is the trainer's number of optimiser steps."""
        return {
            "seed": self.sampler.seed,
            "data.batch_size": self.sampler.batch_size,
            "pairs": self.sampler.n,
            _DIGEST: self._digest,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Checks that the sequence goes on as it began.

        Raises:
            UserError: what fixes it differs.
        """
        now = self.state_dict()
        changed = [key for key, was in state_dict.items() if was != now[key]]
        if changed == [_DIGEST]:  # which runs of before there was one do not have
            raise UserError(
                "the training split holds other pairs than when the run that is resumed was begun: "
                "data.nodes places cameras otherwise, or a table's splits have changed"
            )
        if changed:
            raise UserError(
                *(
                    f"{key}={now[key]}, but the run that is resumed had {state_dict[key]}"
                    for key in changed
                    if key != _DIGEST
                )
            )


def _as_is(batch: PairBatch) -> PairBatch:
    """The collate function of a dataset that reads whole batches."""
    return batch
