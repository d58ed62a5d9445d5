"""What a checkpoint knows: its towers, its transform, its data. The user restates nothing."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from hydra.utils import get_object
from omegaconf import DictConfig, OmegaConf

from sage_lightning.build.data import datamodule, look, pair
from sage_lightning.build.model import towers
from sage_lightning.build.objects import instantiate
from sage_lightning.checkpoints import KEY, find_checkpoint, read_checkpoint
from sage_lightning.config import moved, resolved
from sage_lightning.data.augment import FullView
from sage_lightning.data.datamodule import PairDataModule
from sage_lightning.data.transform import PairTransform
from sage_lightning.errors import UserError
from sage_lightning.evaluation.embedder import Embedder

# What a checkpoint's config may build: a file from a stranger must not name what is to be run.
TRUSTED = ("sage_lightning.", "pytorch_lightning.", "sklearn.", "torch.optim.")


def saved_config(path: Path, checkpoint: dict[str, Any]) -> DictConfig:
    """The config in a checkpoint.

    Raises:
        UserError: if it names something to build that no run of this package has.
    """
    config = checkpoint[KEY]["config"]
    # By where a thing is defined, too: a module of ours has imported others' functions.
    strangers = [
        name
        for name in _targets(config)
        if not (name.startswith(TRUSTED) and get_object(name).__module__.startswith(TRUSTED))
    ]
    if strangers:
        raise UserError(f"{path}: its config asks to run {', '.join(strangers)}; refused")
    return OmegaConf.create(config)


def load(path: Path) -> Embedder:
    """The trained towers of a checkpoint, ready to embed; it knows its architecture and its normalisation.

    Args:
        path: a run folder or a checkpoint.
    """
    checkpoint = read_checkpoint(find_checkpoint(path))
    cfg = saved_config(path, checkpoint)
    thermal = instantiate(cfg.thermal)
    transform = PairTransform(thermal, **checkpoint[KEY]["normalisation"], look=look(cfg))
    trained = towers(cfg, transform.ir_channels)
    prefix = f"{get_object(cfg.model._target_).EVALUATED}."
    state = checkpoint["state_dict"].items()
    weights = {name.removeprefix(prefix): tensor for name, tensor in state if name.startswith(prefix)}
    trained.load_state_dict(weights)
    view = FullView(pair(cfg.data.rgb_size), pair(cfg.data.ir_size))
    return Embedder(trained, transform, view, "cuda" if torch.cuda.is_available() else "cpu")


def data_of(path: Path, places: Mapping[str, str | None], stage: str | None) -> PairDataModule:
    """The data that a checkpoint was trained on.

    Args:
        path: run folder or checkpoint.
        places: "paths.data_dir" …, see `config.moved`, → where the files lie now; None for where they were.
        stage: a folder to copy the store to; that of the run may have been another machine's.
    """
    checkpoint = read_checkpoint(find_checkpoint(path))
    cfg = saved_config(path, checkpoint)
    config = moved(resolved(cfg), places)
    config["paths"]["stage"] = stage
    return datamodule(OmegaConf.create(config), checkpoint[KEY]["normalisation"])


def _targets(tree: Any) -> Iterator[str]:
    if isinstance(tree, dict):
        if "_target_" in tree:
            yield str(tree["_target_"])
        for part in tree.values():
            yield from _targets(part)
    elif isinstance(tree, list):
        for part in tree:
            yield from _targets(part)
