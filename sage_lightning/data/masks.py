"""Which patches of an image a student does not see: a block of them, as in BEiT and iBOT.

Drawn by counting, as crops are, and without a loop: an image's patches are put in the order of their distance
to a random point, in a metric whose circles are upright rectangles of a random shape, and the first of them
are hidden. So a block that meets the border grows on the other side, and exactly as many are hidden as were
drawn.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from sage_lightning.data.counted import uniform

RATIO = (0.3, 1 / 0.3)  # bounds of a block's height to its width, as in BEiT (Bao et al. 2022)


class Masks(NamedTuple):
    """Of N images, each with rows · columns patches, numbered row by row.

    Attributes:
        hidden: (N, rows · columns) bool.
        place: (N, M) int64, the numbers of M patches of each image, the hidden ones first: of a size that
            does not depend on what was drawn, so that no device has to be waited for.
        counts: (N, M) bool, which of those are hidden.
    """

    hidden: Tensor
    place: Tensor
    counts: Tensor


def block_masks(
    grid: tuple[int, int],
    share: tuple[float, float],
    probability: float,
    seed: int,
    epoch: Tensor,
    sample_id: Tensor,
    stream: int,
) -> Masks:
    """Hides one block of patches of some images; a function of (seed, epoch, sample id, stream).

    Args:
        grid: rows and columns of patches.
        share: bounds of the share of patches that are hidden of an image; drawn uniformly, and at least one.
        probability: that any patch of an image is hidden.
        seed: of the run.
        epoch: (N,) int64.
        sample_id: (N,) int64.
        stream: of the draws, see `Stream`.
    """
    patches = grid[0] * grid[1]
    most = max(1, round(share[1] * patches))
    draws = uniform(seed, epoch, sample_id, stream, 5)
    number = ((share[0] + draws[:, 0] * (share[1] - share[0])) * patches).round().clamp(1, most)
    number = torch.where(draws[:, 1] < probability, number, 0)
    low, high = (math.log(ratio) for ratio in RATIO)
    root = (0.5 * (low + draws[:, 2] * (high - low))).exp()
    rows, columns = (torch.arange(side, device=epoch.device) + 0.5 for side in grid)
    down = (rows - grid[0] * draws[:, 3:4]).abs() / root[:, None]
    across = (columns - grid[1] * draws[:, 4:5]).abs() * root[:, None]
    distance = torch.maximum(down[:, :, None], across[:, None, :]).flatten(1)
    order = distance.argsort(dim=1, stable=True)
    counts = torch.arange(patches, device=epoch.device) < number[:, None]
    hidden = torch.zeros_like(counts).scatter(1, order, counts)
    return Masks(hidden, order[:, :most], counts[:, :most])
