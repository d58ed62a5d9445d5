"""DINO's terms (Caron et al. 2021, eq. 2), for crops of two sensors. Shapes: G global and S ≥ G student crops
of B pairs, K prototypes.

The paper's sum over pairs of crops is a mean here, so that the loss of uniform outputs is ln K, however many
crops there are.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

from sage_lightning.losses.vicreg import at_least_float32


def teacher_targets(logits: Tensor, temperature: float) -> Tensor:
    """The distributions that a student is to give; without gradient, in float32 at least.

    Args:
        logits: (G, B, K), centred.
        temperature: the lower, the sharper.
    """
    return (at_least_float32(logits.detach()) / temperature).softmax(-1)


def balanced_targets(
    logits: Tensor, temperature: float, total: Callable[[Tensor], Tensor], rounds: int = 3
) -> Tensor:
    """Targets that use all prototypes alike, by Sinkhorn and Knopp (Caron et al. 2020, eq. 3); no gradient.

    Centring reaches that in the mean of many steps, this in each: nothing collapses in few steps either.

    Args:
        logits: (G, B, K) of this rank's pairs.
        temperature: the lower, the sharper.
        total: sums a tensor over all ranks, so that the balance is that of the global batch.
        rounds: of balancing prototypes, then pairs.
    """
    shares = teacher_targets(logits, temperature)
    for _ in range(rounds):
        shares = shares / total(shares.sum((0, 1))).clamp_min(torch.finfo(shares.dtype).tiny)
        shares = shares / shares.sum(-1, keepdim=True)
    return shares


def crop_cross_entropy(
    student: Tensor, targets: Tensor, temperature: float, *, skip_same: bool, pairs: float | None = None
) -> Tensor:
    """Of one teacher; see `crop_cross_entropies`."""
    return crop_cross_entropies(student, [targets], temperature, skip_same=[skip_same], pairs=pairs)[0]


def crop_cross_entropies(
    student: Tensor,
    targets: Sequence[Tensor],
    temperature: float,
    *,
    skip_same: Sequence[bool],
    pairs: float | None = None,
) -> tuple[Tensor, ...]:
    """Mean cross-entropy over all pairs of a target's crop and a student's crop, of each of several teachers.

    Args:
        student: (S, B, K) logits; the first G crops are those of `targets`.
        targets: (G, B, K) distributions of each teacher; without gradient.
        temperature: of the student.
        skip_same: of each teacher, leave out pairs of a crop with itself, which one sensor's student could
            match by copying.
        pairs: to divide by in place of B, which may then be 0. Where ranks hold different numbers of pairs, a
            rank's mean number: the average of the ranks' terms is then the mean over all pairs.

    Returns:
        A scalar of each teacher.

    Raises:
        ValueError: no pair of crops is left.
    """
    counts = [
        len(t) * len(student) - (len(t) if skip else 0) for t, skip in zip(targets, skip_same, strict=True)
    ]
    if 0 in counts:
        raise ValueError("one crop of one sensor has no other crop to agree with")
    divisors = [(student.shape[1] if pairs is None else pairs) * count for count in counts]
    with torch.autocast(student.device.type, enabled=False):
        student = at_least_float32(student)
        return _CropCrossEntropies.apply(student, temperature, tuple(skip_same), divisors, *targets)


class _CropCrossEntropies(torch.autograd.Function):
    """Crop by crop, so that what is made of one on the way stays in a cache, and once for all teachers.

    With log p = x/τ − l, l = log Σ exp(x/τ), a target t of mass m = Σ t costs m l − t·x/τ, and its gradient
    is (m p − t) / τ. Both are linear in t, so a crop meets the sum of the targets that it is to give.
    """

    @staticmethod
    def forward(
        ctx: FunctionCtx,
        student: Tensor,
        temperature: float,
        skip_same: tuple[bool, ...],
        divisors: Sequence[float],
        *targets: Tensor,
    ) -> tuple[Tensor, ...]:
        sums = [t.sum(0) for t in targets]
        costs = [student.new_zeros(()) for _ in targets]
        for s, crop in enumerate(student):
            scaled = crop / temperature
            log_sum = scaled.logsumexp(-1)
            for n, t in enumerate(targets):
                asked = sums[n] - t[s] if skip_same[n] and s < len(t) else sums[n]
                costs[n] += (asked.sum(-1) * log_sum).sum() - torch.vdot(asked.flatten(), scaled.flatten())
        ctx.save_for_backward(student, *targets)
        ctx.temperature, ctx.skip_same, ctx.divisors = temperature, skip_same, divisors  # type: ignore[attr-defined]
        return tuple(cost / divisor for cost, divisor in zip(costs, divisors, strict=True))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        student, *targets = ctx.saved_tensors
        weights = [g / (d * ctx.temperature) for g, d in zip(grads, ctx.divisors, strict=True)]
        everyone = sum(weight * t.sum(0) for weight, t in zip(weights, targets, strict=True))
        given = torch.empty_like(student)
        for s, crop in enumerate(student):
            asked = everyone
            for weight, t, skip in zip(weights, targets, ctx.skip_same, strict=True):
                if skip and s < len(t):
                    asked = asked - weight * t[s]
            p = (crop / ctx.temperature).softmax(-1)
            torch.sub(p.mul_(asked.sum(-1, keepdim=True)), asked, out=given[s])
        return given, None, None, None, *(None for _ in targets)


def entropy(targets: Tensor) -> Tensor:
    """Mean entropy of distributions (…, K), in nats: 0 is one prototype, ln K is nothing told."""
    return -torch.xlogy(targets, targets).sum(-1).mean()


def koleo(points: Tensor) -> Tensor:
    """−mean log of the distance to the nearest other point (Sablayrolles et al. 2019, eq. 2): the lower, the
    more evenly points are spread, those that nearly coincide first.

    Args:
        points: (N, D) unit vectors of the global batch, N ≥ 2; crops of one pair do not belong in one call.
    """
    with torch.autocast(points.device.type, enabled=False):
        points = at_least_float32(points)
        likeness = (points.detach() @ points.detach().T).fill_diagonal_(-torch.inf)
        # The small number that is added to each difference keeps the gradient of two equal points finite.
        return -F.pairwise_distance(points, points[likeness.argmax(1)], eps=1e-8).log().mean()
