"""What each rank computes for test_chunks.py: VICReg with and without cached gradients, in float64."""

from functools import partial
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins.environments import TorchElasticEnvironment
from torch import Tensor
from torch.utils.data import DataLoader

from sage_lightning.batch import PairBatch
from sage_lightning.methods.vicreg import VICReg
from sage_lightning.models.backbone import Backbone
from sage_lightning.models.projector import Projector
from sage_lightning.models.towers import TwoTowers

PAIRS, STEPS = 12, 4
VIT = partial(
    Backbone, "vit_tiny_patch16_224", options={"embed_dim": 16, "depth": 2, "num_heads": 2}, patch_size=8
)


def batches(rank: int, world: int) -> list[PairBatch]:
    """This rank's share of the same global batches, whatever the world."""
    made = []
    here = slice(rank * PAIRS // world, (rank + 1) * PAIRS // world)
    for step in range(STEPS):
        draw = torch.Generator().manual_seed(step)
        rgb = torch.randn(PAIRS, 3, 16, 16, generator=draw, dtype=torch.float64)
        ir = torch.randn(PAIRS, 1, 32, 32, generator=draw, dtype=torch.float64)
        number = torch.arange(PAIRS)[here]
        made.append(PairBatch(rgb[here], ir[here], number, number, number))
    return made


def train(rank: int, world: int, grad_cache: bool) -> dict[str, Tensor]:
    """How far each tensor has moved after some steps by Lightning, under its own DDP."""
    torch.manual_seed(0)
    rgb, ir = VIT(img_size=16, in_chans=3), VIT(img_size=32, in_chans=1)
    towers = TwoTowers(rgb, ir, Projector(16, [16, 32]), Projector(16, [16, 32])).double()
    before = {name: value.clone() for name, value in towers.state_dict().items()}
    optimizer = partial(torch.optim.SGD, lr=0.01, momentum=0.9)
    method = VICReg(towers, optimizer, lambda step: 1.0, seed=1, grad_cache=grad_cache, grad_cache_pairs=2)
    trainer = pl.Trainer(
        accelerator="cpu",
        devices=world,
        strategy="ddp" if world > 1 else "auto",
        plugins=[TorchElasticEnvironment()] if world > 1 else None,
        max_steps=STEPS,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
    trainer.fit(method, DataLoader(batches(rank, world), batch_size=None))
    return {name: value - before[name] for name, value in towers.state_dict().items()}


def check(rank: int, world: int) -> dict[str, Any]:
    return {"plain": train(rank, world, False), "cached": train(rank, world, True)}
