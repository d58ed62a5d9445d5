"""Temperature histograms on paper: a row a node, a column a season, a line a view, thresholds drawn."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sage_lightning.data.scan import UNKNOWN
from sage_lightning.evaluation.figures.style import MUTED, styled
from sage_lightning.inventory.rows import QUARTERS, SEASONS
from sage_lightning.inventory.tables import UNIT_SIGNS
from sage_lightning.inventory.temperatures import Temperatures

MOST_NODES = 12
COLOURS = {
    "sky": "#0072b2",
    "horizon": "#009e73",
    "below": "#e69f00",
    "ground": "#d55e00",
    UNKNOWN: "#8a8f98",
}


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
    there = set(table["season"])
    seasons = [season for season in (*SEASONS, *QUARTERS, UNKNOWN) if season in there]
    figure = Figure(figsize=(max(2.3 * len(seasons), 5.0), 1.6 * len(nodes) + 0.8))
    axes = figure.subplots(len(nodes), len(seasons), sharex=True, sharey=True, squeeze=False)
    for row, node in zip(axes, nodes, strict=True):
        for axis, season in zip(row, seasons, strict=True):
            _panel(axis, table[(table["node"] == node) & (table["season"] == season)], found)
            if node == nodes[0]:
                axis.set_title(season)
            if node == nodes[-1]:
                axis.set_xlabel(UNIT_SIGNS[found.unit])
        row[0].set_ylabel(vsns.get(node) or node)
    width = float((table["high"] - table["low"]).iloc[0])
    axes[0, 0].set_xlim(table["low"].min() - width, table["high"].max() + width)
    axes[0, 0].set_ylim(bottom=0)
    axes[0, 0].set_yticks([])
    views = [view for view in COLOURS if (table["view"] == view).any()]
    handles = [Line2D([], [], color=COLOURS[view], label=view) for view in views]
    if found.thresholds:
        handles.append(Line2D([], [], color=MUTED, linestyle=(0, (3, 2)), label="thermal.thresholds"))
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
    return figure


def _panel(axis: Axes, table: pd.DataFrame, found: Temperatures) -> None:
    """Densities, so that views with many frames and with few can be compared."""
    for view, colour in COLOURS.items():
        part = table[table["view"] == view]
        if part.empty:
            continue
        width = (part["high"] - part["low"]).iloc[0]
        edges, heights = [], []
        for low, high, share in part[["low", "high", "share"]].itertuples(index=False):
            if edges and low > edges[-1]:  # bins without a pixel are not in the table
                edges.append(low)
                heights.append(0.0)
            edges += [] if edges else [low]
            edges.append(high)
            heights.append(share / width)
        axis.stairs(heights, edges, color=colour, linewidth=1.2, zorder=3)
        axis.stairs(heights, edges, color=colour, fill=True, alpha=0.12, zorder=2)
    for threshold in found.thresholds:
        axis.axvline(threshold, color=MUTED, linewidth=0.8, linestyle=(0, (3, 2)), zorder=1)
    axis.spines["left"].set_visible(False)
