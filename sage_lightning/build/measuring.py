"""Real steps of a config, in a process of their own: what they take is theirs, and so is what goes wrong."""

import gc
import logging
import warnings
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.callbacks import Callback

from sage_lightning.build.data import synthetic_data
from sage_lightning.build.model import built
from sage_lightning.build.objects import instantiate
from sage_lightning.config import resolved
from sage_lightning.planning.real import Measured, measure
from sage_lightning.planning.room import out_of_memory, room, stay_within
from sage_lightning.planning.search import largest

log = logging.getLogger("sage_lightning")

STEPS = {"cpu": 2, "gpu": 10}  # that are timed


class Search(NamedTuple):
    """Among which batches the largest is looked for.

    Attributes:
        ranks: over which a batch goes.
        most: no batch is larger.
        least: none is smaller.
    """

    ranks: int
    most: int
    least: int


def tried(
    cfg: DictConfig, pairs: int, gpu: bool, search: Search | None
) -> tuple[Measured | None, int | None]:
    """What real steps on this device tell.

    Args:
        cfg: of the run, nothing left open.
        pairs: of one rank's step that is measured.
        gpu: where.
        search: for the largest batch, or None.

    Returns:
        What the steps took, None where they do not fit; and the largest global batch that fits, None where
        none does or none was looked for.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            return pool.submit(_tried, resolved(cfg), pairs, gpu, search).result()
        except BrokenProcessPool:  # the system has ended it for its memory
            return None, None


def _tried(
    config: dict[str, Any], pairs: int, gpu: bool, search: Search | None
) -> tuple[Measured | None, int | None]:
    cfg = _quietly(config, gpu)
    accumulate = cfg.trainer.accumulate_grad_batches or 1
    found = _steps(cfg, pairs, STEPS["gpu" if gpu else "cpu"])  # first: peaks are those of a whole process
    if search is None:
        return found, None

    def fits(batch: int) -> bool:
        return _steps(cfg, max(batch // search.ranks, search.least * accumulate), 1) is not None

    return found, largest(search.ranks * accumulate, search.most, fits, search.least)


def _quietly(config: dict[str, Any], gpu: bool) -> DictConfig:
    """The config, in a process that does not speak, and on the CPU fails before the machine has no memory."""
    warnings.simplefilter("ignore")
    if not gpu and (left := room(gpu=False)) is not None:
        stay_within(left)
    return OmegaConf.create(config)


def _steps(cfg: DictConfig, pairs: int, steps: int) -> Measured | None:
    gc.collect()  # Trainers and modules hold each other
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    try:
        data = synthetic_data(cfg, pairs * (steps + 1), pairs)
        return measure(built(cfg, data), data, lambda clock, number: short_trainer(cfg, clock, number), steps)
    except (RuntimeError, MemoryError, OSError) as error:
        if not out_of_memory(error):
            raise
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
