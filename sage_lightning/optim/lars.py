"""LARS (You, Gitman, Ginsburg 2017, arXiv 1708.03888, eq. 6), for all tensors at once.

As VICReg's authors use it: the local rate is η‖w‖ / ‖g + βw‖, momentum comes before the learning rate, and
one-dimensional parameters (biases, norms) are neither decayed nor adapted. The paper has ‖g‖ + β‖w‖ below the
fraction and the rate inside the momentum.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer


class LARS(Optimizer):
    """Momentum SGD whose step, for every tensor, is in proportion to the tensor's norm.

    Args:
        params: parameters, or groups; a group with `adapt: False` gets plain momentum SGD.
        lr: learning rate γ.
        momentum: m.
        weight_decay: β.
        trust_coefficient: η.
    """

    def __init__(
        self,
        params: Any,
        lr: float,
        momentum: float = 0.9,
        weight_decay: float = 1e-6,
        trust_coefficient: float = 1e-3,
    ) -> None:
        if lr < 0 or not 0 <= momentum < 1 or weight_decay < 0 or trust_coefficient <= 0:
            raise ValueError("LARS: lr and weight_decay >= 0, 0 <= momentum < 1, trust_coefficient > 0")
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "weight_decay": weight_decay,
            "trust_coefficient": trust_coefficient,
            "adapt": True,
        }
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step; gives the closure's loss, if there is a closure."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            weights = [p for p in group["params"] if p.grad is not None]
            self._update(group, [p for p in weights if p.ndim > 1 and group["adapt"]], adapt=True)
            self._update(group, [p for p in weights if p.ndim <= 1 or not group["adapt"]], adapt=False)
        return loss

    def _update(self, group: dict[str, Any], weights: list[Tensor], *, adapt: bool) -> None:
        if not weights:
            return
        updates = [w.grad for w in weights if w.grad is not None]
        if adapt:
            updates = list(torch._foreach_add(updates, weights, alpha=group["weight_decay"]))
            torch._foreach_mul_(updates, _local_rates(weights, updates, group["trust_coefficient"]))
        for w in weights:
            if "momentum" not in self.state[w]:
                self.state[w]["momentum"] = torch.zeros_like(w)
        momenta = [self.state[w]["momentum"] for w in weights]
        torch._foreach_mul_(momenta, group["momentum"])
        torch._foreach_add_(momenta, updates)
        torch._foreach_add_(weights, momenta, alpha=-group["lr"])


def _local_rates(weights: list[Tensor], updates: list[Tensor], trust: float) -> list[Tensor]:
    """η‖w‖ / ‖u‖ for each tensor, and 1 where either norm is 0 and the ratio would freeze or explode."""
    norms = torch.stack(torch._foreach_norm(weights))
    sizes = torch.stack(torch._foreach_norm(updates))
    safe = torch.where(sizes > 0, sizes, 1)
    return list(torch.where((norms > 0) & (sizes > 0), trust * norms / safe, 1).unbind())
