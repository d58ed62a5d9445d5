"""VICReg's three terms (Bardes, Ponce, LeCun 2022), as the authors code them. Shapes: B pairs, D features.

Where paper and code differ, the code is followed: the variance term is the *mean* of the two hinges (the
paper adds them, eq. 6, so its weight of 25 would be 50 here), while the covariance terms of both sides are
added.
"""

from typing import NamedTuple

import torch
from torch import Tensor


class VICRegTerms(NamedTuple):
    """The terms before they are weighted; scalars."""

    invariance: Tensor
    variance: Tensor
    covariance: Tensor


def vicreg_terms(z_rgb: Tensor, z_ir: Tensor, *, eps: float = 1e-4) -> VICRegTerms:
    """The unweighted terms; the method weights and logs them.

    Statistics are taken in float32 at least, also under autocast: a covariance in half precision is noise.

    Args:
        z_rgb: (B, D) projections, B >= 2; row i of both tensors is one scene.
        z_ir: (B, D).
        eps: keeps the square root differentiable where a feature is constant.

    Raises:
        ValueError: if the shapes differ, or if B < 2, where a variance says nothing.
    """
    if z_rgb.ndim != 2 or z_rgb.shape != z_ir.shape:
        raise ValueError(f"projections must both be (B, D), not {tuple(z_rgb.shape)} and {tuple(z_ir.shape)}")
    if len(z_rgb) < 2:
        raise ValueError("VICReg needs at least 2 pairs in a batch: a variance of one says nothing")
    with torch.autocast(z_rgb.device.type, enabled=False):
        z_rgb, z_ir = at_least_float32(z_rgb), at_least_float32(z_ir)
        return VICRegTerms(
            invariance=(z_rgb - z_ir).square().mean(),
            variance=(variance_term(z_rgb, eps=eps) + variance_term(z_ir, eps=eps)) / 2,
            covariance=covariance_term(z_rgb) + covariance_term(z_ir),
        )


def variance_term(z: Tensor, *, eps: float) -> Tensor:
    """Mean hinge, over features, of how far the standard deviation over the batch is below 1 (eq. 1, 2).

    Args:
        z: (B, D).
        eps: added to the variance.
    """
    return (1 - (z.var(dim=0, correction=1) + eps).sqrt()).relu().mean()


def covariance_term(z: Tensor) -> Tensor:
    """Sum of the squared covariances between different features, divided by D (eq. 3, 4).

    Args:
        z: (B, D).
    """
    centred = z - z.mean(dim=0)
    covariance = centred.T @ centred / (len(z) - 1)
    # Not the full sum less the diagonal's: off-diagonal entries near 0 would drown in the rounding of both.
    return covariance.fill_diagonal_(0).square().sum() / z.shape[1]


def at_least_float32(z: Tensor) -> Tensor:
    """Half precision becomes float32; float32 and float64 stay.

    Args:
        z: any shape.
    """
    return z.to(torch.promote_types(z.dtype, torch.float32))
