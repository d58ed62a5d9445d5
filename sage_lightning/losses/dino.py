"""DINO's terms (Caron et al. 2021, eq. 2), for crops of two sensors. Shapes: G global and S ≥ G student crops
of B pairs, K prototypes.

The paper's sum over pairs of crops is a mean here, so that the loss of uniform outputs is ln K, however many
crops there are.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

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
    """Mean cross-entropy over all pairs of a target's crop and a student's crop.

    The sum over pairs of crops factors into the product of two sums: G + S terms instead of G · S.

    Args:
        student: (S, B, K) logits; the first G crops are those of `targets`.
        targets: (G, B, K) distributions.
        temperature: of the student.
        skip_same: leave out pairs of a crop with itself, which one sensor's student could match by copying.
        pairs: to divide by in place of B, which may then be 0. Where ranks hold different numbers of pairs, a
            rank's mean number: the average of the ranks' terms is then the mean over all pairs.

    Raises:
        ValueError: no pair of crops is left.
    """
    count = len(targets) * len(student) - (len(targets) if skip_same else 0)
    if count == 0:
        raise ValueError("one crop of one sensor has no other crop to agree with")
    with torch.autocast(student.device.type, enabled=False):
        log_p = (at_least_float32(student) / temperature).log_softmax(-1)
        total = (targets.sum(0) * log_p.sum(0)).sum(-1)
        if skip_same:
            total = total - (targets * log_p[: len(targets)]).sum((0, 2))
        return -total.sum() / ((len(total) if pairs is None else pairs) * count)


def entropy(targets: Tensor) -> Tensor:
    """Mean entropy of distributions (…, K), in nats: 0 is one prototype, ln K is nothing told."""
    return torch.special.entr(targets).sum(-1).mean()


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
