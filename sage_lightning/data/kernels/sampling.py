"""One crop of one stored picture or frame: rows first, a line at a time, then along that line."""

import numpy as np
from numpy import float32, uint64
from numpy.typing import NDArray

from sage_lightning.machine_code import machine_code

_TAPS = "int64[::1], float32[:, ::1], int64[::1], float32[:, ::1]"


def _sample_picture(
    picture: NDArray[np.generic],
    rows: NDArray[np.int64],
    row_weights: NDArray[np.float32],
    columns: NDArray[np.int64],
    column_weights: NDArray[np.float32],
    unit: float,
    line: NDArray[np.float32],
    crop: NDArray[np.float32],
) -> None:
    """Cuts and resizes.

    Args:
        picture: (1, H, 3·W), colours side by side; or (3, H, W).
        rows: (h,), the first that counts for each row, see `taps`.
        row_weights: (h, K).
        columns: (w,).
        column_weights: (w, L), L at least 4.
        unit: what a value is multiplied by.
        line: (3·(W + L),) of finite numbers, to work in.
        crop: (h, 3·w), written, colours side by side.
    """
    planes = len(picture)
    h, most = row_weights.shape
    w, across = column_weights.shape
    start, stop = columns.min(), min(columns.max() + across, line.size // 3 - across)
    seen = line[3 * start : 3 * stop]
    for y in range(h):
        seen[:] = 0
        for k in range(most):
            weight = row_weights[y, k] * unit
            if weight == 0:
                continue
            row = rows[y] + k
            if planes == 1:
                colours = picture[0, row, 3 * start : 3 * stop]
                for x in range(seen.size):
                    seen[x] += weight * float32(colours[x])
            else:
                reds, greens = picture[0, row, start:stop], picture[1, row, start:stop]
                blues = picture[2, row, start:stop]
                for x in range(reds.size):
                    seen[3 * x] += weight * float32(reds[x])
                    seen[3 * x + 1] += weight * float32(greens[x])
                    seen[3 * x + 2] += weight * float32(blues[x])
        into = crop[y]
        for x in range(w):
            at = uint64(columns[x]) * uint64(3)
            a, b = column_weights[x, 0], column_weights[x, 1]
            c, d = column_weights[x, 2], column_weights[x, 3]
            red = a * line[at] + b * line[at + uint64(3)]
            red += c * line[at + uint64(6)] + d * line[at + uint64(9)]
            green = a * line[at + uint64(1)] + b * line[at + uint64(4)]
            green += c * line[at + uint64(7)] + d * line[at + uint64(10)]
            blue = a * line[at + uint64(2)] + b * line[at + uint64(5)]
            blue += c * line[at + uint64(8)] + d * line[at + uint64(11)]
            for k in range(4, across):
                at = uint64(columns[x] + k) * uint64(3)
                weight = column_weights[x, k]
                red += weight * line[at]
                green += weight * line[at + uint64(1)]
                blue += weight * line[at + uint64(2)]
            into[3 * x], into[3 * x + 1], into[3 * x + 2] = red, green, blue


def _sample_frame(
    frame: NDArray[np.generic],
    coded: bool,
    complete: bool,
    rows: NDArray[np.int64],
    row_weights: NDArray[np.float32],
    columns: NDArray[np.int64],
    column_weights: NDArray[np.float32],
    lines: NDArray[np.float32],
    crop: NDArray[np.float32],
) -> None:
    """Cuts and resizes; missing values weigh nothing, and where nothing weighs, NaN is written.

    Args:
        frame: (H, W).
        coded: whether 0 is missing, and not NaN.
        complete: whether nothing is missing.
        rows: as of a picture, as the next three.
        row_weights: (h, K).
        columns: (w,).
        column_weights: (w, L), L at least 4.
        lines: (2, W + L) of finite numbers, to work in.
        crop: (h, w), written, in the unit of `frame`.
    """
    h, most = row_weights.shape
    w, across = column_weights.shape
    start, stop = columns.min(), min(columns.max() + across, frame.shape[1])
    line, known = lines[0], lines[1]
    seen, seen_known = line[start:stop], known[start:stop]
    zero, one = float32(0), float32(1)
    for y in range(h):
        seen[:] = 0
        seen_known[:] = 0
        for k in range(most):
            weight = row_weights[y, k]
            if weight == 0:
                continue
            values = frame[rows[y] + k, start:stop]
            if complete:
                for x in range(seen.size):
                    seen[x] += weight * float32(values[x])
            else:
                for x in range(seen.size):
                    value = float32(values[x])
                    there = value != zero if coded else value == value
                    seen[x] += weight * (value if there else zero)
                    seen_known[x] += weight * (one if there else zero)
        into = crop[y]
        for x in range(w):
            at = uint64(columns[x])
            a, b = column_weights[x, 0], column_weights[x, 1]
            c, d = column_weights[x, 2], column_weights[x, 3]
            total = a * line[at] + b * line[at + uint64(1)]
            total += c * line[at + uint64(2)] + d * line[at + uint64(3)]
            for k in range(4, across):
                total += column_weights[x, k] * line[at + uint64(k)]
            if not complete:
                weight = zero
                for k in range(across):
                    weight += column_weights[x, k] * known[at + uint64(k)]
                total = total / weight if weight > zero else float32(np.nan)
            into[x] = total


_PICTURE = f"void({{}}[:, :, ::1], {_TAPS}, float32, float32[::1], float32[:, ::1])"
_FRAME = f"void({{}}[:, ::1], boolean, boolean, {_TAPS}, float32[:, ::1], float32[:, ::1])"
sample_picture = {
    kind: machine_code(_PICTURE.format(kind), fused=True)(_sample_picture) for kind in ("uint8", "float32")
}
sample_frame = {
    kind: machine_code(_FRAME.format(kind), fused=True)(_sample_frame) for kind in ("uint16", "float32")
}
