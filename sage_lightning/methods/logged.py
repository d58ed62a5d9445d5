"""What a step logs, without waiting: numbers made on the device, means over ranks in one message."""

from collections.abc import Mapping
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.autograd.function import FunctionCtx


def on_device(numbers: Mapping[str, float], device: torch.device) -> dict[str, Tensor]:
    """Plain numbers as scalars of a device.

    Lightning would copy each there, for which the host waits until the device has done all that it was told
    before; filling in a number is told like any other work.

    Args:
        numbers: by name.
        device: where the step computes.
    """
    return {name: torch.full((), float(number), device=device) for name, number in numbers.items()}


class _Mean(torch.autograd.Function):
    """The mean over ranks, differentiated as the rank's own, as averaging makes of it; exactness tests do."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor) -> Tensor:
        total = x.clone()
        dist.all_reduce(total)
        return total / dist.get_world_size()

    @staticmethod
    def backward(ctx: FunctionCtx, *grads: Tensor) -> Any:
        return grads[0]


def mean_over_ranks(scalars: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Each scalar's mean over ranks, which all name the same; in one message, however many there are.

    Args:
        scalars: by name, at least one.
    """
    if not (dist.is_available() and dist.is_initialized()) or dist.get_world_size() == 1:
        return dict(scalars)
    means = _Mean.apply(torch.stack([*scalars.values()]))
    return dict(zip(scalars, means.unbind(), strict=True))
