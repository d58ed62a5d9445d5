"""LARS (You, Gitman, Ginsburg 2017, arXiv 1708.03888, eq. 6), for all tensors at once.

On the CPU, where a step takes as long as the way through memory, it goes over each tensor twice instead.

As VICReg's authors use it: the local rate is η‖w‖ / ‖g + βw‖, momentum comes before the learning rate, and
one-dimensional parameters (biases, norms) are neither decayed nor adapted. The paper has ‖g‖ + β‖w‖ below the
fraction and the rate inside the momentum.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer
from torch.optim.sgd import sgd

CHUNK = 2**17  # numbers whose sum with others stays in a core's cache until its norm is taken
ORDERS = (torch.contiguous_format, torch.channels_last)


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
        for w in weights:
            if "momentum" not in self.state[w]:
                self.state[w]["momentum"] = torch.zeros_like(w)
        apart: list[Tensor] = []
        for w in weights:
            lying = _as_they_lie(w, w.grad, self.state[w]["momentum"])
            if lying is None:
                apart.append(w)
            else:
                _update_in_two_passes(group, *lying, adapt=adapt)
        if apart:
            self._update_at_once(group, apart, adapt=adapt)

    def _update_at_once(self, group: dict[str, Any], weights: list[Tensor], *, adapt: bool) -> None:
        """Without asking for a number, for which a device would be waited for."""
        updates = [w.grad for w in weights if w.grad is not None]
        if adapt:
            updates = list(torch._foreach_add(updates, weights, alpha=group["weight_decay"]))
            torch._foreach_mul_(updates, _local_rates(weights, updates, group["trust_coefficient"]))
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


def _as_they_lie(*tensors: Tensor | None) -> list[Tensor] | None:
    """Flat views in the order of memory, the same for all; None where there is none, or not on the CPU.

    Flat, since torch's kernel for SGD updates a copy of a momentum that lies with its channels last.
    """
    # A subclass, such as a tensor without numbers, has no memory of its own to go through.
    plain = [x for x in tensors if x is not None and type(x) in (Tensor, Parameter)]
    here = [x for x in plain if x.device.type == "cpu"]
    alike = any(all(x.is_contiguous(memory_format=order) for x in here) for order in ORDERS)
    if len(here) < len(tensors) or not alike:
        return None
    return [x.as_strided((x.numel(),), (1,)) for x in here]


def _update_in_two_passes(
    group: dict[str, Any], w: Tensor, gradient: Tensor, momentum: Tensor, *, adapt: bool
) -> None:
    """One for the norms, one, by torch's kernel for SGD, for the rest; all three flat."""
    rate = _local_rate(w, gradient, group["weight_decay"], group["trust_coefficient"]) if adapt else 1.0
    sgd(
        [w],
        [gradient],
        [momentum],
        fused=True,
        lr=group["lr"],
        momentum=group["momentum"],
        weight_decay=group["weight_decay"] if adapt else 0.0,
        dampening=1 - rate,  # the share of u = g + βw that does not enter the momentum
        nesterov=False,
        maximize=False,
    )


def _local_rate(w: Tensor, gradient: Tensor, decay: float, trust: float) -> float:
    """As `_local_rates` has it; u is never whole in memory."""
    room = torch.empty_like(w[:CHUNK])
    norms, sizes = [], []
    for some, g in zip(w.split(CHUNK), gradient.split(CHUNK), strict=True):
        norms.append(float(torch.linalg.vector_norm(some)))
        sizes.append(float(torch.linalg.vector_norm(torch.add(g, some, alpha=decay, out=room[: len(g)]))))
    norm, size = math.hypot(*norms), math.hypot(*sizes)
    return trust * norm / size if norm > 0 and size > 0 else 1.0
