"""What a teacher says, and its moving average, which its head subtracts: one update an optimiser step.

What was said is summed over crops, accumulation steps and ranks, so the average is that of the global batch.
"""

import torch
from torch import Tensor
from torch.nn.functional import pad

from sage_lightning.losses.dino import balanced_targets, teacher_targets
from sage_lightning.methods.gather import sum_over_ranks
from sage_lightning.models.prototypes import PrototypeHead


class Centring:
    """Keeps the centres of a teacher's heads.

    Args:
        momentum: of the moving average.
        balanced: whether targets are balanced beside that, batch by batch.
    """

    def __init__(self, momentum: float, balanced: bool = False) -> None:
        self.momentum = momentum
        self.balanced = balanced
        # Of the optimiser step that is under way: the sum of cosines, and how many.
        self._said: dict[PrototypeHead, tuple[Tensor, int]] = {}

    def targets(self, head: PrototypeHead, cosines: Tensor, temperature: float) -> Tensor:
        """What a student is to say, noted for the centre; without gradient.

        Args:
            head: the teacher's.
            cosines: (X, Y, K) with its prototypes.
            temperature: of the softmax.

        Returns:
            (X, Y, K) distributions.
        """
        with torch.no_grad():
            self.note(head, cosines.flatten(0, 1))
            logits = cosines - head.centre
            if self.balanced:
                return balanced_targets(logits, temperature, sum_over_ranks)
            return teacher_targets(logits, temperature)

    def note(self, head: PrototypeHead, cosines: Tensor) -> None:
        """Remembers what a head has said: (N, K) cosines, before they are centred."""
        total, count = self._said.get(head, (torch.zeros_like(head.centre), 0))
        self._said[head] = (total + cosines.sum(0, dtype=total.dtype), count + len(cosines))

    def follow(self) -> None:
        """Moves each centre towards the mean of what its head has said since the last time."""
        for head, (total, count) in self._said.items():
            sums = sum_over_ranks(pad(total, (0, 1), value=count))
            head.centre.lerp_(sums[:-1] / sums[-1], 1 - self.momentum)
        self._said.clear()
