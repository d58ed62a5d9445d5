"""Scores as dots on a line, each beside what it must beat."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sage_lightning.evaluation.figures.style import COLOURS, MARKERS, SENSOR_NAMES, named, styled
from sage_lightning.evaluation.table import BACKBONE, CHANCE, FEATURES, LEARNED, PROJECTION, SENSORS, pick

LOWEST_R2 = -0.3  # worse than this is drawn at the edge
SUBSETS = ("all", "day", "night")
ARROWS = {"rgb_to_ir": "RGB → IR", "ir_to_rgb": "IR → RGB"}


@styled
def retrieval_dots(scores: pd.DataFrame) -> Figure:
    """R@1 for each subset and direction: within one (node, position), where any is known, and over the split.

    Learned and random features are the projections; bars are 95 % intervals over days.
    """
    found = scores[(scores["metric"] == "r1") & (scores["space"] != BACKBONE)]
    lines = [
        (subset, direction) for subset in SUBSETS for direction in ARROWS if subset in set(found["subset"])
    ]
    titles = {
        "retrieval_within_position": "within one (node, position)",
        "retrieval": "over the whole split",
    }
    scopes = [scope for scope in titles if (found["task"] == f"{scope}_{next(iter(ARROWS))}").any()]
    figure = Figure(figsize=(9.2, 0.9 + 0.36 * len(lines)))
    axes = figure.subplots(1, len(scopes), sharey=True, squeeze=False)[0]
    for axis, scope in zip(axes, scopes, strict=True):
        for height, (subset, direction) in enumerate(lines):
            _dots(axis, height, pick(found, task=f"{scope}_{direction}", subset=subset))
        axis.set_title(titles[scope])
        axis.set_xlabel("R@1")
        axis.set_xlim(left=-0.02 * float(axis.get_xlim()[1]))
        axis.grid(axis="x")
    _name_lines(axes[0], [f"{subset}, {ARROWS[direction]}" for subset, direction in lines])
    _legend(figure, found)
    return figure


@styled
def readout_dots(scores: pd.DataFrame, metric: str) -> Figure | None:
    """Linear probes of every label column, a panel a sensor; None where no label has this metric.

    Args:
        scores: the table.
        metric: "r2" or "accuracy".
    """
    found = pick(scores, task="probe", metric=metric)
    found = found[found["space"] != PROJECTION]
    lines = list(found[["label", "subset"]].drop_duplicates().itertuples(index=False))
    if not lines:
        return None
    figure = Figure(figsize=(9.2, 0.9 + 0.3 * len(lines)))
    axes = figure.subplots(1, 2, sharey=True, sharex=True)
    for axis, sensor in zip(axes, SENSORS, strict=True):
        here = found[found["sensor"].isin(["", sensor])]
        for height, (label, subset) in enumerate(lines):
            _dots(axis, height, pick(here, label=label, subset=subset))
        axis.set_title(f"from {SENSOR_NAMES[sensor]}")
        axis.set_xlabel("R² on held-out pairs" if metric == "r2" else "accuracy on held-out pairs")
        axis.set_xlim(LOWEST_R2 if metric == "r2" else 0.0, 1.02)
        axis.grid(axis="x")
    names = [
        named(label).split(" (")[0] + ("" if subset == "all" else f", {subset}") for label, subset in lines
    ]
    _name_lines(axes[0], names)
    _legend(figure, found)
    return figure


def _dots(axis: Axes, height: float, found: pd.DataFrame) -> None:
    order = found["features"].map(FEATURES.index).argsort()
    for line in found.iloc[order].to_dict("records"):
        features, low = str(line["features"]), float(line["low"])
        value = max(float(line["value"]), LOWEST_R2)
        colour, marker = COLOURS[features], MARKERS[features]
        if features == LEARNED and pd.notna(low):
            axis.hlines(
                height, max(low, LOWEST_R2), float(line["high"]), color=colour, linewidth=1.2, zorder=2
            )
        size = {LEARNED: 46, CHANCE: 90}.get(features, 24)
        rim = 1.2 if features == CHANCE else 0.0
        axis.scatter(value, height, s=size, color=colour, marker=marker, linewidths=rim, zorder=3)


def _name_lines(axis: Axes, names: list[str]) -> None:
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.5, -0.5)


def _legend(figure: Figure, found: pd.DataFrame) -> None:
    there = [features for features in reversed(FEATURES) if features in set(found["features"])]
    handles = [
        Line2D([], [], linestyle="", color=COLOURS[name], marker=MARKERS[name], markersize=6, label=name)
        for name in there
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
