"""Steps of several contestants by turns, where one of them is a LightningModule in a real Trainer."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from measure.clock import Times, seconds


class _Gives(torch.autograd.Function):
    """The same embeddings; in backward each parameter gets a gradient without arithmetic."""

    @staticmethod
    def forward(ctx: Any, embeddings: Tensor, *parameters: Tensor) -> Tensor:
        ctx.parameters = parameters
        return embeddings.view_as(embeddings)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        return (None, *(torch.full_like(p, 1e-4) for p in ctx.parameters))


class Carried(nn.Module):
    """A backbone's parameters without its arithmetic: what it is given are its embeddings.

    So a step is what is not the backbone: head, loss, their gradients, optimiser and EMA over all parameters.
    """

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.num_features = backbone.num_features

    def forward(self, embeddings: Tensor) -> Tensor:
        return _Gives.apply(embeddings, *self.backbone.parameters())


class Turns:
    """A loader of one batch over and over; each time it is asked, the others make their steps first.

    The LightningModule's time is from when it has its batch to when the Trainer asks for the next.
    """

    def __init__(self, batch: Any, others: Mapping[str, Callable[[], object]], rounds: int) -> None:
        self.batch, self.others, self.rounds = batch, others, rounds
        self.times: Times = {"ours": [], **{name: [] for name in others}}

    def __len__(self) -> int:
        return self.rounds + 2

    def __iter__(self) -> Iterator[Any]:
        order = random.Random(0)
        took: list[float] = []
        for turn in range(-1, self.rounds):  # the first round brings code and memory into place
            for name in order.sample([*self.others], len(self.others)):
                once = seconds(self.others[name])
                if turn >= 0:
                    self.times[name].append(once)

            started = time.perf_counter()
            yield self.batch
            took.append(time.perf_counter() - started)
        self.times["ours"] = took[1:]
        yield self.batch


def by_turns(
    method: pl.LightningModule,
    batch: Any,
    others: Mapping[str, Callable[[], object]],
    rounds: int,
    **trainer: Any,
) -> Times:
    """Seconds of each step of the method, under "ours", and of the others."""
    turns = Turns(batch, others, rounds)
    pl.Trainer(
        max_epochs=1,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **trainer,
    ).fit(method, train_dataloaders=turns)
    return turns.times
