"""VICReg's three terms (Bardes, Ponce, LeCun 2022), as the authors code them. Shapes: B pairs, D features.

Where paper and code differ, the code is followed: the variance term is the *mean* of the two hinges (the
paper adds them, eq. 6, so its weight of 25 would be 50 here), while the covariance terms of both sides are
added.

Of regions (VICRegL, Bardes et al. 2022, by location alone): a region of a pair is a pair of its own, and what
varies is taken about the region's own mean over the batch, so that *where* it is counts for nothing.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable


class VICRegTerms(NamedTuple):
    """The terms before they are weighted; scalars."""

    invariance: Tensor
    variance: Tensor
    covariance: Tensor


def vicreg_terms(z_rgb: Tensor, z_ir: Tensor, *, regions: int = 1, eps: float = 1e-4) -> VICRegTerms:
    """The unweighted terms; the method weights and logs them.

    Statistics are taken in float32 at least, also under autocast: a covariance in half precision is noise.

    Args:
        z_rgb: (B, D) projections, B >= 2; row i of both tensors is one scene.
        z_ir: (B, D).
        regions: R; above 1, a row is R regions of D / R features, side by side. Both sensors' variance and
            covariance are then of D / R features, pooled over regions, each about its own mean.
        eps: keeps the square root differentiable where a feature is constant.

    Raises:
        ValueError: if the shapes differ, if R does not divide D, or if B < 2, where a variance says nothing.
    """
    if z_rgb.ndim != 2 or z_rgb.shape != z_ir.shape:
        raise ValueError(f"projections must both be (B, D), not {tuple(z_rgb.shape)} and {tuple(z_ir.shape)}")
    if len(z_rgb) < 2:
        raise ValueError("VICReg needs at least 2 pairs in a batch: a variance of one says nothing")
    if z_rgb.shape[1] % regions:
        raise ValueError(f"{z_rgb.shape[1]} features are not {regions} regions of equally many")
    with torch.autocast(z_rgb.device.type, enabled=False):
        z_rgb, z_ir = at_least_float32(z_rgb), at_least_float32(z_ir)
        return VICRegTerms(
            invariance=(z_rgb - z_ir).square().mean(),
            variance=(
                variance_term(z_rgb, regions=regions, eps=eps) + variance_term(z_ir, regions=regions, eps=eps)
            )
            / 2,
            covariance=covariance_term(z_rgb, regions=regions) + covariance_term(z_ir, regions=regions),
        )


def variance_term(z: Tensor, *, regions: int = 1, eps: float) -> Tensor:
    """Mean hinge, over features, of how far the standard deviation over the batch is below 1 (eq. 1, 2).

    Args:
        z: (B, D).
        regions: as of `vicreg_terms`.
        eps: added to the variance.
    """
    variance = z.unflatten(1, (regions, -1)).var(dim=0, correction=1).mean(dim=0)
    return (1 - (variance + eps).sqrt()).relu().mean()


def covariance_term(z: Tensor, *, regions: int = 1) -> Tensor:
    """Sum of the squared covariances between different features, divided by their number (eq. 3, 4).

    Args:
        z: (B, D).
        regions: as of `vicreg_terms`.
    """
    x = (z - z.mean(dim=0)).unflatten(1, (regions, -1)).flatten(0, 1)  # (B · R, D / R)
    return _OffDiagonal.apply(x) / (((len(z) - 1) * regions) ** 2 * x.shape[1])


class _OffDiagonal(torch.autograd.Function):
    """x (B, D) to Σ_{j≠k} (xᵀx)²_jk, by whichever of xᵀx (D, D) and x xᵀ (B, B) is the smaller by far.

    Both have the same Frobenius norm, and the diagonal of xᵀx is known without the rest. The gradient is
    4 x (xᵀx − diag) = 4 (x xᵀ x − x diag): one product of matrices, where autograd takes two.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor) -> Tensor:
        # With B nearer to D the difference of the two sums would drown in their rounding.
        if on_gram_side(*x.shape):
            gram, squares = x @ x.T, x.square().sum(dim=0)
            ctx.save_for_backward(x, gram, squares)
            # A sum of squares: what rounding leaves below 0, where features differ much in scale, is 0.
            return (gram.square().sum() - squares.square().sum()).clamp(min=0)
        scatter = (x.T @ x).fill_diagonal_(0)
        ctx.save_for_backward(x, scatter)
        return scatter.square().sum()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        x, product, *squares = ctx.saved_tensors
        with torch.autocast(x.device.type, enabled=False):
            quarter = torch.addcmul(product @ x, x, squares[0], value=-1) if squares else x @ product
        return 4 * grads[0] * quarter


def on_gram_side(pairs: int, features: int) -> bool:
    """Whether B × B products take the place of D × D covariances: where B is at most half of D."""
    return 2 * pairs <= features


def at_least_float32(z: Tensor) -> Tensor:
    """Half precision becomes float32; float32 and float64 stay.

    Args:
        z: any shape.
    """
    return z.to(torch.promote_types(z.dtype, torch.float32))
