"""Directions: at what angles the optical half looks, and where the thermal field of view lies in it."""

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sage_lightning.sage.picture import CROP_BOX
from sage_lightning.sage.positions import VIEWS, View

Floats = NDArray[np.float32]
Scalar = TypeVar("Scalar", bound=np.generic)

FIELD_OF_VIEW = (45.0, 36.0)  # degrees of azimuth and elevation that the thermal sensor sees
ELEVATION: dict[View, float] = {"sky": 35.0, "horizon": 5.0, "below": -20.0, "ground": -50.0}  # of its centre

_LEFT, _TOP, _RIGHT, _BOTTOM = CROP_BOX


@dataclass(frozen=True)
class ViewGrid:
    """The grid on which a frame's scene is drawn, once for both sensors: the optical field of view.

    It is as fine as the thermal picture. Angles are proportional to pixels, as in an equirectangular map.

    Attributes:
        position: preset 1–32.
        thermal_size: (w, h) of the thermal picture, pixels.
    """

    position: int
    thermal_size: tuple[int, int]

    @property
    def column(self) -> int:
        """0–7, from south through west."""
        return (self.position - 1) // len(VIEWS)

    @property
    def view(self) -> View:
        """The row of views."""
        return VIEWS[(self.position - 1) % len(VIEWS)]

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the grid."""
        width, height = self.thermal_size
        return math.ceil(height / (_BOTTOM - _TOP)), math.ceil(width / (_RIGHT - _LEFT))

    @property
    def azimuth(self) -> Floats:
        """(1, columns) degrees clockwise from north."""
        columns = self.shape[1]
        fraction = (np.arange(columns) + 0.5) / columns
        centre = 180 + 45 * self.column
        angle = centre + FIELD_OF_VIEW[0] * ((fraction - _LEFT) / (_RIGHT - _LEFT) - 0.5)
        return angle[None, :].astype(np.float32)

    @property
    def elevation(self) -> Floats:
        """(rows, 1) degrees above the horizon, falling from the top row down."""
        rows = self.shape[0]
        fraction = (np.arange(rows) + 0.5) / rows
        angle = ELEVATION[self.view] - FIELD_OF_VIEW[1] * ((fraction - _TOP) / (_BOTTOM - _TOP) - 0.5)
        return angle[:, None].astype(np.float32)

    def crop(self, field: NDArray[Scalar]) -> NDArray[Scalar]:
        """The part of a field on the grid that lies in the thermal field of view, to the pixel."""
        rows, columns = self.shape
        top, bottom = round(_TOP * rows), round(_BOTTOM * rows)
        return field[top:bottom, round(_LEFT * columns) : round(_RIGHT * columns)]

    def thermal(self, field: Floats) -> Floats:
        """What the thermal sensor's pixels see, (h, w), of a field on the grid."""
        rows, columns = self.shape
        box = (_LEFT * columns, _TOP * rows, _RIGHT * columns, _BOTTOM * rows)
        image = Image.fromarray(field)
        return np.array(image.resize(self.thermal_size, Image.Resampling.BILINEAR, box=box))
