"""The data of a run: source → store → DataModule."""

import logging
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from sage_lightning.build.objects import instantiate
from sage_lightning.data.augment import FullView
from sage_lightning.data.datamodule import PairDataModule
from sage_lightning.data.index import summary
from sage_lightning.data.prepare import prepare
from sage_lightning.data.transform import PairTransform, channel_statistics
from sage_lightning.errors import UserError

log = logging.getLogger("sage_lightning")


def datamodule(cfg: DictConfig) -> PairDataModule:
    """The data of a run, ready: written or found, indexed, decoded into the store.

    Raises:
        UserError: if there is nothing to train on, or the global batch is larger than the training split.
    """
    data = cfg.data
    store = prepare(
        instantiate(data.source),
        cache_dir=Path(cfg.paths.data_dir),
        rgb_store_size=pair(data.rgb_store_size),
        val=data.split.val,
        test=data.split.test,
        split_seed=data.split.seed,
        workers=data.prepare_workers,
    )
    log.info("%s", summary(store.index))
    pairs = len(store.rows("train"))
    if pairs < data.batch_size:
        raise UserError(f"data.batch_size={data.batch_size}: the training split has {pairs} pairs, no more")
    thermal = instantiate(cfg.thermal)
    ir_mean, ir_std = channel_statistics(thermal, store)
    sizes = {"rgb_size": pair(data.rgb_size), "ir_size": pair(data.ir_size)}
    return PairDataModule(
        store,
        PairTransform(
            thermal,
            rgb_mean=store.statistics["rgb"]["mean"],
            rgb_std=store.statistics["rgb"]["std"],
            ir_mean=ir_mean,
            ir_std=ir_std,
        ),
        train_view=instantiate(cfg.augment.view)(**sizes),
        eval_view=FullView(**sizes),
        photometric=instantiate(cfg.augment.photometric),
        batch_size=data.batch_size,
        seed=cfg.seed,
        num_workers=data.num_workers,
    )


def pair(size: Any) -> tuple[int, int]:
    """(rows, columns) of a size that may be one number, a square's."""
    return (size, size) if isinstance(size, int) else (size[0], size[1])
