"""The data of a run: source → store → DataModule."""

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from omegaconf import DictConfig

from sage_lightning.build.objects import instantiate
from sage_lightning.build.preparing import prepared
from sage_lightning.data.augment import FullView, View
from sage_lightning.data.datamodule import PairDataModule
from sage_lightning.data.dropout import ModalityDropout
from sage_lightning.data.index import summary
from sage_lightning.data.multicrop import MultiCrop
from sage_lightning.data.split import SPLITS
from sage_lightning.data.store import PairStore
from sage_lightning.data.strata import strata_of
from sage_lightning.data.transform import PairTransform, channel_statistics
from sage_lightning.errors import UserError
from sage_lightning.models.architecture import is_vit
from sage_lightning.planning.synthetic import SyntheticStore

log = logging.getLogger("sage_lightning")


def datamodule(
    cfg: DictConfig,
    normalisation: Mapping[str, list[float]] | None = None,
    begun_with: str | None = None,
) -> PairDataModule:
    """The data of a run, ready: written or found, indexed, decoded into the store.

    Args:
        cfg: of the run.
        normalisation: as a checkpoint keeps it; of a new run it is computed from the training split.
        begun_with: the hash of the index that the run that is resumed was begun with.

    Raises:
        UserError: if a split has no pair, the global batch is larger than the training split, or the data
            are not those that the run was begun with.
    """
    data = cfg.data
    store = prepared(cfg, begun_with=begun_with)
    log.info("%s", summary(store.index))
    pairs = len(store.rows("train"))
    empty = [name for name in SPLITS if not len(store.rows(name))]
    if empty and store.select is not None:  # `prepare` fills the splits, so it is the selection that has none
        raise UserError(f"data.select={store.select}: leaves no pair in {' and '.join(empty)}")
    if pairs < data.batch_size:
        raise UserError(f"data.batch_size={data.batch_size}: the training split has {pairs} pairs, no more")
    thermal = instantiate(cfg.thermal)
    probability = cfg.augment.get("dropout", 0.0)  # of which runs of before it knew nothing
    if normalisation is None:
        ir_mean, ir_std = channel_statistics(thermal, store)
        rgb = store.statistics["rgb"]
        normalisation = {"rgb_mean": rgb["mean"], "rgb_std": rgb["std"], "ir_mean": ir_mean, "ir_std": ir_std}
    sizes = {"rgb_size": pair(data.rgb_size), "ir_size": pair(data.ir_size)}
    return PairDataModule(
        store,
        PairTransform(thermal, **normalisation, look=look(cfg)),
        train_view=train_view(cfg, sizes),
        eval_view=FullView(**sizes),
        photometric=instantiate(cfg.augment.photometric),
        batch_size=data.batch_size,
        seed=cfg.seed,
        num_workers=data.num_workers,
        strata=_strata(data.get("balance"), store),
        style=instantiate(cfg.augment.get("style")),  # which runs of before it have not
        dropout=ModalityDropout(probability) if probability else None,
    )


def synthetic_data(cfg: DictConfig, pairs: int, batch_size: int) -> PairDataModule:
    """The DataModule of a run, over so many pairs of noise; all are for training."""
    data = cfg.data
    rgb, ir = pair(data.rgb_size), pair(data.ir_size)
    stored = pair(data.ir_store_size) if "ir_store_size" in data else ir
    store = SyntheticStore(pairs, pair(data.rgb_store_size), stored, data.thermal_unit)
    thermal = instantiate(cfg.thermal)
    even = [0.0] * thermal.channels, [1.0] * thermal.channels
    statistics = store.statistics["rgb"]
    return PairDataModule(
        store,
        PairTransform(thermal, statistics["mean"], statistics["std"], *even, look=look(cfg)),
        train_view=train_view(cfg, {"rgb_size": rgb, "ir_size": ir}),
        eval_view=FullView(rgb, ir),
        photometric=instantiate(cfg.augment.photometric),
        batch_size=batch_size,
        seed=cfg.seed,
        num_workers=0,
        style=instantiate(cfg.augment.get("style")),
    )


def look(cfg: DictConfig) -> str:
    """How a run shows the sensors to its model; of runs of before there was a choice, each its own way."""
    return str(cfg.data.get("look", "own"))


def _strata(columns: Any, store: PairStore) -> NDArray[np.int64] | None:
    if columns is None:
        return None
    strata, sizes = strata_of(store.split_index("train"), list(columns))
    text = "%d strata by %s, of %d to %d pairs, are drawn equally often"
    log.info(text, len(sizes), " × ".join(columns), min(sizes), max(sizes))
    return strata


def local_sizes(cfg: DictConfig) -> dict[str, tuple[int, int]]:
    """(rows, columns) in pixels of each sensor's local crops, as "rgb_local_size" and "ir_local_size".

    Where `data` leaves one open it is as near to 3/7 of the global crop as whole patches allow, 96 of 224,
    two patches at least where the global crop has as many, and never more than it has: so sensors with equal
    token grids have equal local ones.
    """
    sizes = {}
    for sensor in ("rgb", "ir"):
        given = cfg.data.get(f"{sensor}_local_size")
        patch = cfg.data[f"{sensor}_patch"] or 1
        if not is_vit(cfg.model[f"{sensor}_backbone"].name):
            patch = 1  # a CNN's has no say
        rows, columns = (
            min(max(3 * side // 7 // patch, 2), side // patch) * patch
            for side in pair(cfg.data[f"{sensor}_size"])
        )
        sizes[f"{sensor}_local_size"] = (rows, columns) if given is None else pair(given)
    return sizes


def train_view(cfg: DictConfig, sizes: dict[str, tuple[int, int]]) -> View | MultiCrop:
    """What training sees: a view that takes local sizes is multi-crop."""
    view = instantiate(cfg.augment.view)
    return view(**sizes, **local_sizes(cfg)) if view.func is MultiCrop else view(**sizes)


def pair(size: Any) -> tuple[int, int]:
    """(rows, columns) of a size that may be one number, a square's."""
    return (size, size) if isinstance(size, int) else (size[0], size[1])
