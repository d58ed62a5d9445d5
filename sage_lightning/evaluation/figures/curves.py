"""How training went: the loss, its terms, retrieval and effective dimensions, from a run's metrics.csv."""

import pandas as pd
from matplotlib.figure import Figure

from sage_lightning.evaluation.figures.style import SERIES, styled

LOSS, CROSS = "loss", "loss between the sensors"
WITHIN, WHOLE = "R@1 within one position, val", "R@1 over the whole split, val"
SCHEDULES = "schedules, as a share of the largest"

# panel → (column, name) in the vocabulary of logged names
PANELS = {
    LOSS: {"train/loss": "train", "val/loss": "val"},
    CROSS: {
        "train/loss_cross_rgb_to_ir": "train, RGB teaches",
        "train/loss_cross_ir_to_rgb": "train, IR teaches",
        "val/loss_cross_rgb_to_ir": "val, RGB teaches",
        "val/loss_cross_ir_to_rgb": "val, IR teaches",
    },
    "unweighted terms": {
        "train/loss_invariance": "invariance",
        "train/loss_variance": "variance",
        "train/loss_covariance": "covariance",
        "train/loss_intra_rgb": "within RGB",
        "train/loss_intra_ir": "within IR",
        "train/loss_koleo": "KoLeo",
    },
    "masked patches": {
        "train/loss_ibot_cross_rgb_to_ir": "RGB teaches",
        "train/loss_ibot_cross_ir_to_rgb": "IR teaches",
        "train/loss_ibot_intra_rgb": "within RGB",
        "train/loss_ibot_intra_ir": "within IR",
    },
    "entropy of the teacher's targets, nats": {
        "train/teacher_entropy_rgb": "RGB",
        "train/teacher_entropy_ir": "IR",
    },
    SCHEDULES: {
        "train/lr": "learning rate",
        "train/weight_decay": "weight decay",
        "train/momentum": "teacher's momentum",
        "train/teacher_temperature": "teacher's temperature",
    },
    WITHIN: {
        "val/retrieval_within_position_rgb_to_ir_r1": "RGB → IR",
        "val/retrieval_within_position_ir_to_rgb_r1": "IR → RGB",
    },
    WHOLE: {
        "val/retrieval_rgb_to_ir_r1": "RGB → IR",
        "val/retrieval_ir_to_rgb_r1": "IR → RGB",
    },
    "effective dimensions (RankMe), val": {
        "health/rankme_rgb": "RGB embedding",
        "health/rankme_ir": "IR embedding",
        "health/rankme_projection_rgb": "RGB projection",
        "health/rankme_projection_ir": "IR projection",
    },
}


@styled
def training_curves(history: pd.DataFrame) -> Figure | None:
    """One panel for each group of columns that the history has; None where it has none.

    Args:
        history: metrics.csv: a `step` column, and NaN where a step did not log a column.
    """
    panels = {}
    for title, columns in PANELS.items():
        there = {
            column: name
            for column, name in columns.items()
            if column in history and history[column].notna().any()
        }
        if there:
            panels[title] = there
    if CROSS in panels:  # whose loss in validation is that between the sensors alone
        panels.get(LOSS, {}).pop("val/loss", None)
        panels = {title: columns for title, columns in panels.items() if columns}
    if WITHIN in panels:  # which tells content from pointing
        panels.pop(WHOLE, None)
    if not panels:
        return None
    figure = Figure(figsize=(9.2, 2.5 * ((len(panels) + 1) // 2)))
    axes = figure.subplots((len(panels) + 1) // 2, 2, squeeze=False)
    for axis, (title, columns) in zip(axes.flat, panels.items(), strict=False):
        for colour, (column, name) in zip(SERIES, columns.items(), strict=False):
            told = history[["step", column]].dropna()
            marker = "o" if len(told) <= 12 else ""
            values = told[column] / told[column].max() if title == SCHEDULES else told[column]
            axis.plot(told["step"], values, color=colour, label=name, marker=marker, markersize=3)
        axis.set_title(title)
        axis.set_xlabel("optimiser step")
        axis.grid(axis="y")
        axis.legend(ncols=2)
        axis.set_ylim(bottom=min(0.0, float(axis.get_ylim()[0])) if title not in (LOSS, CROSS) else None)
    for axis in list(axes.flat)[len(panels) :]:
        axis.set_axis_off()
    return figure
