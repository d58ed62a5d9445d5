"""All ranks' rows in rank order: with a gradient for a loss of the global batch, ragged for evaluation."""

import torch
import torch.distributed as dist
from torch import Tensor
from torch.autograd.function import FunctionCtx


def _ranks() -> int:
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor) -> Tensor:
        parts = [torch.empty_like(x, memory_format=torch.contiguous_format) for _ in range(_ranks())]
        dist.all_gather(parts, x.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: FunctionCtx, *grads: Tensor) -> Tensor:
        total = grads[0].clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total.chunk(_ranks())[dist.get_rank()]


def gather_with_grad(x: Tensor) -> Tensor:
    """All ranks' rows, with a gradient that is summed over the ranks' losses.

    Every rank computes the same loss of the gathered rows, so the sum is ranks × one process's gradient, and
    DDP's average over ranks is exactly that gradient. A gather that averages, or that passes only its own
    rank's gradient, would give 1 / ranks of it.

    Args:
        x: (B, D), the same B on every rank.

    Returns:
        (ranks · B, D); `x` itself in one process.
    """
    return x if _ranks() == 1 else _Gather.apply(x)


def gather_ragged(x: Tensor) -> Tensor:
    """All ranks' rows, where ranks may hold different numbers of them; without a gradient.

    Args:
        x: (B, …), B may be 0; the other sizes and the type are the same on every rank.

    Returns:
        (sum of B, …); `x` itself, detached, in one process.
    """
    x = x.detach()
    if _ranks() == 1:
        return x
    counts = [torch.zeros(1, dtype=torch.int64, device=x.device) for _ in range(_ranks())]
    dist.all_gather(counts, torch.tensor([len(x)], device=x.device))
    rows = [int(count) for count in counts]
    # Collectives want equal sizes (gloo aborts otherwise): pad to the longest, cut back after.
    padded = x.new_zeros((max(rows), *x.shape[1:]))
    padded[: len(x)] = x
    parts = [torch.empty_like(padded) for _ in rows]
    dist.all_gather(parts, padded)
    return torch.cat([part[:count] for part, count in zip(parts, rows, strict=True)])


def sum_over_ranks(x: Tensor) -> Tensor:
    """The sum of all ranks' tensors, in place where there are several; without a gradient."""
    if _ranks() > 1:
        dist.all_reduce(x)
    return x


def leave_ranks() -> None:
    """Ends this process's part in a group of ranks, if it has one."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()
