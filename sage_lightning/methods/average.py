"""The exponential moving average of one module in another, for all tensors at once."""

import torch
from torch import nn


@torch.no_grad()
def follow(teacher: nn.Module, student: nn.Module, momentum: float, but: str) -> None:
    """Moves parameters and buffers by (1 − m) of their distance to the student's; counts are copied.

    Args:
        teacher: of the same architecture as the student.
        student: stays as it is.
        momentum: m.
        but: last part of the names of buffers that the teacher keeps by itself.
    """
    named = {**dict(teacher.named_parameters()), **dict(teacher.named_buffers())}
    others = {**dict(student.named_parameters()), **dict(student.named_buffers())}
    names = [name for name in named if name.rsplit(".", 1)[-1] != but]
    moved = [name for name in names if named[name].is_floating_point()]
    counts = [name for name in names if not named[name].is_floating_point()]
    torch._foreach_lerp_([named[name] for name in moved], [others[name] for name in moved], 1 - momentum)
    if counts:
        torch._foreach_copy_([named[name] for name in counts], [others[name] for name in counts])
