"""All ranks' rows in rank order: with a gradient for a loss of the global batch, without for evaluation."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.autograd.function import FunctionCtx


def rank_count() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def _all_rows(x: Tensor, counts: Sequence[int]) -> Tensor:
    """(counts[rank], …) of each rank to (sum of counts, …), in rank order."""
    # Collectives want equal sizes (gloo aborts otherwise): pad to the longest, cut back after.
    missing = max(counts) - len(x)
    padded = torch.cat([x, x.new_zeros(missing, *x.shape[1:])]) if missing else x.contiguous()
    parts = [torch.empty_like(padded) for _ in counts]
    dist.all_gather(parts, padded)
    return torch.cat([part[:count] for part, count in zip(parts, counts, strict=True)])


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, counts: Sequence[int]) -> Tensor:
        ctx.counts = list(counts)  # type: ignore[attr-defined]
        return _all_rows(x, counts)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        total = grads[0].clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total.split(ctx.counts)[dist.get_rank()], None


def gather_with_grad(x: Tensor, counts: Sequence[int] | None = None) -> Tensor:
    """All ranks' rows, with a gradient that is summed over the ranks' losses.

    Every rank computes the same loss of the gathered rows, so the sum is ranks × one process's gradient, and
    DDP's average over ranks is exactly that gradient. A gather that averages, or that passes only its own
    rank's gradient, would give 1 / ranks of it.

    Args:
        x: (B, D), the same B on every rank, or what `counts` says.
        counts: the rows of each rank where they differ, in rank order; some may be 0. Rows are padded on
            their way and cut back: a loss of what is given sees the true ones, and no others.

    Returns:
        (ranks · B, D), or (sum of counts, D); `x` itself in one process.

    Raises:
        ValueError: `counts` is not of this rank's rows, or not of as many ranks.
    """
    ranks = rank_count()
    if counts is not None:
        rank = dist.get_rank() if ranks > 1 else 0
        if len(counts) != ranks or counts[rank] != len(x):
            raise ValueError(f"counts={list(counts)} are not those of {ranks} ranks with {len(x)} rows here")
    return x if ranks == 1 else _Gather.apply(x, counts or [len(x)] * ranks)


def gather_ragged(x: Tensor) -> Tensor:
    """All ranks' rows, where ranks may hold different numbers of them; without a gradient.

    Args:
        x: (B, …), B may be 0; the other sizes and the type are the same on every rank.

    Returns:
        (sum of B, …); `x` itself, detached, in one process.
    """
    x = x.detach()
    if rank_count() == 1:
        return x
    counts = [torch.zeros(1, dtype=torch.int64, device=x.device) for _ in range(rank_count())]
    dist.all_gather(counts, torch.tensor([len(x)], device=x.device))
    return _all_rows(x, [int(count) for count in counts])


def sum_over_ranks(x: Tensor) -> Tensor:
    """The sum of all ranks' tensors, in place where there are several; without a gradient."""
    if rank_count() > 1:
        dist.all_reduce(x)
    return x


def leave_ranks() -> None:
    """Ends this process's part in a group of ranks, if it has one."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()
