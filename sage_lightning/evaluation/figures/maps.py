"""Embeddings on paper: PCA → t-SNE, coloured by what is known of the pairs."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.preprocessing import normalize

from sage_lightning.clustering.cluster import NAME_OF_NOISE
from sage_lightning.evaluation.figures.style import (
    AMOUNT,
    HOUR,
    INK,
    KINDS,
    SENSOR_NAMES,
    bare,
    named,
    styled,
)

Array = NDArray[Any]

MOST_POINTS = 1000
PCA_COMPONENTS = 50
PERPLEXITY = 30.0
GREY = "#b7bcc6"  # null, and noise
POINT = 5
NAME: dict[str, Any] = {"fontsize": 7.5, "fontweight": "bold", "color": INK, "ha": "center", "va": "center"}


def flatten(embedding: Array) -> Array:
    """(N, D) → (N, 2): L2-normalised, 50 principal components, t-SNE (van der Maaten and Hinton 2008)."""
    x = normalize(embedding.astype(np.float64))
    x = PCA(min(PCA_COMPONENTS, *x.shape), random_state=0).fit_transform(x)
    perplexity = min(PERPLEXITY, (len(x) - 1) / 3)
    return TSNE(perplexity=perplexity, init="pca", max_iter=500, random_state=0).fit_transform(x)


@styled
def embedding_maps(points: dict[str, Array], columns: dict[str, dict[str, pd.Series]]) -> Figure:
    """A row a sensor, a column a colouring.

    Args:
        points: sensor → (N, 2).
        columns: sensor → column name → (N,) values; the same names for every sensor.
    """
    names = list(next(iter(columns.values())))
    figure = Figure(figsize=(2.35 * len(names), 2.4 * len(points) + 0.35))
    axes = figure.subplots(len(points), len(names), squeeze=False)
    for row, (sensor, places) in enumerate(points.items()):
        for axis, name in zip(axes[row], names, strict=True):
            _coloured(figure, axis, places, columns[sensor][name], name)
            bare(axis)
            if row == 0:
                axis.set_title(named(name))
        axes[row, 0].set_ylabel(f"{SENSOR_NAMES[sensor]} embedding")
    return figure


def _coloured(figure: Figure, axis: Axes, places: Array, values: pd.Series, name: str) -> None:
    known = values.notna().to_numpy()
    x, y = places[~known].T
    axis.scatter(x, y, s=POINT, linewidths=0, rasterized=True, color=GREY)
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        _amounts(figure, axis, places[known], values[known].to_numpy(np.float64), cyclic=name == "local_hour")
    else:
        _kinds(axis, places[known], values[known].astype(str).to_numpy())


def _amounts(figure: Figure, axis: Axes, places: Array, values: Array, *, cyclic: bool) -> None:
    low, high = (0.0, 24.0) if cyclic else np.quantile(values, [0.02, 0.98])
    x, y = places.T
    # thousands of points as vectors would make a page of megabytes
    shown = axis.scatter(
        x,
        y,
        c=values,
        s=POINT,
        linewidths=0,
        rasterized=True,
        cmap=HOUR if cyclic else AMOUNT,
        vmin=low,
        vmax=high,
    )
    bar = figure.colorbar(shown, ax=axis, orientation="horizontal", fraction=0.05, pad=0.02, aspect=30)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, labelsize=7)
    if cyclic:
        bar.set_ticks([0, 6, 12, 18, 24])


def _kinds(axis: Axes, places: Array, values: Array) -> None:
    kinds = sorted(set(values), key=lambda kind: (len(kind), kind))
    for number, kind in enumerate(kinds):
        colour = GREY if kind == NAME_OF_NOISE else colormaps[KINDS](number % 20)
        x, y = places[values == kind].T
        axis.scatter(x, y, s=POINT, linewidths=0, rasterized=True, color=colour)
        # a kind's name stands where most of it lies
        axis.text(float(np.median(x)), float(np.median(y)), kind, **NAME)
