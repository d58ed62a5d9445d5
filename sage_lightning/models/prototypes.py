"""DINO's head (Caron et al. 2021, appendix C): from embedding to bottleneck, and to logits over prototypes.

The bottleneck is what evaluation calls the projection: a few hundred numbers in which sensors are compared
as prototypes compare them. Logits, as many as there are prototypes, are for losses only.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx, once_differentiable


class PrototypeHead(nn.Module):
    """Linear and GELU for each width but the last, a Linear, L2 norm: the bottleneck. Logits are its cosines
    with all prototypes.

    Prototypes are directions: weight norm with its gain fixed at 1. `centre` is subtracted from the logits;
    it is 0 but in a teacher, where the method keeps it.

    Args:
        in_features: D of the embedding.
        widths: the layers' widths; the last is that of the bottleneck.
        prototypes: K.
    """

    centre: Tensor

    def __init__(self, in_features: int, widths: Sequence[int], prototypes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = in_features
        for place, width in enumerate(widths):
            if place:
                layers.append(nn.GELU())
            layers.append(nn.Linear(before, width))
            before = width
        self.layers = nn.Sequential(*layers)
        for layer in self.layers:
            if isinstance(layer, nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=0.02)
                nn.init.zeros_(layer.bias)
        self.prototypes = nn.Parameter(torch.randn(prototypes, before) / before**0.5)
        self.register_buffer("centre", torch.zeros(prototypes))
        self.num_features: int = before

    def logits(self, bottleneck: Tensor) -> Tensor:
        """(B, widths[-1]) unit vectors to (B, K) centred logits, cosines less the centre."""
        return cosines(self.prototypes, [bottleneck])[0] - self.centre

    def forward(self, embedding: Tensor) -> Tensor:
        """(B, in_features) to (B, widths[-1]) unit vectors, the bottleneck."""
        return F.normalize(self.layers(embedding), dim=-1)


def cosines(prototypes: Tensor, points: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Of unit vectors with prototypes of any length; under autocast only products are in its type.

    Args:
        prototypes: (K, D).
        points: (B, D) each; in one call, what all of them do with the prototypes is done once.

    Returns:
        (B, K) of each.
    """
    device = prototypes.device.type
    low = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else prototypes.dtype
    return _Cosines.apply(prototypes, low, *points)


class _Cosines(torch.autograd.Function):
    """v and unit vectors z to z vᵀ / ‖v‖, with n = ‖v‖ of each row of v.

    Rows are never divided by their length: with 65,536 prototypes, to write directions and to differentiate
    that takes longer than all else that a head does with a small batch. With H = G / n the gradients are H v,
    and Hᵀ z − (Σ H ∘ cosines / n) ∘ v: the part that would only change a length is taken off.
    """

    @staticmethod
    def forward(
        ctx: FunctionCtx, prototypes: Tensor, low: torch.dtype, *points: Tensor
    ) -> tuple[Tensor, ...]:
        lengths = torch.linalg.vector_norm(prototypes, dim=1)
        across = prototypes.to(low).T
        found = []
        for z in points:
            product = z.to(low) @ across
            found.append(product.div_(lengths) if product.dtype == lengths.dtype else product / lengths)
        ctx.save_for_backward(prototypes, lengths, *points, *found)
        ctx.low = low  # type: ignore[attr-defined]
        return tuple(found)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        prototypes, lengths, *saved = ctx.saved_tensors
        points, found = saved[: len(grads)], saved[len(grads) :]
        counts = [len(z) for z in points]
        shared = lengths.new_empty(sum(counts), len(lengths))
        for part, g in zip(shared.split(counts), grads, strict=True):
            torch.div(g, lengths, out=part)
        low = shared.to(ctx.low)
        to_points = (low @ prototypes.to(ctx.low)).split(counts)
        given = [to.to(z.dtype) for to, z in zip(to_points, points, strict=True)]
        if not ctx.needs_input_grad[0]:
            return None, None, *given
        lengthwise = sum((h * c).sum(0) for h, c in zip(shared.split(counts), found, strict=True))
        to_prototypes = prototypes * (lengthwise / -lengths)[:, None]
        across = low.T, torch.cat(points).to(ctx.low)
        if ctx.low == prototypes.dtype:
            to_prototypes.addmm_(*across)
        else:
            to_prototypes += across[0] @ across[1]
        return to_prototypes, None, *given
