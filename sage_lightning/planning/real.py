"""A few real steps on the device: how long one takes, and how much memory."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback

from sage_lightning.data.datamodule import PairDataModule
from sage_lightning.planning.room import peak_resident

_WARMUP = 1  # steps in which allocators and kernels find their sizes


@dataclass(frozen=True)
class Measured:
    """What steps of one rank took.

    Attributes:
        pairs: of one step.
        seconds: of one step, with its augmentation, without reading from a disk.
        peak_bytes: of tensors on a GPU, of the whole process on the CPU.
        device: its name.
    """

    pairs: int
    seconds: float
    peak_bytes: int
    device: str


class _Clock(Callback):
    """When each step ends, the device included."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_train_batch_end(self, trainer: pl.Trainer, *arguments: object) -> None:
        if trainer.strategy.root_device.type == "cuda":
            torch.cuda.synchronize()
        self.ends.append(time.monotonic())


def measure(
    method: pl.LightningModule,
    data: PairDataModule,
    trainer: Callable[[Callback, int], pl.Trainer],
    steps: int,
) -> Measured:
    """Trains for some steps.

    Args:
        method: with numbers.
        data: of one rank: its batch is that rank's.
        trainer: makes a Trainer with a callback, for so many steps.
        steps: that are timed; another one comes before.
    """
    clock = _Clock()
    made = trainer(clock, _WARMUP + steps)
    batches = made.accumulate_grad_batches
    device = made.strategy.root_device
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    made.fit(method, datamodule=data)
    ends = clock.ends[batches - 1 :: batches]  # of optimiser steps
    seconds = statistics.median(after - before for before, after in pairwise(ends))
    if device.type == "cuda":
        return Measured(
            data.batch_size,
            seconds,
            torch.cuda.max_memory_allocated(device),
            torch.cuda.get_device_name(device),
        )
    threads = torch.get_num_threads()
    return Measured(
        data.batch_size, seconds, peak_resident(), f"CPU, {threads} thread{'s' if threads > 1 else ''}"
    )
