"""Pairs of a split, read from the store a batch at a time.

How often a raw pixel or thermal value is copied on its way from the system's cache of the file to the step:

| loader | copies in memory |
|---|---|
| `data.num_workers=0`, CPU | 1: the kernel fills the batch |
| `data.num_workers=0`, CUDA | 1, into pinned memory, from which the device takes it |
| workers, CPU | 1, into shared memory, of which the training process gets the handle |
| workers, CUDA | 2: into shared memory, and, in the loader's own thread, from there into pinned memory |
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, get_worker_info

from sage_lightning.batch import PairBatch
from sage_lightning.data.store import PairStore

_TORCH: Mapping[type[np.generic], torch.dtype] = {
    np.uint8: torch.uint8,
    np.uint16: torch.uint16,
    np.float32: torch.float32,
}


class StoreDataset(Dataset[PairBatch]):
    """Rows of a store.

    Args:
        store: what is read.
        rows: (n,) the store rows that row 0…n−1 of this dataset stand for.
        sample_ids: (n,) int64, see `sage_lightning.data.counted.sample_id`.
    """

    def __init__(self, store: PairStore, rows: NDArray[np.int64], sample_ids: NDArray[np.int64]) -> None:
        self.store = store
        self.rows = rows
        self.sample_ids = sample_ids

    def __len__(self) -> int:
        return len(self.rows)

    def __getitems__(self, keys: Sequence[tuple[int, int]]) -> PairBatch:
        """The pairs of these (epoch, row), in this order, as the store keeps them."""
        epoch, row = np.asarray(keys, dtype=np.int64).T.copy()
        rgb = _room((len(row), *self.store.rgb_size, 3), np.uint8)
        ir = _room((len(row), *self.store.ir_size), self.store.ir_dtype)
        self.store.read_into(rgb.numpy(), ir.numpy(), self.rows[row])
        return PairBatch(
            rgb=rgb.permute(0, 3, 1, 2),
            ir=ir,
            sample_id=torch.from_numpy(self.sample_ids[row]),
            epoch=torch.from_numpy(epoch),
            row=torch.from_numpy(row),
        )


def _room(shape: tuple[int, ...], dtype: type[np.generic]) -> Tensor:
    """An empty tensor where whoever takes the batch next needs no copy of it; see the table above."""
    if get_worker_info() is not None:
        # What a worker sends is brought into shared memory; torch's own collate function begins there, too.
        storage = torch.UntypedStorage._new_shared(np.dtype(dtype).itemsize * math.prod(shape))
        return torch.empty(0, dtype=_TORCH[dtype]).set_(storage).view(shape)
    if torch.cuda.is_available():
        return torch.empty(shape, dtype=_TORCH[dtype], pin_memory=True)
    return torch.from_numpy(np.empty(shape, dtype))  # in large pages, which torch does not ask for
