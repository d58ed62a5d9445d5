"""Pairs on a sheet: clusters, retrieval right and wrong, and where the towers look. RGB beside thermal."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sage_lightning.evaluation.figures.sheet import Pictures, Sheet
from sage_lightning.evaluation.figures.style import RIGHT, SENSOR_NAMES, styled

Array = NDArray[Any]

FULL_LIGHT = 4.0  # times an even share of the attention
MOST_COLUMNS = 14  # with more the pictures are too small to see


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
def retrieval_sheet(pictures: Pictures, searches: Sequence[Search], by: str) -> Figure:
    """A line a query: the picture, its own partner, and the best that were found in its position.

    Args:
        pictures: what the searches point into.
        searches: a line each.
        by: the sensor that asks, "rgb" or "ir"; the other one is found.
    """
    most = max(len(search.found) for search in searches)
    sheet = Sheet(pictures, columns=2 + most, lines=len(searches), head=0.2, foot=0.2)
    for column, name in enumerate(["query", "its own", *(f"found {n + 1}" for n in range(most))]):
        sheet.name_column(column, name)
    for line, search in enumerate(searches):
        sheet.sensor(line, 0, search.query, by)
        sheet.note(line, 0, search.title)
        sheet.note(line, 2, f"own frame at rank {search.rank:g} of {search.among}")
        other = "ir" if by == "rgb" else "rgb"
        sheet.sensor(line, 1, search.query, other)
        for column, place in enumerate(search.found, start=2):
            sheet.sensor(line, column, place, other)
            if place == search.query:
                sheet.frame(line, column, RIGHT)
    sheet.scale()
    return sheet.figure


@styled
def attention_sheet(pictures: Pictures, rgb_maps: Array, ir_maps: Array, attends: dict[str, bool]) -> Figure:
    """Where each head of each tower looks: a line a pair, RGB and its heads, thermal and its heads.

    Many heads take a line for each sensor.

    Args:
        pictures: N pairs, as the towers see them.
        rgb_maps: (N, heads, rows, columns) weights over the picture.
        ir_maps: (N, heads', rows', columns') weights over the thermal frame.
        attends: sensor → whether its maps are heads' attention; otherwise its one map says how strong the
            features are, which is lit by its own strongest place.
    """
    widths = {"rgb": 1 + rgb_maps.shape[1], "ir": 1 + ir_maps.shape[1]}
    one_line = sum(widths.values()) <= MOST_COLUMNS
    columns = sum(widths.values()) if one_line else max(widths.values())
    sheet = Sheet(pictures, columns, lines=len(pictures.rgb) * (1 if one_line else 2), head=0.2)
    for place, picture in enumerate(pictures.rgb):
        sides = {"rgb": (picture / 255, rgb_maps[place]), "ir": (pictures.heat(place), ir_maps[place])}
        for number, (sensor, (image, maps)) in enumerate(sides.items()):
            line, first = (place, number * widths["rgb"]) if one_line else (2 * place + number, 0)
            sheet.picture(line, first, image)
            for head, weights in enumerate(maps, start=1):
                full = FULL_LIGHT * weights.mean() if attends[sensor] else weights.max()
                sheet.picture(line, first + head, _lit(image, weights / max(float(full), 1e-12)))
                if place == 0 and one_line:
                    sheet.name_column(first + head, f"head {head}" if attends[sensor] else "features")
            if place == 0 and one_line:
                sheet.name_column(first, SENSOR_NAMES[sensor])
    if not one_line:
        for column in range(columns):
            sheet.name_column(column, str(column) if column else "seen")
    return sheet.figure


def _lit(image: Array, strength: Array) -> Array:
    """(H, W, 3) in 0..1: the image's gray under warm light, full where (rows, columns) strengths reach 1."""
    rows = (np.arange(image.shape[0]) * strength.shape[0]) // image.shape[0]
    columns = (np.arange(image.shape[1]) * strength.shape[1]) // image.shape[1]
    light = np.clip(strength, 0, 1)[rows][:, columns]
    gray = image.mean(axis=-1, keepdims=True)
    return 0.4 * gray + 0.6 * colormaps["magma"](light)[..., :3]
