"""One crop's brightness, contrast, saturation and normalisation in two passes over it."""

import numpy as np
from numpy import float32
from numpy.typing import NDArray

from sage_lightning.machine_code import machine_code


@machine_code("void(float32[:, ::1], float32, float32[::1])", fused=True)
def brighten(crop: NDArray[np.float32], factor: float, sums: NDArray[np.float32]) -> None:
    """Multiplies by a factor, in place, within 0…1.

    Args:
        crop: (h, 3·w), colours side by side.
        factor: of all of it.
        sums: (3·w,), written: of each column.
    """
    zero, one = float32(0), float32(1)
    sums[:] = 0
    for y in range(len(crop)):
        line = crop[y]
        for x in range(line.size):
            value = line[x] * factor
            value = zero if value < zero else value
            value = one if value > one else value
            line[x] = value
            sums[x] += value


@machine_code(
    "void(float32[:, ::1], float32[::1], float32[::1], float32, float32, boolean, float32[::1], float32[::1],"
    " float32[:, :, ::1])",
    fused=True,
)
def recolour(
    crop: NDArray[np.float32],
    sums: NDArray[np.float32],
    luma: NDArray[np.float32],
    contrast: float,
    saturation: float,
    gray: bool,
    mean: NDArray[np.float32],
    scale: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Contrast about the mean luma, saturation about each pixel's, luma alone if gray; then normalises.

    Args:
        crop: (h, 3·w), colours side by side.
        sums: (3·w,), of each column.
        luma: (3,), the share of each colour in it.
        contrast: factor.
        saturation: factor.
        gray: whether the luma is all that is left.
        mean: (3,), subtracted.
        scale: (3,), multiplied by.
        out: (3, h, w), written.
    """
    zero, one = float32(0), float32(1)
    _, h, w = out.shape
    total = 0.0
    for x in range(w):
        total += luma[0] * sums[3 * x] + luma[1] * sums[3 * x + 1] + luma[2] * sums[3 * x + 2]
    middle = float32(total / (h * w)) * (one - contrast)
    red_share, green_share, blue_share = luma[0], luma[1], luma[2]
    for y in range(h):
        line, reds, greens, blues = crop[y], out[0, y], out[1, y], out[2, y]
        for x in range(w):
            red = line[3 * x] * contrast + middle
            green = line[3 * x + 1] * contrast + middle
            blue = line[3 * x + 2] * contrast + middle
            red = zero if red < zero else (one if red > one else red)
            green = zero if green < zero else (one if green > one else green)
            blue = zero if blue < zero else (one if blue > one else blue)
            grey = (red_share * red + green_share * green + blue_share * blue) * (one - saturation)
            red = red * saturation + grey
            green = green * saturation + grey
            blue = blue * saturation + grey
            red = zero if red < zero else (one if red > one else red)
            green = zero if green < zero else (one if green > one else green)
            blue = zero if blue < zero else (one if blue > one else blue)
            if gray:
                red = green = blue = red_share * red + green_share * green + blue_share * blue
            reds[x] = (red - mean[0]) * scale[0]
            greens[x] = (green - mean[1]) * scale[1]
            blues[x] = (blue - mean[2]) * scale[2]
