"""Real steps of a config, in processes of their own: what they take is theirs, and so is what goes wrong."""

import logging
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any, TypeVar

import pytorch_lightning as pl
import torch
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.callbacks import Callback

from sage_lightning.build.data import synthetic_data
from sage_lightning.build.model import built
from sage_lightning.build.objects import instantiate
from sage_lightning.planning.real import Measured, measure
from sage_lightning.planning.room import out_of_memory, room, stay_within
from sage_lightning.planning.search import largest

T = TypeVar("T")
log = logging.getLogger("sage_lightning")

STEPS = {"cpu": 2, "gpu": 10}  # that are timed


def measured(cfg: DictConfig, pairs: int, gpu: bool) -> Measured | None:
    """Steps of one rank on so many pairs each; None if they do not fit into memory."""
    return _apart(_measured, OmegaConf.to_container(cfg, resolve=True), pairs, gpu)


def largest_batch(cfg: DictConfig, ranks: int, most: int, least: int, gpu: bool) -> int | None:
    """The largest global batch of which a rank's share fits; None if none does."""
    return _apart(_largest, OmegaConf.to_container(cfg, resolve=True), ranks, most, least, gpu)


def _apart(function: Callable[..., T | None], *arguments: Any) -> T | None:
    """What a function gives in a new process; None, too, where the system has ended it for its memory."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            return pool.submit(function, *arguments).result()
        except BrokenProcessPool:
            return None


def _measured(config: dict[str, Any], pairs: int, gpu: bool) -> Measured | None:
    cfg = _quietly(config, gpu)
    return _steps(cfg, pairs, STEPS["gpu" if gpu else "cpu"])


def _largest(config: dict[str, Any], ranks: int, most: int, least: int, gpu: bool) -> int | None:
    cfg = _quietly(config, gpu)
    accumulate = cfg.trainer.accumulate_grad_batches or 1

    def fits(batch: int) -> bool:
        return _steps(cfg, max(batch // ranks, least * accumulate), 1) is not None

    return largest(ranks * accumulate, most, fits, least)


def _quietly(config: dict[str, Any], gpu: bool) -> DictConfig:
    """The config, in a process that does not speak, and on the CPU fails before the machine has no memory."""
    warnings.simplefilter("ignore")
    if not gpu and (left := room(gpu=False)) is not None:
        stay_within(left)
    return OmegaConf.create(config)


def _steps(cfg: DictConfig, pairs: int, steps: int) -> Measured | None:
    try:
        data = synthetic_data(cfg, pairs * (steps + 1), pairs)
        return measure(built(cfg, data), data, lambda clock, number: short_trainer(cfg, clock, number), steps)
    except (RuntimeError, MemoryError, OSError) as error:
        if not out_of_memory(error):
            raise
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return None


def short_trainer(cfg: DictConfig, callback: Callback, steps: int, **other: Any) -> pl.Trainer:
    """The Trainer of a config, for one rank and so many steps, that writes and shows nothing."""
    for name in ("pytorch_lightning", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)  # its greetings
    return instantiate(
        cfg.trainer,
        **{
            "devices": 1,
            "num_nodes": 1,
            "strategy": "auto",
            "max_steps": steps,
            "max_epochs": -1,
            "limit_val_batches": 0,
            "callbacks": [callback],
            "logger": False,
            "enable_checkpointing": False,
            "enable_progress_bar": False,
            "enable_model_summary": False,
        }
        | other,
    )
