"""Representations without labels from pairs of RGB and thermal images."""

from sage_lightning.version import __version__

__all__ = ["__version__"]
