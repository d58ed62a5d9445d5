"""DINO's head (Caron et al. 2021, appendix C): from embedding to bottleneck, and to logits over prototypes.

The bottleneck is what evaluation calls the projection: a few hundred numbers in which sensors are compared
as prototypes compare them. Logits, as many as there are prototypes, are for losses only.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


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
        return F.linear(bottleneck, self.directions(), -self.centre)

    def directions(self) -> Tensor:
        """(K, widths[-1]) prototypes of length 1.

        By torch's own weight norm, value and gradient in a pass each: with 65,536 prototypes, dividing by the
        norm and differentiating that takes longer than all else that a head does with a small batch.
        """
        return torch._weight_norm(self.prototypes, self.prototypes.new_ones(len(self.prototypes), 1))

    def forward(self, embedding: Tensor) -> Tensor:
        """(B, in_features) to (B, widths[-1]) unit vectors, the bottleneck."""
        return F.normalize(self.layers(embedding), dim=-1)
