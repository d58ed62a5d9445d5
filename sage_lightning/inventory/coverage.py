"""A picture of coverage over time: a row for each (node, position), coloured by daylight, quarantine below.

Time is cut into columns; a column is the fuller coloured, the more pairs fall into it.
"""

from itertools import pairwise

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from sage_lightning.data.files import UNKNOWN
from sage_lightning.evaluation.figures.style import INK, RULE, styled

COLUMNS = 400
COLOURS = {"day": "#e69f00", "twilight": "#cc79a7", "night": "#3b7dc4", UNKNOWN: "#8a8f98"}
QUARANTINE, HELD = "#d1332e", "quarantine"
# Which of a row's lines each kind takes; the first and the last stay empty, and part it from its neighbours.
LINES = 12
BANDS = {"day": (1, 4), "twilight": (4, 6), "night": (6, 9), UNKNOWN: (1, 9), HELD: (9, 11)}
FAINTEST = 0.35  # opacity of a single pair
ROW, TALLEST = 0.2, 60.0  # inches
_HOUR_NS = 3_600_000_000_000


@styled
def coverage(rows: pd.DataFrame, vsns: dict[str, str]) -> Figure | None:
    """The picture; None where no file has a time.

    Args:
        rows: of `rows_of`.
        vsns: short names of nodes.
    """
    timed = rows[rows["time"].notna()]
    if timed.empty:
        return None
    places = timed[["node", "position"]].drop_duplicates().sort_values(["node", "position"])
    nodes = places["node"].astype("str").tolist()
    starts = [True, *(one != other for one, other in pairwise(nodes))]
    slots = np.arange(len(nodes)) + np.cumsum(starts)  # a line with its name goes before each node
    height = int(slots[-1]) + 1
    times = timed["time"].dt.as_unit("ns").astype("int64").to_numpy()
    first, last = int(times.min()), int(times.max())
    if first == last:
        first, last = first - _HOUR_NS, last + _HOUR_NS
    column = ((times - first) / (last - first) * COLUMNS).astype(np.int64).clip(0, COLUMNS - 1)
    slot = timed.merge(places.assign(slot=slots), on=["node", "position"], how="left")["slot"].to_numpy()
    image = _image(timed, slot, column, height)
    figure = Figure(figsize=(9.2, min(0.9 + ROW * height, TALLEST)))
    axis = figure.subplots()
    left, right = (float(mdates.date2num(np.datetime64(time, "ns"))) for time in (first, last))
    axis.imshow(image, aspect="auto", extent=(left, right, height - 0.5, -0.5), zorder=2)
    _name(axis, places, slots, starts, vsns)
    locator = mdates.AutoDateLocator()
    axis.xaxis.set_major_locator(locator)
    axis.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))
    axis.set_xlabel("UTC")
    axis.spines["left"].set_visible(False)
    _legend(figure, timed)
    return figure


def _image(
    timed: pd.DataFrame, slot: NDArray[np.int64], column: NDArray[np.int64], height: int
) -> NDArray[np.uint8]:
    """(height · LINES, COLUMNS, 4) RGBA, 0 to 255."""
    image = np.zeros((height, LINES, COLUMNS, 4), dtype=np.uint8)
    usable = timed["usable"].to_numpy()
    light = timed["daylight"].astype("str").to_numpy()
    for kind, (top, bottom) in BANDS.items():
        of_kind = ~usable if kind == HELD else usable & (light == kind)
        place = slot[of_kind] * COLUMNS + column[of_kind]
        counts = np.bincount(place, minlength=height * COLUMNS).reshape(height, COLUMNS)
        if not counts.any():
            continue
        full = np.quantile(counts[counts > 0], 0.95)
        opacity = np.where(counts > 0, FAINTEST + (1 - FAINTEST) * np.clip(counts / full, 0, 1), 0.0)
        if kind == HELD:
            opacity = (counts > 0).astype(np.float64)  # few, and not to be missed
        colour = QUARANTINE if kind == HELD else COLOURS[kind]
        drawn = np.zeros((height, COLUMNS, 4), dtype=np.uint8)
        drawn[counts > 0, :3] = [round(255 * part) for part in to_rgb(colour)]
        drawn[..., 3] = np.rint(255 * opacity)
        image[:, top:bottom] = np.where(counts[:, None, :, None] > 0, drawn[:, None], image[:, top:bottom])
    return image.reshape(height * LINES, COLUMNS, 4)


def _name(
    axis: Axes, places: pd.DataFrame, slots: NDArray[np.int64], starts: list[bool], vsns: dict[str, str]
) -> None:
    axis.set_yticks(slots, places["position"].astype("str").tolist())
    axis.tick_params(axis="y", labelsize=7)
    for node, slot, begins in zip(places["node"].astype("str"), slots, starts, strict=True):
        axis.axhspan(slot - 0.45, slot + 0.45, color=RULE, alpha=0.45, linewidth=0, zorder=1)
        if begins:
            name = vsns.get(node) or node
            axis.annotate(
                f"{name}  position",
                (0, slot - 1),
                xycoords=("axes fraction", "data"),
                xytext=(-4, 0),
                textcoords="offset points",
                ha="right",
                va="center",
                fontsize=7.5,
                fontweight="bold",
                color=INK,
            )


def _legend(figure: Figure, timed: pd.DataFrame) -> None:
    kinds = set(timed.loc[timed["usable"], "daylight"].astype("str"))
    names = {"day": "day", "twilight": "twilight", "night": "night", UNKNOWN: "daylight unknown"}
    handles = [Patch(color=COLOURS[kind], label=name) for kind, name in names.items() if kind in kinds]
    if not timed["usable"].all():
        handles.append(Patch(color=QUARANTINE, label="in quarantine"))
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
