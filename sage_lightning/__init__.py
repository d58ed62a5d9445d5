"""Representations without labels from pairs of RGB and thermal images.

import sage_lightning as sl

model = sl.load("outputs/train/<run>")
rgb = model.embed_rgb(sl.read_optical("picture.jpg"))
ir = model.embed_ir(sl.read_celsius("frame.thermal.celsius.csv"))
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sage_lightning.sage.celsius import read_celsius
from sage_lightning.sage.picture import read_optical
from sage_lightning.version import __version__

if TYPE_CHECKING:
    from sage_lightning.evaluation.embedder import Embedder

__all__ = ["__version__", "load", "read_celsius", "read_optical"]


def load(path: str | Path) -> "Embedder":
    """The trained towers of a run folder or a checkpoint, ready to embed.

    Raises:
        UserError: if there is no such checkpoint, or it cannot be read.
    """
    from sage_lightning.build import (
        learning,
    )  # torch takes seconds to import, and reading files does not need it

    return learning.load(Path(path))
