"""Crops and colours in one pass over memory each, compiled for the CPU by Numba, where that is installed.

They do what `resample.separable` and `Photometric.rgb` do by torch's operations, to float32's last digits.
Those go over a crop a score of times. Compiling takes some seconds, once for each machine: the code is kept
beside this file, or where NUMBA_CACHE_DIR says.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]

_ZERO, _ONE = np.float32(0), np.float32(1)
_RED, _GREEN, _BLUE = np.float32(0.299), np.float32(0.587), np.float32(0.114)  # ITU-R BT.601

_PART = 4096  # pixels that are summed up in float32

_compiled = njit(fastmath=True, error_model="numpy", nogil=True, cache=True)


@_compiled
def cut(
    images: NDArray[Any],
    row: Indices,
    row_weight: Floats,
    column: Indices,
    column_weight: Floats,
    crops: Floats,
) -> None:
    """Fills crops from images: sums over rows, line by line, and then over columns, while the line is near.

    Args:
        images: (B, H, W, C) integers.
        row: (N·B, h, K) rows of the image that count for a row of the crop, and
        row_weight: how much.
        column: (N·B, w, L) likewise, and
        column_weight: how much.
        crops: (N·B, C, h, w), round by round; overwritten.
    """
    b, _, width, channels = images.shape
    n, _, h, w = crops.shape
    rows, columns = row.shape[2], column.shape[2]
    line = np.empty(width * channels, np.float32)
    start = np.empty((columns, w), np.int32)
    weight = np.empty((columns, w), np.float32)
    for i in range(n):
        first, last = column[i].min(), column[i].max() + 1
        size = (last - first) * channels
        for x in range(w):
            for k in range(columns):
                start[k, x] = (column[i, x, k] - first) * channels
                weight[k, x] = column_weight[i, x, k]
        used = columns
        while used > 2 and not weight[used - 1].any():
            used -= 1
        image = images[i % b].reshape(images.shape[1], width * channels)[
            :, first * channels : last * channels
        ]
        for y in range(h):
            source, factor = image[row[i, y, 0]], row_weight[i, y, 0]
            for j in range(size):
                line[j] = factor * np.float32(source[j])
            for k in range(1, rows):
                source, factor = image[row[i, y, k]], row_weight[i, y, k]
                if factor != _ZERO:
                    for j in range(size):
                        line[j] += factor * np.float32(source[j])
            for c in range(channels):
                out = crops[i, c, y]
                _across(line[c:], start[:used], weight[:used], out)


@_compiled
def _across(line: Floats, start: NDArray[np.int32], weight: Floats, out: Floats) -> None:
    """Sums over the columns of a line; the counts that are usual have no loop within the loop."""
    w, columns = out.shape[0], start.shape[0]
    if columns == 2:
        for x in range(w):
            out[x] = weight[0, x] * line[start[0, x]] + weight[1, x] * line[start[1, x]]
    elif columns == 3:
        for x in range(w):
            out[x] = (
                weight[0, x] * line[start[0, x]]
                + weight[1, x] * line[start[1, x]]
                + weight[2, x] * line[start[2, x]]
            )
    else:
        for x in range(w):
            out[x] = (
                weight[0, x] * line[start[0, x]]
                + weight[1, x] * line[start[1, x]]
                + weight[2, x] * line[start[2, x]]
                + weight[3, x] * line[start[3, x]]
            )
        for k in range(4, columns):
            for x in range(w):
                out[x] += weight[k, x] * line[start[k, x]]


@_compiled
def colour(
    rgb: Floats, brightness: Floats, contrast: Floats, saturation: Floats, gray: NDArray[np.bool_]
) -> None:
    """Changes pictures, (B, 3, P), 0…1, in place, each by its (B,) numbers; see `Photometric`."""
    for i in range(len(rgb)):
        _colour(rgb[i, 0], rgb[i, 1], rgb[i, 2], brightness[i], contrast[i], saturation[i])
        if gray[i]:
            _gray(rgb[i, 0], rgb[i, 1], rgb[i, 2])


@_compiled
def _colour(
    red: Floats,
    green: Floats,
    blue: Floats,
    brightness: np.float32,
    contrast: np.float32,
    saturation: np.float32,
) -> None:
    pixels = len(red)
    total = 0.0
    for start in range(0, pixels, _PART):
        total += _bright(
            red[start : start + _PART], green[start : start + _PART], blue[start : start + _PART], brightness
        )
    mean = np.float32(total / pixels) * (_ONE - contrast)
    for p in range(pixels):
        r = max(min(red[p] * contrast + mean, _ONE), _ZERO)
        g = max(min(green[p] * contrast + mean, _ONE), _ZERO)
        b = max(min(blue[p] * contrast + mean, _ONE), _ZERO)
        luma = (_RED * r + _GREEN * g + _BLUE * b) * (_ONE - saturation)
        red[p] = max(min(r * saturation + luma, _ONE), _ZERO)
        green[p] = max(min(g * saturation + luma, _ONE), _ZERO)
        blue[p] = max(min(b * saturation + luma, _ONE), _ZERO)


@_compiled
def _bright(red: Floats, green: Floats, blue: Floats, brightness: np.float32) -> np.float32:
    """The sum of lumas after the change."""
    total = _ZERO
    for p in range(len(red)):
        r = max(min(red[p] * brightness, _ONE), _ZERO)
        g = max(min(green[p] * brightness, _ONE), _ZERO)
        b = max(min(blue[p] * brightness, _ONE), _ZERO)
        red[p] = r
        green[p] = g
        blue[p] = b
        total += _RED * r + _GREEN * g + _BLUE * b
    return total


@_compiled
def _gray(red: Floats, green: Floats, blue: Floats) -> None:
    for p in range(len(red)):
        luma = _RED * red[p] + _GREEN * green[p] + _BLUE * blue[p]
        red[p] = luma
        green[p] = luma
        blue[p] = luma
