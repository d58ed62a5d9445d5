"""Pairs on a sheet: clusters, retrieval right and wrong, and where the towers look. RGB beside thermal."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sage_lightning.evaluation.figures.sheet import Pictures, Sheet
from sage_lightning.evaluation.figures.style import RIGHT, styled

Array = NDArray[Any]

FULL_LIGHT = 4.0  # times an even share of the attention


@dataclass(frozen=True)
class Search:
    """One query: a picture, and where its own thermal frame stood among those of its position.

    Attributes:
        query: the pair's place in the Pictures.
        found: places of the best five, best first.
        rank: expected rank of the partner.
        among: size of the gallery.
        title: where and when.
    """

    query: int
    found: list[int]
    rank: float
    among: int
    title: str


@styled
def cluster_sheet(pictures: Pictures, clusters: Sequence[tuple[str, Sequence[int]]]) -> Figure:
    """A line a cluster, a few pairs each.

    Args:
        pictures: what the places point into.
        clusters: name and places of each cluster's examples.
    """
    most = max(len(places) for _, places in clusters)
    sheet = Sheet(pictures, columns=2 * most, lines=len(clusters), margin=0.55, head=0.2)
    for line, (name, places) in enumerate(clusters):
        sheet.name_line(line, name)
        for number, place in enumerate(places):
            sheet.picture(line, 2 * number, pictures.rgb[place])
            sheet.thermal(line, 2 * number + 1, place)
    sheet.scale()
    return sheet.figure


@styled
def retrieval_sheet(pictures: Pictures, searches: Sequence[Search]) -> Figure:
    """A line a query: the picture, its own thermal frame, and the best that were found in its position."""
    most = max(len(search.found) for search in searches)
    sheet = Sheet(pictures, columns=2 + most, lines=len(searches), head=0.2, foot=0.2)
    for column, name in enumerate(["query", "its own", *(f"found {n + 1}" for n in range(most))]):
        sheet.name_column(column, name)
    for line, search in enumerate(searches):
        sheet.picture(line, 0, pictures.rgb[search.query])
        sheet.thermal(line, 1, search.query)
        sheet.note(line, 0, search.title)
        sheet.note(line, 2, f"own frame at rank {search.rank:g} of {search.among}")
        for column, place in enumerate(search.found, start=2):
            sheet.thermal(line, column, place)
            if place == search.query:
                sheet.frame(line, column, RIGHT)
    sheet.scale()
    return sheet.figure


@styled
def attention_sheet(pictures: Pictures, rgb_maps: Array, ir_maps: Array) -> Figure:
    """Where each tower looks: the picture, then the same lit by its attention. Two pairs a line.

    Args:
        pictures: N pairs.
        rgb_maps: (N, rows, columns) weights over the picture.
        ir_maps: (N, rows', columns') weights over the thermal frame.
    """
    sheet = Sheet(pictures, columns=8, lines=-(-len(pictures.rgb) // 2), head=0.2)
    for column, name in enumerate(["RGB", "attention", "thermal", "attention"] * 2):
        sheet.name_column(column, name)
    for place, picture in enumerate(pictures.rgb):
        line, first = place // 2, 4 * (place % 2)
        heat = pictures.heat(place)
        sheet.picture(line, first, picture)
        sheet.picture(line, first + 1, _lit(picture / 255, rgb_maps[place]))
        sheet.picture(line, first + 2, heat)
        sheet.picture(line, first + 3, _lit(heat, ir_maps[place]))
    return sheet.figure


def _lit(image: Array, weights: Array) -> Array:
    """(H, W, 3) in 0..1: the image's gray under warm light, which an even share of attention leaves dim."""
    rows = (np.arange(image.shape[0]) * weights.shape[0]) // image.shape[0]
    columns = (np.arange(image.shape[1]) * weights.shape[1]) // image.shape[1]
    shares = weights / max(float(weights.mean()), 1e-12)
    light = np.clip(shares / FULL_LIGHT, 0, 1)[rows][:, columns]
    gray = image.mean(axis=-1, keepdims=True)
    return 0.4 * gray + 0.6 * colormaps["magma"](light)[..., :3]
