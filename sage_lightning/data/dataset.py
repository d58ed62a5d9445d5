"""Pairs of a split, read from the store a batch at a time."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from sage_lightning.batch import PairBatch
from sage_lightning.data.store import PairStore


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
        rgb, ir = self.store.read(self.rows[row])
        return PairBatch(
            rgb=torch.from_numpy(rgb).permute(0, 3, 1, 2),
            ir=torch.from_numpy(ir),
            sample_id=torch.from_numpy(self.sample_ids[row]),
            epoch=torch.from_numpy(epoch),
            row=torch.from_numpy(row),
        )
