"""Weights of one patch, channel count and grid for another. Shapes: O outputs, C channels, D features.

Patches: FlexiViT's pseudo-inverse (Beyer et al. 2023). A patch embedding w answers an image x with ⟨w, x⟩,
and resizing is linear, x' = Bx: w' = (Bᵀ)⁺w answers a resized patch as w did the patch itself, exactly where
it was enlarged, as nearly as can be where it was shrunk.
"""

import math
from typing import Literal

import torch
from timm.layers import resample_abs_pos_embed
from torch import Tensor
from torch.nn.functional import interpolate

Channels = Literal["sum", "mean"]


def resample_patch(weight: Tensor, size: tuple[int, int]) -> Tensor:
    """A patch embedding for patches of another size; the same size gives it back.

    Args:
        weight: (O, C, h, w).
        size: (h', w').

    Returns:
        (O, C, h', w'), computed in float64.
    """
    old = (weight.shape[2], weight.shape[3])
    if old == tuple(size):
        return weight
    resize = resize_matrix(old, size).to(weight.device)
    moved = weight.double().flatten(2) @ torch.linalg.pinv(resize)
    return moved.unflatten(2, size).to(weight.dtype)


def resize_matrix(old: tuple[int, int], new: tuple[int, int]) -> Tensor:
    """B: (h'w', hw) float64, what bicubic resizing with antialiasing does to the pixels of a patch."""
    pixels = torch.eye(old[0] * old[1], dtype=torch.float64).unflatten(1, (1, *old))
    return interpolate(pixels, size=new, mode="bicubic", antialias=True).flatten(1).mT


def adapt_channels(weight: Tensor, channels: int, how: Channels) -> Tensor:
    """A first layer for images of another number of channels; the same number gives it back.

    Args:
        weight: (O, C, h, w).
        channels: C'.
        how: "sum": an image that is the same in all C' channels is answered as one that was the same in all
            C; for one channel, the sum over C. "mean": each channel gets the mean over C, which for one
            channel answers with a C-th of that.

    Returns:
        (O, C', h, w).
    """
    if weight.shape[1] == channels:
        return weight
    one = weight.sum(1, keepdim=True) / channels if how == "sum" else weight.mean(1, keepdim=True)
    return one.repeat(1, channels, 1, 1)


def resample_positions(
    table: Tensor, old: tuple[int, int], new: tuple[int, int], prefix_tokens: int
) -> Tensor:
    """Position embeddings for another grid; class and register tokens keep theirs.

    Args:
        table: (1, prefix_tokens + rows · columns, D).
        old: (rows, columns).
        new: likewise.
        prefix_tokens: how many come first that have no place in the grid.
    """
    return resample_abs_pos_embed(table, list(new), list(old), prefix_tokens)


def resample_biases(table: Tensor, old: tuple[int, int] | None, new: tuple[int, int], extra: int) -> Tensor:
    """Relative position biases, a number for each offset and head, for another window.

    Args:
        table: ((2 · rows − 1) · (2 · columns − 1) + extra, heads).
        old: (rows, columns); None for a square.
        new: likewise.
        extra: biases of the class token, which come last and stay.

    Raises:
        ValueError: the table is of no such window.
    """
    offsets = len(table) - extra
    side = math.isqrt(max(offsets, 0))
    before = (side, side) if old is None else (2 * old[0] - 1, 2 * old[1] - 1)
    if before[0] * before[1] != offsets:
        raise ValueError(f"{offsets} biases are not {before[0]} × {before[1]}")
    after = (2 * new[0] - 1, 2 * new[1] - 1)
    if before == after:
        return table
    grid = table[:offsets].mT.unflatten(1, before)[None]
    moved = interpolate(grid, size=after, mode="bicubic", antialias=True)[0]
    return torch.cat([moved.flatten(1).mT, table[offsets:]])
