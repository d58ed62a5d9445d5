"""What each rank computes for test_exact.py: one global batch, cut over the ranks, in float64."""

from functools import partial
from typing import Any

import pytorch_lightning as pl
import torch
import torch.distributed as dist
from pytorch_lightning.plugins.environments import TorchElasticEnvironment
from torch import Tensor, nn
from torch.utils.data import DataLoader

from sage_lightning.batch import PairBatch
from sage_lightning.losses.vicreg import vicreg_terms
from sage_lightning.methods.gather import gather_ragged, gather_with_grad
from sage_lightning.methods.vicreg import VICReg
from sage_lightning.models.backbone import Backbone
from sage_lightning.models.batchnorm import GlobalBatchNorm1d, GlobalBatchNorm2d
from sage_lightning.models.projector import Projector
from sage_lightning.models.towers import TwoTowers
from sage_lightning.optim.lars import LARS
from sage_lightning.optim.schedule import WarmupCosine

PAIRS, STEPS = 8, 10
RAGGED = {1: [8], 2: [5, 3], 4: [1, 4, 0, 3]}


def towers() -> TwoTowers:
    """A ViT for RGB, a ResNet with BatchNorm for thermal."""
    torch.manual_seed(0)
    rgb = Backbone("vit_tiny_patch16_224", 16, 8, 3, {"embed_dim": 32, "depth": 2, "num_heads": 2})
    ir = Backbone("resnet18", 32, None, 1, {"layers": (1, 1, 1, 1), "channels": (4, 4, 8, 8)})
    return TwoTowers(
        rgb, ir, Projector(rgb.num_features, [16, 16, 12]), Projector(ir.num_features, [16, 12])
    ).double()


def batches(count: int, rank: int, world: int) -> list[PairBatch]:
    """This rank's share of the same global batches, whatever the world."""
    made = []
    here = slice(rank * PAIRS // world, (rank + 1) * PAIRS // world)
    for step in range(count):
        draw = torch.Generator().manual_seed(step)
        rgb = torch.randn(PAIRS, 3, 16, 16, generator=draw, dtype=torch.float64)
        ir = torch.randn(PAIRS, 1, 32, 32, generator=draw, dtype=torch.float64)
        number = torch.arange(PAIRS)
        made.append(PairBatch(rgb[here], ir[here], number[here], number[here], number[here]))
    return made


def each_term(rank: int, world: int) -> dict[str, Any]:
    """Every term by itself: its value and its gradient, averaged over ranks as DDP does it."""
    model = towers()
    (batch,) = batches(1, rank, world)
    z_rgb, z_ir = model(batch.rgb, batch.ir)
    terms = vicreg_terms(gather_with_grad(z_rgb), gather_with_grad(z_ir))._asdict()
    names, parameters = zip(*model.named_parameters(), strict=True)
    found: dict[str, Any] = {}
    for name, term in terms.items():
        gradients = [g.clone() for g in torch.autograd.grad(term, parameters, retain_graph=True)]
        for gradient in gradients:
            if world > 1:
                dist.all_reduce(gradient)
                gradient /= world
        found[name] = {"value": float(term.detach()), "gradient": dict(zip(names, gradients, strict=True))}
    return found


def ragged_norm(norm: nn.Module, shape: tuple[int, ...], rank: int, world: int) -> dict[str, Tensor]:
    """Three batches through a norm, cut unevenly; outputs and gradients come back in one piece."""
    counts = RAGGED[world]
    start = sum(counts[:rank])
    here = slice(start, start + counts[rank])
    found: dict[str, Tensor] = {}
    for step in range(3):
        draw = torch.Generator().manual_seed(step)
        x, direction = 3 + 2 * torch.randn(2, sum(counts), *shape, generator=draw, dtype=torch.float64)
        mine = x[here].clone().requires_grad_()
        y = norm(mine)
        (y * direction[here] * y).sum().backward()
        found |= {f"output {step}": gather_ragged(y), f"input gradient {step}": gather_ragged(mine.grad)}
    for name, parameter in norm.named_parameters():
        gradient = parameter.grad.clone()
        if world > 1:
            dist.all_reduce(gradient)
        found[f"gradient of {name}"] = gradient
    return found | {name: buffer.double() for name, buffer in norm.named_buffers()}


class Losses(pl.Callback):
    """Keeps what is logged at each step."""

    def __init__(self) -> None:
        self.seen: list[dict[str, float]] = []

    def on_train_batch_end(self, trainer: pl.Trainer, *arguments: Any) -> None:
        self.seen.append({name: float(value) for name, value in trainer.callback_metrics.items()})


def train(rank: int, world: int) -> dict[str, Any]:
    """Ten steps by Lightning, under its own DDP, at a rate that moves the weights well away."""
    optimizer = partial(LARS, lr=10.0, trust_coefficient=0.02)
    model = towers()
    schedule = WarmupCosine(
        warmup_epochs=1, floor=0.01, steps_per_epoch=3, total_steps=STEPS, batch_size=PAIRS
    )
    method = VICReg(model, optimizer, schedule, seed=1)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    losses = Losses()
    trainer = pl.Trainer(
        accelerator="cpu",
        devices=world,
        strategy="ddp" if world > 1 else "auto",
        plugins=[TorchElasticEnvironment()] if world > 1 else None,
        max_steps=STEPS,
        callbacks=[losses],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
    trainer.fit(method, DataLoader(batches(STEPS, rank, world), batch_size=None))
    return {"losses": losses.seen, "before": before, "after": dict(model.state_dict())}


def check(rank: int, world: int) -> dict[str, Any]:
    rows = torch.arange(sum(RAGGED[world])).split(RAGGED[world])[rank]
    norms = {
        "1d": (GlobalBatchNorm1d(5), (5,)),
        "1d long": (GlobalBatchNorm1d(3, momentum=None), (3, 4)),
        "2d": (GlobalBatchNorm2d(3), (3, 2, 4)),
    }
    return {
        "gathered rows": gather_ragged(rows),
        "terms": each_term(rank, world),
        "norms": {
            name: ragged_norm(norm.double(), shape, rank, world) for name, (norm, shape) in norms.items()
        },
        "training": train(rank, world),
    }
