"""torch's optimisers in their fastest form: one kernel for all tensors, on the CPU too, where there is one.

torch takes it only when it is asked to: its own choice is a loop over tensors on the CPU, and `foreach` on
CUDA. The kernel reads memory in its order: gradients and moments must lie as their weights do, which autograd
and checkpoints see to.
"""

import inspect
from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

Make = Callable[[list[dict[str, Any]]], Optimizer]

DEVICES = ("cpu", "cuda", "mps", "xpu")  # that torch has fused kernels for
CHOICES = ("fused", "foreach", "differentiable", "capturable")  # a user who sets one of them has chosen


def fused(make: Make) -> Make:
    """The same optimiser, by its fused kernel if it has one and its parameters are where it works.

    One that has none, as LARS, which treats all tensors at once by itself, or that was told what to use, is
    left alone. The state of a run that was begun without the kernel goes on without it, to the bit.

    Args:
        make: groups of parameters → optimiser; a class, or a `functools.partial` of one.
    """

    def made(groups: list[dict[str, Any]]) -> Optimizer:
        given = getattr(make, "keywords", {})
        if any(choice in given for choice in CHOICES) or not _has_kernel(make, groups):
            return make(groups)
        optimizer = make(groups, fused=True)  # type: ignore[call-arg]
        # Otherwise a scaler of float16 losses leaves it to the kernel to undo the scale, and Lightning
        # refuses to clip, under bfloat16 too, which has no scaler. Now the scale is undone before all else,
        # as it is for any optimiser.
        optimizer._step_supports_amp_scaling = False  # type: ignore[attr-defined]
        return optimizer

    return made


def _has_kernel(make: Make, groups: list[dict[str, Any]]) -> bool:
    weights: list[Tensor] = [weight for group in groups for weight in group["params"]]
    works = all(weight.is_floating_point() and weight.device.type in DEVICES for weight in weights)
    return works and "fused" in inspect.signature(make).parameters
