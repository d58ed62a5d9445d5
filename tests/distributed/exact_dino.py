"""What one rank of 1, 2 or 4 computes of cross-modal DINO in float64, for test_exact_dino.py to compare."""

from functools import partial
from typing import Any

import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.environments import TorchElasticEnvironment
from torch.utils.data import DataLoader

from sage_lightning.batch import MultiCropBatch
from sage_lightning.methods.dino import DINO
from sage_lightning.models.backbone import Backbone
from sage_lightning.models.prototypes import PrototypeHead
from sage_lightning.models.towers import TwoTowers, share_prototypes, share_trunk
from sage_lightning.optim.schedule import WarmupCosine

PAIRS, STEPS, PROTOTYPES = 8, 6, 12
VIT = partial(
    Backbone, "vit_tiny_patch16_224", options={"embed_dim": 16, "depth": 1, "num_heads": 2}, any_size=True
)
RESNET = partial(
    Backbone, "resnet18", patch_size=None, options={"layers": (1, 1, 1, 1), "channels": (4, 4, 8, 8)}
)
# Direction, sharing, whether DDP must be told of parameters that rest, whether all that few pairs need is on.
CASES = (
    ("both", "separate", False, True),
    ("rgb_teacher", "separate", False, False),
    ("ir_teacher", "separate", False, True),
    ("alternate_roles", "trunk", False, False),
    ("alternate_sensor", "trunk", True, True),
)
FEW = {"centring": "sinkhorn", "koleo_weight": 0.5, "teacher_temperature": (0.02, 0.02)}


def towers(sharing: str) -> TwoTowers:
    """ViTs with one trunk, or RGB by a ViT and thermal by a ResNet with BatchNorm, one set of prototypes."""
    torch.manual_seed(0)
    rgb = VIT(img_size=16, patch_size=8, in_chans=3)
    head = PrototypeHead(16, [16, 8], PROTOTYPES)
    if sharing == "trunk":
        ir = VIT(img_size=32, patch_size=16, in_chans=1)
        share_trunk(rgb, ir)
        return TwoTowers(rgb, ir, head, head).double()
    ir = RESNET(img_size=32, in_chans=1)
    other = PrototypeHead(ir.num_features, [16, 8], PROTOTYPES)
    share_prototypes(head, other)
    return TwoTowers(rgb, ir, head, other).double()


def batches(rank: int, world: int) -> list[MultiCropBatch]:
    """This rank's share of the same global batches, whatever the world."""
    here = slice(rank * PAIRS // world, (rank + 1) * PAIRS // world)
    made = []
    for step in range(STEPS):
        draw = torch.Generator().manual_seed(step)
        rgb, ir = (
            torch.randn(2, PAIRS, c, n, n, generator=draw, dtype=torch.float64) for c, n in ((3, 16), (1, 32))
        )
        local_rgb, local_ir = (
            torch.randn(3, PAIRS, c, n, n, generator=draw, dtype=torch.float64) for c, n in ((3, 8), (1, 16))
        )
        number = torch.arange(PAIRS)[here]
        made.append(
            MultiCropBatch(rgb[:, here], ir[:, here], local_rgb[:, here], local_ir[:, here], *[number] * 3)
        )
    return made


class Logged(pl.Callback):
    """Keeps what is logged at each step."""

    def __init__(self) -> None:
        self.seen: list[dict[str, float]] = []

    def on_train_batch_end(self, trainer: pl.Trainer, *arguments: Any) -> None:
        self.seen.append({name: float(value) for name, value in trainer.callback_metrics.items()})


def train(rank: int, world: int, direction: Any, sharing: str, rests: bool, few: bool) -> dict[str, Any]:
    schedule = WarmupCosine(0, 0.1, steps_per_epoch=2, total_steps=STEPS, batch_size=256)
    optimizer = partial(torch.optim.SGD, lr=0.1, momentum=0.9, weight_decay=0.01)
    numbers: dict[str, Any] = {
        "momentum": 0.8,
        "freeze_epochs": 1,
        "temperature_epochs": 1,
        "weight_decay_end": 0.1,
    }
    numbers |= FEW if few else {}
    method = DINO(towers(sharing), optimizer, schedule, 1, 2, STEPS, direction, **numbers)
    before = {name: value.clone() for name, value in method.state_dict().items()}
    logged = Logged()
    many = "ddp_find_unused_parameters_true" if rests else "ddp"
    trainer = pl.Trainer(
        accelerator="cpu",
        devices=world,
        strategy=many if world > 1 else "auto",
        plugins=[TorchElasticEnvironment()] if world > 1 else None,
        max_steps=STEPS,
        callbacks=[logged],
        gradient_clip_val=3.0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
    trainer.fit(method, DataLoader(batches(rank, world), batch_size=None))
    return {"logged": logged.seen, "before": before, "after": dict(method.state_dict())}


def check(rank: int, world: int) -> dict[str, Any]:
    return {direction: train(rank, world, direction, *rest) for direction, *rest in CASES}
