"""The one look of all figures: quiet, small type, colours that colour-blind readers can tell apart.

Ink, rules and the series' colours are exact values, which the report exchanges for its theme's own.
"""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import matplotlib
from matplotlib.axes import Axes

from sage_lightning.evaluation.table import CHANCE, GRADIENTS, LEARNED, MEAN, MEAN_SPREAD, RANDOM

P = ParamSpec("P")
T = TypeVar("T")

INK, MUTED, RULE = "#1c2026", "#6a717d", "#dce0e6"

# Okabe and Ito's palette; blue is what was learned, wherever it occurs.
COLOURS = {
    LEARNED: "#0072b2",
    GRADIENTS: "#009e73",
    MEAN_SPREAD: "#d55e00",
    MEAN: "#e69f00",
    RANDOM: "#8a8f98",
    CHANCE: "#5c626c",
}
MARKERS = {LEARNED: "o", GRADIENTS: "D", MEAN_SPREAD: "s", MEAN: "^", RANDOM: "X", CHANCE: "|"}
RIGHT = "#00b386"
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")

SENSOR_NAMES = {"rgb": "RGB", "ir": "thermal"}
HEAT = "inferno"  # degrees
AMOUNT = "viridis"  # any other quantity
HOUR = "twilight_shifted"  # what comes round again
KINDS = "tab20"

UNITS = {
    "local_hour": "h, local solar time",
    "sun_elevation": "°",
    "air_temperature": "°C",
    "cloud_base_km": "km",
}

RC: dict[Any, Any] = {
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.h_pad": 0.03,
    "figure.constrained_layout.w_pad": 0.03,
    "font.family": "sans-serif",
    "font.size": 8.5,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.labelsize": 8.5,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.facecolor": "none",
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.major.size": 2.5,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.4,
    "image.interpolation": "none",
    "image.composite_image": False,
}


def styled(draw: Callable[P, T]) -> Callable[P, T]:
    """A figure function, drawn in this style without leaving a trace in matplotlib's settings."""

    def drawn(*args: P.args, **kwargs: P.kwargs) -> T:
        with matplotlib.rc_context(RC):
            return draw(*args, **kwargs)

    drawn.__doc__, drawn.__name__ = draw.__doc__, draw.__name__
    return drawn


def bare(axes: Axes) -> None:
    """No ticks and no frame: for pictures and for maps whose axes mean nothing."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def named(column: str) -> str:
    """A column's name as an axis says it, with its unit."""
    words = column.removeprefix("local_").replace("_km", "").replace("_", " ")
    return f"{words} ({UNITS[column]})" if column in UNITS else words
