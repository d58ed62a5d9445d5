"""The data of a run for Lightning: loaders over the store, and views made in batch on the device."""

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from pytorch_lightning import LightningDataModule, Trainer

from sage_lightning.batch import MultiCropBatch, PairBatch
from sage_lightning.data.augment import FullView, View
from sage_lightning.data.counted import sample_id
from sage_lightning.data.dataset import StoreDataset
from sage_lightning.data.dropout import ModalityDropout
from sage_lightning.data.loader import BatchLoader, CountedLoader
from sage_lightning.data.multicrop import MultiCrop
from sage_lightning.data.photometric import Photometric
from sage_lightning.data.sampler import CountedBatchSampler
from sage_lightning.data.store import PairStore
from sage_lightning.data.style import Style
from sage_lightning.data.transform import PairTransform
from sage_lightning.errors import UserError


class PairDataModule(LightningDataModule):
    """Pairs from a store, as a method takes them.

    Args:
        store: the decoded pairs.
        transform: from stored pairs to model inputs.
        train_view: what training sees of a pair.
        eval_view: what validation and evaluation see.
        photometric: changes of brightness and temperature in training; None for none.
        batch_size: the global batch, over all ranks and accumulation steps.
        seed: fixes order, crops and photometric changes.
        num_workers: processes that read, for each rank; 0 reads in the training process.
        strata: the stratum of each training pair, drawn equally often; None draws every pair once an epoch.
        style: changes of the common look in training; None for none.
        dropout: blanks one sensor of some views in training; None for none.
    """

    def __init__(
        self,
        store: PairStore,
        transform: PairTransform,
        train_view: View | MultiCrop,
        eval_view: FullView,
        photometric: Photometric | None,
        batch_size: int,
        seed: int,
        num_workers: int,
        strata: NDArray[np.int64] | None = None,
        style: Style | None = None,
        dropout: ModalityDropout | None = None,
    ) -> None:
        super().__init__()
        self.store = store
        self.transform = transform
        self.train_view = train_view
        self.eval_view = eval_view
        self.photometric = photometric
        self.style = style
        self.dropout = dropout
        self.batch_size = batch_size
        self.seed = seed
        self.num_workers = num_workers
        self.strata = None if strata is None else torch.from_numpy(strata)

    def split_index(self, split: str) -> pd.DataFrame:
        """The index of a split's usable pairs; `PairBatch.row` counts in it."""
        return self.store.split_index(split)

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps an epoch, for any number of ranks."""
        return self._train_pairs // self.batch_size

    @property
    def dropped_per_epoch(self) -> int:
        """Training pairs left out of each epoch, other ones every time: the remainder modulo the batch.

        0 with strata, whose turns go on from epoch to epoch.
        """
        return self._train_pairs % self.batch_size if self.strata is None else 0

    @property
    def _train_pairs(self) -> int:
        return len(self.store.rows("train"))

    def train_dataloader(self) -> CountedLoader:
        """This rank's share of every global batch, from the trainer's current step on.

        Raises:
            UserError: the train split is smaller than one batch.
        """
        trainer = self._of_trainer()
        dataset = self._dataset("train")
        if len(dataset) < self.batch_size:
            raise UserError(
                f"data.batch_size={self.batch_size} is more than the {len(dataset)} pairs of the train split"
            )
        sampler = CountedBatchSampler(
            len(dataset),
            self.batch_size,
            self.seed,
            rank=trainer.global_rank,
            world=trainer.world_size,
            accumulate=trainer.accumulate_grad_batches,
            step=lambda: trainer.global_step,
            strata=self.strata,
        )
        return CountedLoader(dataset, sampler, self.num_workers)

    def val_dataloader(self) -> BatchLoader:
        """This rank's contiguous share of the val split.

        Raises:
            UserError: there are fewer pairs than ranks.
        """
        trainer = self._of_trainer()
        dataset = self._dataset("val")
        if len(dataset) < trainer.world_size:
            raise UserError(
                f"data.split.val: {len(dataset)} pairs for {trainer.world_size} ranks; hold out more days"
            )
        bounds = np.linspace(0, len(dataset), trainer.world_size + 1).round().astype(np.int64).tolist()
        share = range(bounds[trainer.global_rank], bounds[trainer.global_rank + 1])
        batch_size = max(1, self.batch_size // trainer.world_size)
        return BatchLoader(dataset, _in_order(share, batch_size), self.num_workers)

    def split_loader(self, split: str, batch_size: int) -> BatchLoader:
        """A whole split as stored, for use without a trainer; `evaluation_views` makes model inputs of it."""
        dataset = self._dataset(split)
        return BatchLoader(dataset, _in_order(range(len(dataset)), batch_size), self.num_workers)

    def evaluation_views(self, batch: PairBatch) -> PairBatch:
        """Model inputs of a stored batch, on its device: the whole field of view, nothing drawn."""
        return self.transform(batch, self.eval_view, None, self.seed)

    def training_views(self, batch: PairBatch) -> PairBatch | MultiCropBatch:
        """Model inputs of a stored batch, on its device: what training sees in the batch's epochs."""
        changes = (self.photometric, self.seed, self.style, self.dropout)
        if isinstance(self.train_view, MultiCrop):
            return self.transform.multi_crop(batch, self.train_view, *changes)
        return self.transform(batch, self.train_view, *changes)

    def on_after_batch_transfer(self, batch: PairBatch, dataloader_idx: int) -> PairBatch | MultiCropBatch:
        """Called by Lightning once a batch is on the device."""
        trainer = self._of_trainer()
        seen = self.training_views(batch) if trainer.training else self.evaluation_views(batch)
        # Lightning does this before the transfer, when there are only stored integers to be converted.
        return trainer.precision_plugin.convert_input(seen)

    def _of_trainer(self) -> Trainer:
        assert self.trainer is not None, "called by a trainer"
        return self.trainer

    def _dataset(self, split: str) -> StoreDataset:
        index = self.store.split_index(split)
        ids: NDArray[np.int64] = np.array([sample_id(pair) for pair in index["pair_id"]], dtype=np.int64)
        return StoreDataset(self.store, self.store.rows(split), ids)


def _in_order(rows: range, batch_size: int) -> list[list[tuple[int, int]]]:
    """Batches of (epoch, row), the last as small as it is; nothing is drawn, so any epoch will do."""
    starts = range(0, len(rows), batch_size)
    return [[(0, row) for row in rows[start : start + batch_size]] for start in starts]
