"""Batches larger than memory: embeddings chunk by chunk, a graph made again once its gradient is there.

That is the two passes of Gao et al. 2021 (arXiv 2101.06983) in one backward. What follows the embeddings sees
the whole batch: batch statistics, the gather over ranks, the loss. Their gradient is then complete before the
first chunk goes through its backbone again, in the same random state, and memory holds the graph of one chunk
at a time. A parameter's gradient is the sum over chunks, formed before DDP sees it.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint


def embed_in_chunks(embed: Callable[[Tensor], Tensor], images: Tensor, pairs: int) -> Tensor:
    """What `embed` gives for all images, with its gradient; nothing in `embed` may act on a batch as a whole.

    Args:
        embed: (b, C, H, W) to (b, D), of any b.
        images: (B, C, H, W).
        pairs: b; the last chunk may be smaller.

    Returns:
        (B, D).
    """
    return torch.cat([checkpoint(embed, part, use_reentrant=False) for part in images.split(pairs)])
