"""Crop, flip and resize a batch, each image by a box of its own, antialiased: out = W_y · image · W_xᵀ.

The rows of W are triangle filters as wide as an output pixel (at least an input pixel), as in Pillow and in
torch's `interpolate(mode="bilinear", antialias=True)`. Pixels just outside a box but inside the image count.
"""

import torch
from torch import Tensor


def crop_resize(images: Tensor, boxes: Tensor, size: tuple[int, int], flip: Tensor) -> Tensor:
    """Cuts a box, or several, out of each image and resizes them.

    Args:
        images: (B, C, H, W), floating point.
        boxes: (N·B, 4) top, left, height, width as fractions of the image: N rounds of one box an image.
        size: (h, w) of the result in pixels.
        flip: (N·B,) bool, whether to mirror left and right.

    Returns:
        (N·B, C, h, w), round by round.
    """
    top, left, height, width = boxes.to(images.dtype).unbind(1)
    rows = _triangles(top, height, images.shape[2], size[0])
    columns = _triangles(left, width, images.shape[3], size[1])
    columns = torch.where(flip[:, None, None], columns.flip(1), columns)
    return separable(images, rows, columns)


def crop_resize_missing(degrees: Tensor, boxes: Tensor, size: tuple[int, int], flip: Tensor) -> Tensor:
    """`crop_resize` of a thermal frame: missing values weigh nothing; where nothing weighs, it is missing.

    Args:
        degrees: (B, h, w), NaN where missing.
        boxes: as of `crop_resize`, as the next two.
        size: of the result.
        flip: whether to mirror.

    Returns:
        (N·B, *size), NaN where missing.
    """
    known = ~degrees.isnan()
    parts = torch.stack([degrees.nan_to_num(0.0), known.to(degrees.dtype)], dim=1)
    total, weight = crop_resize(parts, boxes, size, flip).unbind(1)
    return total / weight  # 0 / 0 is NaN


def separable(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Applies a matrix to the rows and one to the columns of each image, or N of each, round by round.

    Args:
        images: (B, C, H, W).
        rows: (N·B, h, H), or (1, h, H) for all images.
        columns: (N·B, w, W), or (1, w, W).

    Returns:
        (N·B, C, h, w).
    """
    # As (B, H, W·C), the store's own order of bytes, the first product copies nothing. Its rows are those of
    # all rounds one after the other, so that an image is read once however many boxes it has.
    b, c, height, width = images.shape
    n, h = max(len(rows) // b, 1), rows.shape[1]
    stacked = rows.view(n, -1, h, height).transpose(0, 1).reshape(-1, n * h, height)
    lines = stacked @ images.permute(0, 2, 3, 1).reshape(b, height, width * c)
    lines = lines.view(b, n, h, width, c).permute(1, 0, 3, 2, 4).reshape(n * b, width, h * c)
    return (columns @ lines).view(n * b, -1, h, c).permute(0, 3, 2, 1)


def _triangles(start: Tensor, length: Tensor, size_in: int, size_out: int) -> Tensor:
    """(B, out, in) weights that resample the box (B,), (B,) of one axis to size_out pixels."""
    scale = length * size_in / size_out  # input pixels an output pixel
    out = torch.arange(size_out, device=start.device, dtype=start.dtype) + 0.5
    pixel = torch.arange(size_in, device=start.device, dtype=start.dtype) + 0.5
    centre = start[:, None] * size_in + out * scale[:, None]
    distance = (pixel - centre[:, :, None]).abs() / scale.clamp_min(1.0)[:, None, None]
    weight = (1 - distance).clamp_min(0.0)
    return weight / weight.sum(2, keepdim=True)
