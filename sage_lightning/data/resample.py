"""Crop, flip and resize a batch, each image by a box of its own, antialiased: out = W_y · image · W_xᵀ.

The rows of W are triangle filters as wide as an output pixel (at least an input pixel), as in Pillow and in
torch's `interpolate(mode="bilinear", antialias=True)`. Pixels just outside a box but inside the image count.

A row of W has a few numbers that are not 0, its taps, and `embedding_bag` is the sum of a few weighted lines of
memory. So each axis takes its turn as the outer one, with a transposition before it.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import channel_shuffle, embedding_bag


class Taps(NamedTuple):
    """The rows of a matrix of which few numbers are not 0.

    Attributes:
        pixel: (R, out, K) int64, which pixels of a line count.
        weight: (R, out, K), how much; 0 where fewer than K do.
    """

    pixel: Tensor
    weight: Tensor


def crop_resize(images: Tensor, boxes: Tensor, size: tuple[int, int], flip: Tensor) -> Tensor:
    """Cuts a box, or several, out of each image and resizes them.

    Args:
        images: (B, C, H, W), floating point, or uint8, of which 255 becomes 1.
        boxes: (N·B, 4) top, left, height, width as fractions of the image: N rounds of one box an image.
        size: (h, w) of the result in pixels.
        flip: (N·B,) bool, whether to mirror left and right.

    Returns:
        (N·B, C, h, w), round by round; float32 where images are integers.
    """
    whole = 1.0
    if not images.is_floating_point():
        images, whole = images.float(), 255.0
    top, left, height, width = boxes.to(images.dtype).unbind(1)
    rows = _triangles(top, height, images.shape[2], size[0])
    columns = _triangles(left, width, images.shape[3], size[1], flip)
    return separable(images, rows, Taps(columns.pixel, columns.weight / whole))


def crop_resize_missing(frames: Tensor, boxes: Tensor, size: tuple[int, int], flip: Tensor) -> Tensor:
    """`crop_resize` of a thermal frame: missing values weigh nothing; where nothing weighs, it is missing.

    Args:
        frames: (B, h, w), NaN where missing; or uint16, 0 where missing.
        boxes: as of `crop_resize`, as the next two.
        size: of the result.
        flip: whether to mirror.

    Returns:
        (N·B, *size) in the unit of `frames`, NaN where missing; float32 where those are integers.
    """
    if frames.is_floating_point():
        known, frames = (~frames.isnan()).to(frames.dtype), frames.nan_to_num(0.0)
    else:
        frames = frames.float()
        known = frames.clamp_max(1.0)  # 0 or at least 1
    parts = torch.stack([frames, known], dim=1)
    total, weight = crop_resize(parts, boxes, size, flip).unbind(1)
    return total / weight  # 0 / 0 is NaN


def separable(images: Tensor, rows: Taps, columns: Taps) -> Tensor:
    """Applies a matrix to the rows and one to the columns of each image, or N of each, round by round.

    Args:
        images: (B, C, H, W).
        rows: of h × H matrices, N·B of them, or one for all images.
        columns: of w × W matrices likewise.

    Returns:
        (N·B, C, h, w).
    """
    b, c, height, width = images.shape
    n = max(len(rows.pixel), b)
    # (W, C, H) a picture is the transpose of both orders of bytes that come here, so that none is copied twice.
    if images.is_contiguous():
        flat = images.view(b, c * height, width)
    else:
        flat = images.permute(0, 2, 3, 1).reshape(b, height, width * c)
    image = torch.arange(n, device=images.device)[:, None, None] % b
    upright = _sums(_transposed(flat).view(b * width, c * height), columns.pixel + width * image, columns.weight)
    lines = _transposed(upright.view(n, -1, c * height)).view(n * c * height, -1)
    plane = torch.arange(n * c, device=images.device).view(n, c, 1, 1)
    found = _sums(lines, rows.pixel[:, None] + height * plane, rows.weight[:, None])
    return found.view(n, c, -1, found.shape[1])


def _sums(lines: Tensor, line: Tensor, weight: Tensor) -> Tensor:
    """(L, D) lines of memory to (R, D): of each row of `line`, (..., K), the weighted sum."""
    weight = weight.expand_as(line).reshape(-1, line.shape[-1])
    return embedding_bag(line.reshape(weight.shape), lines, mode="sum", per_sample_weights=weight)


def _transposed(matrices: Tensor) -> Tensor:
    """(B, R, S) to (B, S, R), contiguous.

    Shuffling channels between groups is a transposition, and the one that torch does by vector instructions.
    """
    b, r, s = matrices.shape
    channels_last = (r * s, 1, r * s, r * s)
    shuffled = channel_shuffle(matrices.contiguous().as_strided((b, r * s, 1, 1), channels_last), r)
    return shuffled.as_strided((b, s, r), (r * s, r, 1))


def _triangles(start: Tensor, length: Tensor, size_in: int, size_out: int, flip: Tensor | None = None) -> Taps:
    """Weights that resample the boxes (R,), (R,) of one axis to size_out pixels, for some from end to start."""
    scale = (length * size_in / size_out)[:, None]  # input pixels an output pixel
    out = torch.arange(size_out, device=start.device)
    if flip is not None:
        out = torch.where(flip[:, None], size_out - 1 - out, out)
    centre = start[:, None] * size_in + (out.to(start.dtype) + 0.5) * scale
    reach = scale.clamp_min(1.0)
    # Pixel centres are at a half; what is nearer than `reach` counts, which are never more than these.
    first = (centre - reach - 0.5).floor() + 1
    taps = torch.arange(math.ceil(2 * max(size_in / size_out, 1.0)), device=start.device)
    pixel = first[:, :, None] + taps
    weight = (1 - (pixel + 0.5 - centre[:, :, None]).abs() / reach[:, :, None]).clamp_min(0.0)
    weight = weight * ((pixel >= 0) & (pixel < size_in))
    return Taps(pixel.clamp(0, size_in - 1).long(), weight / weight.sum(2, keepdim=True))
