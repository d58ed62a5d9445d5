"""`sage-lightning plan`: what a run would need; and the same table where a run has had too little."""

import gc
import json
import logging
from pathlib import Path

import torch
from omegaconf import DictConfig

from sage_lightning.build.collection import known_index
from sage_lightning.build.objects import instantiate
from sage_lightning.build.planner import Planner
from sage_lightning.build.split import split
from sage_lightning.config.collection import SIMULATED
from sage_lightning.data.datamodule import PairDataModule
from sage_lightning.data.select import selected
from sage_lightning.data.source import PairSource
from sage_lightning.errors import ShortageError, UserError
from sage_lightning.evaluation.headline import print_table
from sage_lightning.planning.plan import Plan, size
from sage_lightning.planning.room import room
from sage_lightning.planning.schedules import schedule_figure, schedules

log = logging.getLogger("sage_lightning")

_FILLED = 0.9  # of memory


def plan(cfg: DictConfig, folder: Path) -> dict[str, float]:
    """Prints what the run would need, and writes it into the folder with a picture of its schedules.

    Returns:
        The headline numbers.
    """
    pairs, pairs_from = training_pairs(cfg)
    planner = Planner(cfg, pairs, pairs_from)
    made = planner.plan(find_batch=cfg.plan.find_batch, tflops=cfg.plan.tflops)
    (folder / "plan.json").write_text(json.dumps(made.as_json(), indent=2) + "\n")
    table = schedules(planner.method, made.total_steps)
    schedule_figure(table, made.steps_per_epoch).savefig(folder / "schedules.png", dpi=150)
    show(made)
    log.info("Plan: %s", folder / "plan.json")
    log.info("Schedules: %s", folder / "schedules.png")
    return {
        "plan/steps": float(made.total_steps),
        "plan/hours": made.hours or 0.0,
        "plan/memory_gb": made.memory.value / 1e9,
        "plan/gflops_a_pair": made.dry.flops / made.dry.pairs / 1e9,
    }


def show(made: Plan) -> None:
    """Prints its tables."""
    print_table(made.table(), numbers=("how much",))
    if made.compared:
        caption = "Memory and what each rank sends in a step are estimates."
        table = made.ranks_table()
        print_table(table, title="Ranks", caption=caption, numbers=list(table.columns))


def shortage(cfg: DictConfig, data: PairDataModule, first: bool) -> ShortageError:
    """What to say once memory has run out: prints the plan's table, and gives the largest batch that fits.

    Args:
        cfg: of the run.
        data: of the run.
        first: whether this process speaks for all ranks.
    """
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    asked = f"data.batch_size={cfg.data.batch_size}"
    if not first:
        return ShortageError(f"{asked}: memory ran out on this rank, too")
    planner = Planner(cfg, len(data.split_index("train")), "the training split")
    left = room(planner.gpu)
    taken = planner.tensors(planner.batch_size, planner.ranks)
    # What was asked for did not fit, whatever the arithmetic says; and allocators leave gaps.
    limit = _FILLED * (taken if left is None else min(left, taken))
    show(planner.plan(find_batch=False, tflops=None))
    found = planner.fitting(limit)
    ways = [f"data.batch_size={found} fits, by estimate"] if found else ["no smaller batch fits, by estimate"]
    if cfg.model.get("grad_cache") is False and not planner.has_batchnorm:
        ways.append("model.grad_cache=true keeps the batch and takes memory for a part of it")
    there = "" if left is None else f" where {size(left)} are left"
    return ShortageError(
        f"{asked}: memory ran out; a step takes about {size(taken)}{there}: {'; '.join(ways)}"
    )


def training_pairs(cfg: DictConfig) -> tuple[int, str]:
    """How many pairs there are to train on, and how that is known; nothing is decoded for it.

    Raises:
        UserError: there are none.
    """
    if cfg.plan.pairs is not None:
        return int(cfg.plan.pairs), "plan.pairs"
    data = cfg.data
    if data.source._target_ == SIMULATED:
        share = (1 - data.faults) * (1 - data.split.val - data.split.test)
        return max(round(data.frames * share), 1), "about, of data.frames"
    source: PairSource = instantiate(data.source)
    _, index = known_index(cfg, source)
    index = index.assign(split=source.split(index, split(cfg)))
    index = index if data.select is None else selected(data.select, index)
    count = int(((index["status"] == "ok") & (index["split"] == "train")).sum())
    if not count:
        raise UserError("data: the index has no pair to train on")
    return count, "by the index"
