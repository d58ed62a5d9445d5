"""A plan: what is known of a run before it is begun, as a table for people, and as plain values."""

from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from sage_lightning.planning.dry import DryStep
from sage_lightning.planning.real import Measured
from sage_lightning.planning.traffic import Traffic

ESTIMATE = "estimate"


@dataclass(frozen=True)
class Figure:
    """A number, and how it came to be known.

    Attributes:
        value: the number.
        how: "estimate, …" or "measured, …".
    """

    value: float
    how: str


@dataclass(frozen=True)
class Ranks:
    """A run over so many ranks.

    Attributes:
        ranks: how many.
        refused: why the batch does not go over them, and which would; None if it does.
        pairs: of a rank's forward; as the next two, None where it does not go.
        memory_bytes: of a rank, an estimate.
        traffic: of a rank and step.
    """

    ranks: int
    refused: str | None = None
    pairs: int | None = None
    memory_bytes: int | None = None
    traffic: Traffic | None = None


@dataclass(frozen=True)
class Plan:
    """What a run would need.

    Attributes:
        pairs: for training.
        pairs_from: how they are known.
        batch_size: the global batch.
        ranks: over which the rest of this is meant.
        accumulate: forwards of each rank in a step.
        steps_per_epoch: optimiser steps.
        total_steps: likewise, of the run.
        tokens: "rgb", "ir", "rgb_local" … → how many a crop is; None for a CNN.
        crops: "global" and "local" → how many of a pair.
        parameters: part → how many.
        dry: one forward and backward of one rank.
        memory: bytes that a rank takes.
        seconds: of a step; None where it was not asked for.
        measured: what has been, on the device.
        largest_batch: the largest global batch that fits; None where it was not looked for, 0 if none does.
        compared: other numbers of ranks.
    """

    pairs: int
    pairs_from: str
    batch_size: int
    ranks: int
    accumulate: int
    steps_per_epoch: int
    total_steps: int
    tokens: dict[str, int | None]
    crops: dict[str, int]
    parameters: dict[str, int]
    dry: DryStep
    memory: Figure
    seconds: Figure | None
    measured: Measured | None
    largest_batch: int | None
    compared: list[Ranks]

    @property
    def hours(self) -> float | None:
        """Of all steps; without validation and evaluation."""
        return None if self.seconds is None else self.total_steps * self.seconds.value / 3600

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self) | {
            "hours": self.hours,
            "gflops_a_pair": {
                "forward": self.dry.forward_flops / self.dry.pairs / 1e9,
                "step": self.dry.flops / self.dry.pairs / 1e9,
            },
        }

    def table(self) -> pd.DataFrame:
        """`what`, `how much` and `how it is known`."""
        lines = [
            ("tokens a crop", *self._tokens()),
            ("parameters", *self._parameters()),
            (
                "GFLOPs a pair",
                f"{self.dry.forward_flops / self.dry.pairs / 1e9:.3g} forward, "
                f"{self.dry.flops / self.dry.pairs / 1e9:.3g} a step",
                "all crops" + (", teacher included" if self.parameters["teacher"] else ""),
            ),
            ("batch", *self._batch()),
            ("memory of a rank", size(self.memory.value), self.memory.how),
            *self._largest(),
            ("steps", f"{self.total_steps:,}", self._steps()),
        ]
        if self.seconds is not None:
            lines.append(("time", duration(self.total_steps * self.seconds.value), self.seconds.how))
        return pd.DataFrame(lines, columns=["what", "how much", "how it is known"])

    def ranks_table(self) -> pd.DataFrame:
        """A line for each number of ranks that is compared."""
        lines = []
        for one in self.compared:
            if one.traffic is None or one.memory_bytes is None:
                lines.append([str(one.ranks), one.refused or "", "", "", "", "", ""])
                continue
            sent = one.traffic
            parts = (sent.gradients, sent.projections, sent.statistics, sent.total)
            lines.append([str(one.ranks), str(one.pairs), size(one.memory_bytes), *map(size, parts)])
        heads = [
            "ranks",
            "batch of a rank",
            "memory",
            "gradients",
            "projections",
            "statistics",
            "sent a step",
        ]
        return pd.DataFrame(lines, columns=heads)

    def _tokens(self) -> tuple[str, str]:
        def said(key: str) -> str:
            return "a CNN" if (count := self.tokens[key]) is None else f"{count:,}"

        words = f"RGB {said('rgb')}, thermal {said('ir')}"
        local = ""
        if many := self.crops["local"]:
            words += f"; local RGB {said('rgb_local')}, thermal {said('ir_local')}"
            local = f", {many} local ones"
        return words, f"class and register tokens included; {self.crops['global']} large{local}"

    def _parameters(self) -> tuple[str, str]:
        count = self.parameters
        parts = [
            ("RGB tower", "rgb_backbone"),
            ("thermal", "ir_backbone"),
            ("heads", ""),
            ("teacher", "teacher"),
        ]
        numbers = count | {"": count["rgb_head"] + count["ir_head"]}
        words = ", ".join(f"{name} {millions(numbers[key])}" for name, key in parts if numbers[key])
        return f"{millions(count['trained'])} trained", words

    def _batch(self) -> tuple[str, str]:
        parts = [f"{self.ranks} ranks"] if self.ranks > 1 else []
        parts += [f"{self.accumulate} accumulation steps"] if self.accumulate > 1 else []
        over = f"{self.dry.pairs} pairs at once, over {' × '.join(parts)}" if parts else "on one rank"
        return f"{self.batch_size:,}", over

    def _largest(self) -> list[tuple[str, str, str]]:
        if self.largest_batch is None:
            return []
        found = f"{self.largest_batch:,}" if self.largest_batch else "none"
        return [("largest batch", found, f"measured, up to the {self.pairs:,} pairs there are")]

    def _steps(self) -> str:
        epochs = self.total_steps / self.steps_per_epoch
        pairs = f"{self.pairs:,} pairs ({self.pairs_from})"
        return f"{self.steps_per_epoch:,} an epoch, {epochs:.4g} epochs of {pairs}"


def size(number: float) -> str:
    """Bytes as people write them."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= factor:
            return f"{number / factor:.3g} {unit}"
    return f"{number:.0f} B"


def millions(number: float) -> str:
    """A count of parameters."""
    return f"{number / 1e6:.3g} M"


def duration(seconds: float) -> str:
    """Seconds, minutes, hours or days."""
    for unit, factor in (("days", 172_800.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= factor:
            return f"{seconds / (86_400.0 if unit == 'days' else factor):.3g} {unit}"
    return f"{seconds:.2g} s"
