"""Temperature histograms on paper: a row a node, a column a season, a ridge a view; thresholds and shares."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sage_lightning.data.files import UNKNOWN
from sage_lightning.evaluation.figures.style import INK, MUTED, RULE, styled
from sage_lightning.inventory.rows import AT, QUARTERS, SEASONS
from sage_lightning.inventory.tables import UNIT_SIGNS
from sage_lightning.inventory.temperatures import BINS, Temperatures

MOST_NODES = 12
COLOURS = {
    "sky": "#0072b2",
    "horizon": "#009e73",
    "below": "#e69f00",
    "ground": "#d55e00",
    UNKNOWN: "#8a8f98",
}
RIDGE = 0.74  # of a view's row, the highest bar
SHARE: dict[str, Any] = {"fontsize": 6.5, "color": INK, "va": "top"}


@styled
def histograms(found: Temperatures, vsns: dict[str, str]) -> Figure | None:
    """The panels of the first twelve nodes; None where no frame could be read.

    Args:
        found: what was read.
        vsns: short names of nodes.
    """
    table = found.histograms
    if table.empty:
        return None
    nodes = list(table["node"].unique())[:MOST_NODES]
    seasons = [name for name in (*SEASONS, *QUARTERS, UNKNOWN) if (table["season"] == name).any()]
    views = [view for view in COLOURS if (table["view"] == view).any()]
    width = float((table["high"] - table["low"]).iloc[0])
    reach = (float(table["low"].min()), float(table["high"].max()))
    figure = Figure(figsize=(9.2, (0.42 * len(views) + 0.25) * len(nodes) + 0.6))
    axes = figure.subplots(len(nodes), len(seasons), sharex=True, sharey=True, squeeze=False)
    for row, node in zip(axes, nodes, strict=True):
        for axis, season in zip(row, seasons, strict=True):
            for threshold in found.thresholds:
                axis.axvline(threshold, color=MUTED, linewidth=0.8, linestyle=(0, (3, 2)), zorder=1)
            for place, view in enumerate(views):
                group = (node, season, view)
                _ridge(axis, len(views) - 1 - place, _of(table, group), width, COLOURS[view])
                _shares(axis, len(views) - 1 - place, _of(found.bins, group), found.thresholds, reach)
            axis.spines["left"].set_visible(False)
            if node == nodes[0]:
                axis.set_title(season)
        name = (vsns.get(node) or node).replace(AT, f"{AT.rstrip()}\n")
        row[0].set_ylabel(name, fontweight="bold")
    axes[0, 0].set_xlim(*reach)
    axes[0, 0].set_ylim(0, len(views))
    axes[0, 0].set_yticks([len(views) - 0.6 - place for place in range(len(views))], views)
    figure.supxlabel(UNIT_SIGNS[found.unit], fontsize=8.5)
    return figure


def _of(table: pd.DataFrame, group: tuple[str, str, str]) -> pd.DataFrame:
    node, season, view = group
    return table[(table["node"] == node) & (table["season"] == season) & (table["view"] == view)]


def _ridge(axis: Axes, base: float, part: pd.DataFrame, width: float, colour: str) -> None:
    axis.axhline(base, color=RULE, linewidth=0.6, zorder=0)
    if part.empty:
        return
    edges, heights = _steps(part, width)
    tops = base + RIDGE * heights / heights.max()
    axis.stairs(tops, edges, baseline=base, color=colour, fill=True, alpha=0.35, linewidth=0, zorder=2)
    axis.stairs(tops, edges, baseline=base, color=colour, linewidth=0.9, zorder=3)


def _steps(part: pd.DataFrame, width: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Edges and heights from the first to the last bin; those that are not in the table hold nothing."""
    place = np.rint(part["low"].to_numpy() / width).astype(np.int64)
    heights = np.zeros(place[-1] - place[0] + 1)
    heights[place - place[0]] = part["share"].to_numpy()
    return (place[0] + np.arange(len(heights) + 1)) * width, heights


def _shares(
    axis: Axes, base: float, line: pd.DataFrame, thresholds: tuple[float, ...], reach: tuple[float, float]
) -> None:
    """The share of each thermal bin, written into it where it lies on the picture."""
    if not thresholds or line.empty or line[BINS[0]].isna().all():
        return
    low, high = thresholds
    # The outer two stand at the edges of the picture, where nothing else does.
    places = (
        (reach[0], "left", low > reach[0]),
        ((low + high) / 2, "center", True),
        (reach[1], "right", high < reach[1]),
    )
    for name, (x, side, there) in zip(BINS, places, strict=True):
        share = 100 * float(line[name].iloc[0])
        if there and share >= 0.5 and reach[0] < high and low < reach[1]:
            axis.text(x, base + 0.94, f"{share:.0f} %", ha=side, **SHARE)
