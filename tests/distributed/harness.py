"""What one rank sees of a method's training, for test_exact.py to compare between worlds.

A script beside this file says what to train; a whole one is

    from harness import Case, observer

    def mine() -> Case:
        return Case(method, batches)

    check = observer({"mine": mine})

and a line in the table of test_exact.py. The method is in float64 with nothing random in it; the batches are
the global ones, of which each rank takes its share. Nothing else needs to be known of the method: its terms
are what it logs as `train/loss…`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch
import torch.distributed as dist
from pytorch_lightning.plugins.environments import TorchElasticEnvironment
from pytorch_lightning.strategies import DDPStrategy
from torch import Tensor
from torch.utils.data import DataLoader

from sage_lightning.batch import MultiCropBatch, PairBatch

# At which terms are taken by themselves: a teacher has parted from its student by then, its centres are not
# 0 any more, and sensors that take turns have each had theirs.
LOOKED_AT = (2, 3)


class Case(NamedTuple):
    """What to train, in any world.

    Attributes:
        method: with weights that do not depend on the rank.
        batches: the global batches, one an optimiser step.
        rests: whether some parameters have no gradient at some step, of which DDP must be told.
        clip: norm that gradients are clipped to.
    """

    method: pl.LightningModule
    batches: list[Any]
    rests: bool = False
    clip: float | None = None


def observer(cases: dict[str, Callable[[], Case]]) -> Callable[[int, int], dict[str, Any]]:
    """A script's `check(rank, world)`: each case's name → what `observe` gives."""
    return lambda rank, world: {name: observe(make(), rank, world) for name, make in cases.items()}


def observe(case: Case, rank: int, world: int) -> dict[str, Any]:
    """Trains by Lightning, under its own DDP where there are several ranks.

    Returns:
        "before" and "after": the method's state, tensors by name; "logged": names and numbers of each step;
        "terms": name and step → "value" and "gradient", tensors by parameter, both of the global batch.
    """
    terms = Terms(case.method, world)
    logged = Logged()
    before = {name: value.clone() for name, value in case.method.state_dict().items()}
    trainer = pl.Trainer(
        accelerator="cpu",
        devices=world,
        strategy=DDPStrategy(find_unused_parameters=case.rests) if world > 1 else "auto",
        plugins=[TorchElasticEnvironment()] if world > 1 else None,
        max_steps=len(case.batches),
        callbacks=[logged],
        gradient_clip_val=case.clip,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
    mine = [share(batch, rank, world) for batch in case.batches]
    trainer.fit(case.method, DataLoader(mine, batch_size=None))
    assert trainer.global_step == len(case.batches)
    return {
        "before": before,
        "after": dict(case.method.state_dict()),
        "logged": logged.seen,
        "terms": terms.seen,
    }


def share(batch: PairBatch | MultiCropBatch, rank: int, world: int) -> Any:
    """A rank's pairs of a global batch: an equal part, in rank order."""
    crops = isinstance(batch, MultiCropBatch)  # (crop, pair, …), where others are (pair, …)
    return type(batch)(*(x.chunk(world, dim=int(crops and x.ndim > 1))[rank] for x in batch))


class Terms:
    """Takes the gradient of each term by itself, in the midst of the training step that logs it.

    Args:
        method: what it logs as `train/loss…` is a term.
        world: gradients are averaged over its ranks, as DDP does it with the whole.
    """

    def __init__(self, method: pl.LightningModule, world: int) -> None:
        self.seen: dict[str, dict[str, Any]] = {}
        self.method, self.world = method, world
        self.step, self.log_one = method.training_step, method.log
        self.logging: dict[str, Tensor] = {}
        method.training_step, method.log = self.training_step, self.log  # log_dict calls log

    def log(self, name: str, value: Any, *arguments: Any, **named: Any) -> None:
        self.logging[name] = value
        self.log_one(name, value, *arguments, **named)

    def training_step(self, *arguments: Any) -> Tensor:
        self.logging.clear()
        loss = self.step(*arguments)
        if self.method.global_step in LOOKED_AT:
            for name, term in self.logging.items():
                if name.startswith("train/loss"):
                    self.seen[f"{name} at step {self.method.global_step}"] = self._one(term)
        return loss

    def _one(self, term: Tensor) -> dict[str, Any]:
        names, parameters = zip(
            *((name, p) for name, p in self.method.named_parameters() if p.requires_grad), strict=True
        )
        gradients = torch.autograd.grad(
            term, parameters, retain_graph=True, allow_unused=True, materialize_grads=True
        )
        # In one piece: a message between ranks takes longer than all of these computations.
        mean = self._mean(torch.cat([term.detach().view(1), *(g.flatten() for g in gradients)]))
        value, *parts = mean.split([1, *(p.numel() for p in parameters)])
        shaped = [part.view_as(p) for part, p in zip(parts, parameters, strict=True)]
        return {"value": value, "gradient": dict(zip(names, shaped, strict=True))}

    def _mean(self, x: Tensor) -> Tensor:
        if self.world > 1:
            dist.all_reduce(x)
        return x / self.world


class Logged(pl.Callback):
    """Keeps what is logged at each step, as callbacks and loggers see it."""

    def __init__(self) -> None:
        self.seen: list[dict[str, float]] = []

    def on_train_batch_end(self, trainer: pl.Trainer, *arguments: Any) -> None:
        self.seen.append({name: float(value) for name, value in trainer.callback_metrics.items()})
