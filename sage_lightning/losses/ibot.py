"""iBOT's term (Zhou et al. 2022, eq. 2), for patch grids that differ. Shapes: P images, of which a student is
asked for M patches and a teacher has N; K prototypes.

Both grids lie over one field of view. The target of a student's patch i is the mean of the teacher's
distributions q over its area,

    p_i = Σ_j a_ij q_j,   a_ij = |patch i ∩ patch j| / |patch i|,

which is a distribution again. Cross-entropy is linear in its target: the term is the mean over hidden patches
of the area-weighted mean of the cross-entropies with all patches that the teacher has there.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from sage_lightning.losses.vicreg import at_least_float32


def axis_shares(into: Sequence[float], parts: Sequence[float]) -> Tensor:
    """How one axis divides over another: the share of interval i of `into` that j of `parts` covers.

    Args:
        into: n + 1 edges that rise from 0 to 1.
        parts: m + 1 likewise.

    Returns:
        (n, m) float64; rows sum to 1.
    """
    a, b = (torch.tensor(edges, dtype=torch.float64) for edges in (into, parts))
    high, low = torch.minimum(a[1:, None], b[1:]), torch.maximum(a[:-1, None], b[:-1])
    shared = (high - low).clamp_min(0)
    return shared / shared.sum(1, keepdim=True)


def area_shares(into: Sequence[Sequence[float]], parts: Sequence[Sequence[float]]) -> Tensor:
    """a: the share of patch i of one grid that patch j of another covers; patches are numbered row by row.

    Args:
        into: edges of rows and edges of columns.
        parts: likewise.

    Returns:
        (N', N) float64.
    """
    rows, columns = (axis_shares(*edges) for edges in zip(into, parts, strict=True))
    return torch.kron(rows, columns)


def targets_at(targets: Tensor, place: Tensor, shares: Tensor | None) -> Tensor:
    """p of the patches that a student is asked for.

    Args:
        targets: (P, N, K) distributions over the teacher's grid.
        place: (P, M) int64, numbers of patches of the student's grid.
        shares: (N', N) from `area_shares`; None where both grids are one.

    Returns:
        (P, M, K).
    """
    if shares is None:
        return targets.take_along_dim(place[:, :, None], dim=1)
    with torch.autocast(targets.device.type, enabled=False):
        return shares[place] @ targets


def patch_cross_entropy(
    student: Tensor, targets: Tensor, counts: Tensor, temperature: float, number: Tensor
) -> Tensor:
    """Sum of the cross-entropies of hidden patches over their number.

    Args:
        student: (P, M, K) logits.
        targets: (P, M, K) distributions.
        counts: (P, M) bool, which patches are hidden; the others have no say.
        temperature: of the student.
        number: how many are hidden, over all ranks: their terms then add up to the global one.
    """
    with torch.autocast(student.device.type, enabled=False):
        log_p = (at_least_float32(student) / temperature).log_softmax(-1)
        return -((targets * log_p).sum(-1) * counts).sum() / number
