"""What a step logs, without waiting: numbers made on the device, means over ranks in one message."""

from collections.abc import Mapping

import torch
import torch.distributed as dist
from torch import Tensor


def on_device(numbers: Mapping[str, float], device: torch.device) -> dict[str, Tensor]:
    """Plain numbers as scalars of a device.

    Lightning would copy each there, for which the host waits until the device has done all that it was told
    before; filling in a number is told like any other work.

    Args:
        numbers: by name.
        device: where the step computes.
    """
    return {name: torch.full((), float(number), device=device) for name, number in numbers.items()}


def mean_over_ranks(scalars: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Each scalar's mean over ranks, which all name the same; in one message, without a gradient.

    Args:
        scalars: by name, at least one.
    """
    if not (dist.is_available() and dist.is_initialized()) or dist.get_world_size() == 1:
        return dict(scalars)
    total = torch.stack([*scalars.values()]).detach()
    dist.all_reduce(total)
    return dict(zip(scalars, (total / dist.get_world_size()).unbind(), strict=True))
