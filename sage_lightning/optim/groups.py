"""Which parameters decay: matrices and kernels; not norms, biases, tokens, position embeddings, prototypes.

Matrices and kernels go by the name of weight, in torch and in timm; what has several dimensions and another
name is a token, a position embedding or bias table, a scale, or a set of prototypes.
"""

from typing import Any

from torch import nn


def parameter_groups(module: nn.Module) -> list[dict[str, Any]]:
    """Two groups for any optimiser: the first decays as the optimiser says, the second not at all.

    The second also carries `adapt: False`, which LARS reads: a class token starts near zero, and a step
    proportional to its norm would leave it there. Parameters that ask for no gradient are in neither group.

    Args:
        module: all of its parameters.
    """
    decayed: list[nn.Parameter] = []
    undecayed: list[nn.Parameter] = []
    for name, parameter in module.named_parameters():
        if not parameter.requires_grad:
            continue
        last = name.rsplit(".", 1)[-1]
        free = parameter.ndim <= 1 or not last.startswith("weight")
        (undecayed if free else decayed).append(parameter)
    return [{"params": decayed}, {"params": undecayed, "weight_decay": 0.0, "adapt": False}]
