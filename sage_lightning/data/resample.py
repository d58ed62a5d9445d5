"""Crop, flip and resize a batch, each image by a box of its own, antialiased: out = W_y · image · W_xᵀ.

The rows of W are triangle filters as wide as an output pixel (at least an input pixel), as in Pillow and in
torch's `interpolate(mode="bilinear", antialias=True)`. Pixels just outside a box but inside the image count.

Few numbers of such a row are not 0. A weighted sum of a few lines of memory is what `embedding_bag` makes, on
any device, in one pass; so each axis becomes the outer one before its turn.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import channel_shuffle, embedding_bag

from sage_lightning.data.missing import complete


class Taps(NamedTuple):
    """R matrices of (out, in), by the numbers in them that may not be 0: K a row.

    Attributes:
        pixel: (R, out, K) int64, the columns where they stand.
        weight: (R, out, K).
    """

    pixel: Tensor
    weight: Tensor


class Cut(NamedTuple):
    """What is cut out of B images, N·B crops round by round.

    Attributes:
        boxes: (N·B, 4) top, left, height, width as fractions of the image; or (1, 4), one box for all.
        size: (h, w) of a crop in pixels.
        flip: (N·B,) bool, whether left and right are mirrored.
        upset: likewise, whether top and bottom are.
    """

    boxes: Tensor
    size: tuple[int, int]
    flip: Tensor
    upset: Tensor


def crop_resize(images: Tensor, boxes: Tensor, size: tuple[int, int], flip: Tensor) -> Tensor:
    """Cuts a box, or several, out of each image and resizes them.

    Args:
        images: (B, C, H, W), floating point, or uint8, of which 255 becomes 1.
        boxes: (N·B, 4) top, left, height, width as fractions of the image: N rounds of one box an image. Or
            (1, 4), one box for all.
        size: (h, w) of the result in pixels.
        flip: (N·B,) bool, whether to mirror left and right.

    Returns:
        (N·B, C, h, w), round by round; float32 where images are integers.
    """
    return resample(images, Cut(boxes, size, flip, torch.zeros_like(flip)))


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
    return resample_missing(frames, Cut(boxes, size, flip, torch.zeros_like(flip)))


def resample(images: Tensor, cut: Cut) -> Tensor:
    """(B, C, H, W) to (N·B, C, h, w), round by round; uint8 becomes 0…1."""
    rows, columns = triangles(cut, images)
    if images.is_floating_point():
        return separable(images, rows, columns)
    return separable(images.float(), rows, columns._replace(weight=columns.weight / 255))


def resample_missing(frames: Tensor, cut: Cut) -> Tensor:
    """(B, h, w), missing values NaN, or 0 among integers, to (N·B, …), missing values NaN."""
    how = triangles(cut, frames)
    if frames.is_floating_point():
        if complete(frames):
            return separable(frames[:, None], *how)[:, 0]
        values, known = frames.nan_to_num(0.0), (~frames.isnan()).to(frames.dtype)
    else:
        values = frames.float()
        known = values.clamp_max(1.0)  # codes are 0 or at least 1
        if known.device.type == "cpu" and known.amin() == 1:
            return separable(values[:, None], *how)[:, 0]
    total, weight = separable(torch.stack([values, known], dim=1), *how).unbind(1)
    return total / weight  # 0 / 0 is NaN


def triangles(cut: Cut, images: Tensor) -> tuple[Taps, Taps]:
    """What is done to the rows and to the columns of images, (…, H, W)."""
    height, width = images.shape[-2:]
    boxes = cut.boxes.to(images.dtype if images.is_floating_point() else torch.float32)
    top, left, tall, wide = boxes.unbind(1)
    return (
        _triangles(top, tall, height, cut.size[0], cut.upset),
        _triangles(left, wide, width, cut.size[1], cut.flip),
    )


def separable(images: Tensor, rows: Taps, columns: Taps) -> Tensor:
    """Applies a matrix to the rows and one to the columns of each image, or N of each, round by round.

    Args:
        images: (B, C, H, W), floating point.
        rows: h × H matrices, N·B of them, or one for all images.
        columns: w × W matrices, as many.

    Returns:
        (N·B, C, h, w).
    """
    b, c, height, width = images.shape
    n = max(len(rows.pixel), b)
    # Of both orders of bytes that come here, (C, H, W) and the store's (H, W, C), (W, C, H) is a transpose.
    if images.is_contiguous():
        flat = images.view(b, c * height, width)
    else:
        flat = images.permute(0, 2, 3, 1).reshape(b, height, width * c)
    source = torch.arange(n, device=images.device)[:, None, None] % b
    upright = _sums(
        _transposed(flat).view(b * width, c * height), columns.pixel + width * source, columns.weight
    )
    lines = _transposed(upright.view(n, -1, c * height)).view(n * c * height, -1)
    plane = torch.arange(n * c, device=images.device).view(n, c, 1, 1)
    return _sums(lines, rows.pixel[:, None] + height * plane, rows.weight[:, None]).view(
        n, c, -1, lines.shape[1]
    )


def _sums(lines: Tensor, line: Tensor, weight: Tensor) -> Tensor:
    """(L, D) lines of memory to (R, D): for each of R rows of `line`, (…, K), a weighted sum of K lines."""
    weight = weight.expand_as(line).reshape(-1, line.shape[-1])
    return embedding_bag(line.reshape(weight.shape), lines, mode="sum", per_sample_weights=weight)


def _transposed(matrices: Tensor) -> Tensor:
    """(B, R, S) to (B, S, R), contiguous.

    Shuffling channels between R groups is a transposition; on a CPU torch has none that is as fast.
    """
    b, r, s = matrices.shape
    channels_last = (r * s, 1, r * s, r * s)
    shuffled = channel_shuffle(matrices.contiguous().as_strided((b, r * s, 1, 1), channels_last), r)
    return shuffled.as_strided((b, s, r), (r * s, r, 1))


def _triangles(start: Tensor, length: Tensor, size_in: int, size_out: int, turn: Tensor) -> Taps:
    """Matrices that resample boxes (R,), (R,) of an axis to size_out pixels; some, (R,), turned round."""
    out = torch.arange(size_out, device=start.device)
    out = torch.where(turn[:, None], size_out - 1 - out, out)
    scale = (length * size_in / size_out)[:, None]  # input pixels an output pixel
    reach = scale.clamp_min(1.0)
    centre = start[:, None] * size_in + (out + 0.5).to(start.dtype) * scale
    # What is nearer than `reach` counts, and no box is larger than the image.
    first = (centre - reach - 0.5).floor() + 1
    most = math.ceil(2 * max(size_in / size_out, 1.0))
    pixel = first[:, :, None] + torch.arange(most, device=start.device)
    weight = (1 - (pixel + 0.5 - centre[:, :, None]).abs() / reach[:, :, None]).clamp_min(0.0)
    weight = weight * ((pixel >= 0) & (pixel < size_in))
    return Taps(pixel.clamp(0, size_in - 1).long(), weight / weight.sum(2, keepdim=True))
