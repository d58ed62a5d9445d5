"""A sheet of pictures: lines and columns of equal cells, names beside and above, one colour scale.

One matplotlib axes holds them all, in inches from the upper left; an axes a picture takes seconds to lay out.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.layout_engine import PlaceHolderLayoutEngine
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from sage_lightning.evaluation.figures.style import HEAT, INK, MUTED

Array = NDArray[Any]

WIDTH = 9.2  # inches, of every sheet
GAP = 0.04
SCALE_WIDTH = 0.62  # at the right, for the colour scale and its numbers


@dataclass(frozen=True)
class Pictures:
    """Pairs to draw.

    Attributes:
        rgb: (N, H, W, 3) uint8.
        degrees: (N, h, w) of the same field of view, NaN where missing.
        unit: of the degrees, as "°C".
    """

    rgb: Array
    degrees: Array
    unit: str

    def limits(self) -> tuple[float, float]:
        """A common colour scale: the 1st and 99th percentile of all frames."""
        values = self.degrees[np.isfinite(self.degrees)]
        if len(values) == 0:
            return 0.0, 1.0
        low, high = np.quantile(values, [0.01, 0.99])
        return float(low), float(max(high, low + 0.1))

    def heat(self, place: int) -> Array:
        """(h, w, 3) in 0..1: one frame in the sheet's colours; missing pixels are gray."""
        degrees = self.degrees[place]
        colours = colormaps[HEAT](Normalize(*self.limits(), clip=True)(degrees))[..., :3]
        return np.where(np.isnan(degrees)[..., None], 0.5, colours)


class Sheet:
    """An empty sheet.

    Args:
        pictures: give the cells their shape and the scale its limits.
        columns: of cells.
        lines: of cells.
        margin: inches at the left for the names of lines.
        head: inches above for the names of columns.
        foot: inches under each line for notes.
    """

    def __init__(
        self,
        pictures: Pictures,
        columns: int,
        lines: int,
        margin: float = 0.0,
        head: float = 0.0,
        foot: float = 0.0,
    ) -> None:
        height, width = pictures.rgb.shape[1:3]
        self.pictures = pictures
        self.margin, self.head = margin, head
        self.cell = (WIDTH - margin - SCALE_WIDTH) / columns
        self.tall = (self.cell - GAP) * height / width
        self.step = self.tall + GAP + foot
        total = head + lines * self.step
        self.figure = Figure(figsize=(WIDTH, total), layout=PlaceHolderLayoutEngine(False, False))
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set(xlim=(0, WIDTH), ylim=(total, 0))
        self.axes.set_axis_off()

    def picture(self, line: int, column: int, image: Array) -> None:
        """Draws an image, (H, W, 3), into a cell."""
        left, top = self._corner(line, column)
        self.axes.imshow(image, extent=(left, left + self.cell - GAP, top + self.tall, top), aspect="auto")

    def thermal(self, line: int, column: int, place: int) -> None:
        """Draws a thermal frame of the pictures into a cell."""
        self.picture(line, column, self.pictures.heat(place))

    def sensor(self, line: int, column: int, place: int, sensor: str) -> None:
        """Draws one sensor's picture, "rgb" or "ir", of a pair into a cell."""
        if sensor == "rgb":
            self.picture(line, column, self.pictures.rgb[place])
        else:
            self.thermal(line, column, place)

    def frame(self, line: int, column: int, colour: str) -> None:
        """Puts a frame around a cell."""
        corner = self._corner(line, column)
        size = self.cell - GAP, self.tall
        self.axes.add_patch(Rectangle(corner, *size, fill=False, edgecolor=colour, linewidth=2.4))

    def note(self, line: int, column: int, text: str) -> None:
        """Writes under a cell."""
        left, top = self._corner(line, column)
        self.axes.text(left, top + self.tall + 0.04, text, fontsize=7, color=MUTED, va="top")

    def name_line(self, line: int, text: str) -> None:
        """Writes to the left of a line."""
        _, top = self._corner(line, 0)
        self.axes.text(0, top + self.tall / 2, text, fontsize=7.5, color=INK, va="center")

    def name_column(self, column: int, text: str) -> None:
        """Writes above a column."""
        left, _ = self._corner(0, column)
        self.axes.text(left, self.head - 0.05, text, fontsize=8, color=INK, va="bottom")

    def scale(self) -> None:
        """Draws the degrees' colour scale at the right."""
        total, top, left = self.axes.get_ylim()[0], self.head + 0.07, WIDTH - SCALE_WIDTH + 0.08
        tall = min(2.2, total - top - 2 * GAP)
        place = (left / WIDTH, 1 - (top + tall) / total, 0.09 / WIDTH, tall / total)
        shades = ScalarMappable(Normalize(*self.pictures.limits()), colormaps[HEAT])
        bar = self.figure.colorbar(shades, cax=self.figure.add_axes(place))
        # From the edge to the left, so that a long unit is not cut off.
        self.axes.text(
            WIDTH, self.head - 0.05, self.pictures.unit, fontsize=8, color=INK, va="bottom", ha="right"
        )
        bar.outline.set_visible(False)
        bar.ax.tick_params(length=0, labelsize=7)

    def _corner(self, line: int, column: int) -> tuple[float, float]:
        return self.margin + column * self.cell, self.head + line * self.step
