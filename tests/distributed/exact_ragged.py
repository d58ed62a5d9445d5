"""What each rank computes where ranks hold different numbers of pairs, in float64, for test_ragged.py."""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from sage_lightning.losses.dino import balanced_targets, crop_cross_entropy, koleo, teacher_targets
from sage_lightning.losses.vicreg import vicreg_terms
from sage_lightning.methods.centring import Centring
from sage_lightning.methods.gather import gather_ragged, gather_with_grad, sum_over_ranks
from sage_lightning.models.batchnorm import GlobalBatchNorm1d, GlobalBatchNorm2d
from sage_lightning.models.projector import Projector
from sage_lightning.models.prototypes import PrototypeHead

COUNTS = {1: [8], 2: [5, 3], 4: [1, 4, 0, 3]}


def mine(x: Tensor, rank: int, world: int, dim: int = 0) -> Tensor:
    return x.split(COUNTS[world], dim)[rank].clone()


def draw(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def vicreg(rank: int, world: int) -> tuple[nn.Module, dict[str, Tensor]]:
    """Through projectors with BatchNorm: the true pairs are all that any statistic is of."""
    torch.manual_seed(0)
    towers = nn.ModuleList([Projector(6, [10, 8]), Projector(6, [10, 8])]).double()
    z_rgb, z_ir = (
        gather_with_grad(tower(mine(draw(seed, 8, 6), rank, world)), COUNTS[world])
        for seed, tower in enumerate(towers)
    )
    return towers, vicreg_terms(z_rgb, z_ir)._asdict()


def dino(rank: int, world: int) -> tuple[nn.Module, dict[str, Tensor]]:
    """Two crops that teach, three that learn; terms of this rank's pairs, which add up to the global ones."""
    torch.manual_seed(0)
    head, teacher = (PrototypeHead(6, [10, 5], 7).double() for _ in "st")
    crops = mine(draw(0, 3, 8, 6), rank, world, dim=1)
    z = head(crops.flatten(0, 1))
    logits = head.logits(z).unflatten(0, (3, -1))
    said = teacher.logits(teacher(crops[:2].flatten(0, 1)))
    centring = Centring(0.5)
    with torch.no_grad():
        for step in range(2):
            centring.note(teacher, said + step)
            centring.follow()
    targets = {
        "mean": teacher_targets(said.unflatten(0, (2, -1)) - teacher.centre, 0.1),
        "sinkhorn": balanced_targets(said.unflatten(0, (2, -1)), 0.1, sum_over_ranks),
    }
    share = sum(COUNTS[world]) / world
    terms = {
        f"{name}, skip_same={skip}": crop_cross_entropy(logits, target, 0.1, skip_same=skip, pairs=share)
        for name, target in targets.items()
        for skip in (False, True)
    }
    first_crop = gather_with_grad(z.unflatten(0, (3, -1))[0], COUNTS[world])
    return head, terms | {"koleo": koleo(first_crop), "centre": teacher.centre.sum()}


def each_term(
    module: nn.Module, terms: dict[str, Tensor], world: int
) -> dict[str, tuple[Tensor, dict[str, Tensor]]]:
    """Value and gradient, averaged over ranks as DDP does it."""
    found = {}
    for name, term in terms.items():
        value, gradients = term.detach().clone().view(1), {}
        if term.requires_grad:
            names, parameters = zip(*module.named_parameters(), strict=True)
            taken = torch.autograd.grad(
                term, parameters, retain_graph=True, allow_unused=True, materialize_grads=True
            )
            gradients = {name: gradient.clone() for name, gradient in zip(names, taken, strict=True)}
        for x in (value, *gradients.values()):
            if world > 1:
                dist.all_reduce(x)
                x /= world
        found[name] = (value, gradients)
    return found


def norm(module: nn.Module, shape: tuple[int, ...], rank: int, world: int) -> dict[str, Tensor]:
    """Three batches through a norm; outputs and gradients come back in one piece."""
    found: dict[str, Tensor] = {}
    for step in range(3):
        x, direction = (mine(3 + 2 * half, rank, world) for half in draw(step, 2, 8, *shape))
        y = module(x.requires_grad_())
        (y * direction * y).sum().backward()
        found |= {f"output {step}": gather_ragged(y), f"input gradient {step}": gather_ragged(x.grad)}
    for name, parameter in module.named_parameters():
        found[f"gradient of {name}"] = sum_over_ranks(parameter.grad.clone())
    return found | {name: buffer.double() for name, buffer in module.named_buffers()}


def check(rank: int, world: int) -> dict[str, Any]:
    norms = {
        "1d": (GlobalBatchNorm1d(5), (5,)),
        "1d long": (GlobalBatchNorm1d(3, momentum=None), (3, 4)),
        "2d": (GlobalBatchNorm2d(3), (3, 2, 4)),
    }
    return {
        "rows": gather_ragged(mine(torch.arange(8), rank, world)),
        "vicreg": each_term(*vicreg(rank, world), world),
        "dino": each_term(*dino(rank, world), world),
        "norms": {name: norm(module.double(), shape, rank, world) for name, (module, shape) in norms.items()},
    }
