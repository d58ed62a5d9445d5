"""Rates as functions of the optimiser step, and of nothing else."""

import math
from abc import ABC, abstractmethod


class Warmup(ABC):
    """Factor on the optimiser's rate: batch / 256, times a linear warm-up, then what a subclass says.

    A callable for LambdaLR. Its attributes are plain numbers, which LambdaLR saves and restores, so a resumed
    run keeps the schedule it began with.

    Args:
        warmup_epochs: may be a fraction, or 0; a run that is shorter ends while it still warms up.
        steps_per_epoch: optimiser steps of one epoch.
        total_steps: optimiser steps of the run.
        batch_size: the global batch, over all ranks; the optimiser's rate is for 256.

    Raises:
        ValueError: if a number is out of its range.
    """

    def __init__(self, warmup_epochs: float, steps_per_epoch: int, total_steps: int, batch_size: int) -> None:
        if steps_per_epoch < 1 or total_steps < 1 or batch_size < 1:
            raise ValueError("steps_per_epoch, total_steps and batch_size must be at least 1")
        if warmup_epochs < 0:
            raise ValueError("warmup_epochs must not be negative")
        self.peak = batch_size / 256
        self.warmup_steps = round(warmup_epochs * steps_per_epoch)
        self.total_steps = total_steps

    def __call__(self, step: int) -> float:
        """The factor at a step, counted from 0.

        The first step already moves: the warm-up rises from 1 / warmup_steps of the peak.
        """
        if step < self.warmup_steps:
            return self.peak * (step + 1) / self.warmup_steps
        # Steps go from warmup_steps to total_steps - 1; at the last of them, all is done.
        done = (step - self.warmup_steps) / max(1, self.total_steps - 1 - self.warmup_steps)
        return self.peak * self.after(min(1.0, done))

    @abstractmethod
    def after(self, done: float) -> float:
        """The share of the peak when `done` of what follows the warm-up is done, from 0 to 1."""


class WarmupConstant(Warmup):
    """The peak to the end; a floor would have nothing to do here."""

    def after(self, done: float) -> float:
        """1, the peak."""
        return 1.0


class _WarmupFall(Warmup):
    """From the peak to a floor, which is reached at the last step.

    Args:
        floor: last rate, as a fraction of the peak.
    """

    def __init__(
        self, warmup_epochs: float, floor: float, steps_per_epoch: int, total_steps: int, batch_size: int
    ) -> None:
        super().__init__(warmup_epochs, steps_per_epoch, total_steps, batch_size)
        if not 0 <= floor <= 1:
            raise ValueError("floor must be between 0 and 1")
        self.floor = floor


class WarmupCosine(_WarmupFall):
    """Half a cosine from the peak to a floor, which is reached at the last step."""

    def after(self, done: float) -> float:
        """Flat at both ends, half-way in the middle."""
        return self.floor + (1 - self.floor) * (0.5 * (1 + math.cos(math.pi * done)))


class WarmupLinear(_WarmupFall):
    """A straight line from the peak to a floor, which is reached at the last step."""

    def after(self, done: float) -> float:
        """1 − done, of what is above the floor."""
        return self.floor + (1 - self.floor) * (1 - done)


def cosine_ramp(start: float, end: float, step: int, total_steps: int) -> float:
    """From start at step 0 to end at the last step, along half a cosine."""
    done = min(1.0, step / max(1, total_steps - 1))
    return end + (start - end) * 0.5 * (1 + math.cos(math.pi * done))


def linear_ramp(start: float, end: float, step: int, ramp_steps: int) -> float:
    """From start at step 0 to end at `ramp_steps`, and end from there on."""
    return end if step >= ramp_steps else start + (end - start) * step / ramp_steps
