"""What changes from step to step, as numbers and as a picture."""

from typing import Any

import pandas as pd
import pytorch_lightning as pl
from matplotlib.figure import Figure

from sage_lightning.evaluation.figures.style import SERIES, styled
from sage_lightning.methods.dino import DINO
from sage_lightning.optim.schedule import cosine_ramp

_POINTS = 400  # of a curve
NAMES = {
    "train/lr": "learning rate",
    "train/weight_decay": "weight decay",
    "train/momentum": "teacher's momentum",
    "train/teacher_temperature": "teacher's temperature",
}


def schedules(method: pl.LightningModule, total_steps: int) -> pd.DataFrame:
    """`step`, and each number by the name that it is logged under.

    Args:
        method: on any device.
        total_steps: of the run.
    """
    steps = sorted({round(i * (total_steps - 1) / (_POINTS - 1)) for i in range(_POINTS)})
    optimizers: Any = method.configure_optimizers()
    group = optimizers["optimizer"].param_groups[0]
    rate, decay = group.get("initial_lr", group["lr"]), group["weight_decay"]
    (factor,) = set(optimizers["lr_scheduler"]["scheduler"].lr_lambdas)
    table: dict[str, Any] = {"step": steps, "train/lr": [rate * factor(step) for step in steps]}
    if isinstance(method, DINO):
        if (end := method.weight_decay_end) is not None:
            table["train/weight_decay"] = [cosine_ramp(decay, end, step, total_steps) for step in steps]
        table["train/momentum"] = [method.momentum(step) for step in steps]
        table["train/teacher_temperature"] = [method.teacher_temperature(step) for step in steps]
    return pd.DataFrame(table)


@styled
def schedule_figure(table: pd.DataFrame, steps_per_epoch: int) -> Figure:
    """A panel for each number, over epochs.

    Args:
        table: see `schedules`.
        steps_per_epoch: optimiser steps.
    """
    columns = [name for name in table if name != "step"]
    figure = Figure(figsize=(9.2 if len(columns) > 1 else 4.6, 2.3 * ((len(columns) + 1) // 2)))
    axes = figure.subplots((len(columns) + 1) // 2, min(len(columns), 2), squeeze=False)
    for axis, column, colour in zip(axes.flat, columns, SERIES, strict=False):
        axis.plot(table["step"] / steps_per_epoch, table[column], color=colour)
        axis.set_title(NAMES[column])
        axis.set_xlabel("epoch")
        axis.grid(axis="y")
    for axis in list(axes.flat)[len(columns) :]:
        axis.set_axis_off()
    return figure
