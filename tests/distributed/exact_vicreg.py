"""VICReg in float64, for test_exact.py: a ViT for RGB, a ResNet with BatchNorm for thermal, LARS."""

from collections.abc import Callable
from functools import partial

import torch
from harness import Case, observer

from sage_lightning.batch import PairBatch
from sage_lightning.methods.vicreg import VICReg
from sage_lightning.models.backbone import Backbone
from sage_lightning.models.projector import Projector, RegionProjector
from sage_lightning.models.towers import TwoTowers
from sage_lightning.optim.lars import LARS
from sage_lightning.optim.schedule import WarmupCosine

PAIRS, STEPS = 8, 10


def towers(width: int) -> TwoTowers:
    torch.manual_seed(0)
    rgb = Backbone("vit_tiny_patch16_224", 16, 8, 3, {"embed_dim": 16, "depth": 1, "num_heads": 2})
    ir = Backbone("resnet18", 32, None, 1, {"layers": (1, 1, 1, 1), "channels": (4, 4, 8, 8)})
    heads = Projector(rgb.num_features, [16, 16, width]), Projector(ir.num_features, [16, width])
    return TwoTowers(rgb, ir, *heads).double()


def region_towers() -> TwoTowers:
    """Of 2 × 2 regions; the ResNet's map has 4 × 4 places."""
    torch.manual_seed(0)
    vit = {"embed_dim": 16, "depth": 1, "num_heads": 2}
    resnet = {"layers": (1, 1, 1, 1), "channels": (4, 4, 8, 8), "output_stride": 8}
    rgb = Backbone("vit_tiny_patch16_224", 16, 8, 3, vit, regions=2)
    ir = Backbone("resnet18", 32, None, 1, resnet, regions=2)
    heads = (RegionProjector(part.num_features, 4, [16, 6]) for part in (rgb, ir))
    return TwoTowers(rgb, ir, *heads).double()


def batch(step: int) -> PairBatch:
    draw = torch.Generator().manual_seed(step)
    rgb = torch.randn(PAIRS, 3, 16, 16, generator=draw, dtype=torch.float64)
    ir = torch.randn(PAIRS, 1, 32, 32, generator=draw, dtype=torch.float64)
    return PairBatch(rgb, ir, *[torch.arange(PAIRS)] * 3)


def vicreg(made: Callable[[], TwoTowers], local: bool = False) -> Case:
    """At a rate that moves the weights well away."""
    optimizer = partial(LARS, lr=10.0, trust_coefficient=0.02)
    schedule = WarmupCosine(
        warmup_epochs=1, floor=0.01, steps_per_epoch=3, total_steps=STEPS, batch_size=PAIRS
    )
    method = VICReg(made(), optimizer, schedule, seed=1, local=local)
    return Case(method, [batch(step) for step in range(STEPS)])


# Projections narrower and wider than twice the batch: a covariance may be had from either side.
check = observer(
    {
        "vicreg": partial(vicreg, partial(towers, 12)),
        "vicreg_wide": partial(vicreg, partial(towers, 32)),
        "vicreg_local": partial(vicreg, region_towers, local=True),
    }
)
