"""Ours in its Trainer, and the assembly in a loop of its own, both on the pairs and crops of one DataModule.

The assembly is two timm backbones, Lightly's VICReg heads and Lightly's VICReg loss, with AdamW. A recipe is
a list of our overrides for either: backbones, projector, weights, rate, batch and crops are read from it.
"""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytorch_lightning as pl
import timm
import torch
from lightly.loss import VICRegLoss
from lightly.models.modules.heads import VICRegProjectionHead
from omegaconf import DictConfig
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from contest.clock import Budget
from sage_lightning.batch import PairBatch
from sage_lightning.build.data import pair
from sage_lightning.build.model import built
from sage_lightning.data.datamodule import PairDataModule
from sage_lightning.data.loader import CountedLoader
from sage_lightning.data.sampler import CountedBatchSampler

Spaces = dict[str, np.ndarray]
Learn = Callable[[DictConfig, PairDataModule, Budget], tuple[int, nn.Module]]
BATCH = 64  # of evaluation


class Assembly(nn.Module):
    """Two towers; speaks of them as `TwoTowers` does, so that both are embedded alike."""

    def __init__(self, cfg: DictConfig, ir_channels: int) -> None:
        super().__init__()
        self.rgb, self.ir = backbone(cfg, "rgb", 3), backbone(cfg, "ir", ir_channels)
        widths = list(cfg.model.projector)
        self.rgb_head, self.ir_head = (
            VICRegProjectionHead(net.num_features, widths[0], widths[-1], len(widths))
            for net in (self.rgb, self.ir)
        )

    def embed_rgb(self, images: Tensor) -> Tensor:
        return self.rgb(images)

    def embed_ir(self, images: Tensor) -> Tensor:
        return self.ir(images)

    def project_rgb(self, embedding: Tensor) -> Tensor:
        return self.rgb_head(embedding)

    def project_ir(self, embedding: Tensor) -> Tensor:
        return self.ir_head(embedding)


def backbone(cfg: DictConfig, sensor: str, channels: int) -> nn.Module:
    """The timm backbone as it is."""
    node = cfg.model[f"{sensor}_backbone"]
    options = dict(node.get("options") or {})
    if node.name.startswith("vit"):
        options |= {"img_size": pair(cfg.data[f"{sensor}_size"]), "patch_size": cfg.data[f"{sensor}_patch"]}
    return timm.create_model(node.name, in_chans=channels, num_classes=0, **options)


def assembled(cfg: DictConfig, data: PairDataModule, budget: Budget) -> tuple[int, nn.Module]:
    """Trains until the time is up; the steps, and what embeds."""
    torch.manual_seed(cfg.seed)
    towers = Assembly(cfg, data.transform.ir_channels)
    model = cfg.model
    loss = VICRegLoss(model.invariance_weight, model.variance_weight, model.covariance_weight)
    rate = cfg.optimizer.lr * cfg.data.batch_size / 256
    options = {"lr": rate, "betas": tuple(cfg.optimizer.betas), "weight_decay": cfg.optimizer.weight_decay}
    optimizer = AdamW(towers.parameters(), **options)
    schedule = LambdaLR(optimizer, budget.rate)
    steps = 0
    for batch in batches(data):
        z_rgb = towers.project_rgb(towers.embed_rgb(batch.rgb))
        z_ir = towers.project_ir(towers.embed_ir(batch.ir))
        optimizer.zero_grad()
        loss(z_rgb, z_ir).backward()
        optimizer.step()
        schedule.step()
        steps += 1
        if budget.over:
            break
    return steps, towers


def batches(data: PairDataModule) -> Iterator[PairBatch]:
    """Without end, the batches and crops that a Trainer would give."""
    dataset, taken = data._dataset("train"), 0
    sampler = CountedBatchSampler(
        len(dataset), data.batch_size, data.seed, rank=0, world=1, accumulate=1, step=lambda: taken
    )
    while True:
        for batch in CountedLoader(dataset, sampler, 0):
            taken += 1
            yield data.training_views(batch)


class _Stop(pl.Callback):
    def __init__(self, budget: Budget) -> None:
        self.budget = budget

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        trainer.should_stop = self.budget.over


def ours(cfg: DictConfig, data: PairDataModule, budget: Budget) -> tuple[int, nn.Module]:
    """Trains until the time is up; the steps, and what embeds."""
    cfg.trainer.max_epochs, cfg.trainer.max_steps = 1_000_000, -1
    method = built(cfg, data)
    method.schedule = budget.rate
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=cfg.trainer.max_epochs,
        gradient_clip_val=cfg.trainer.gradient_clip_val,
        limit_val_batches=0,
        callbacks=[_Stop(budget)],
        logger=False,
        use_distributed_sampler=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(method, datamodule=data)
    return trainer.global_step, getattr(method, method.EVALUATED)


@torch.no_grad()
def spaces(towers: Any, data: PairDataModule, split: str, most: int | None = None) -> Spaces:
    """rgb_embedding, ir_embedding, rgb_projection and ir_projection of a whole split, in its order.

    Args:
        towers: ours, or the assembly's.
        data: has the split.
        split: "train", "val" or "test".
        most: pairs, where not all are wanted.
    """
    towers.eval()
    parts: list[dict[str, Tensor]] = []
    batches = None if most is None else -(-most // BATCH)
    for stored in itertools.islice(data.split_loader(split, BATCH), batches):
        batch = data.evaluation_views(stored)
        rgb, ir = towers.embed_rgb(batch.rgb), towers.embed_ir(batch.ir)
        projections = {"rgb_projection": towers.project_rgb(rgb), "ir_projection": towers.project_ir(ir)}
        parts.append({"rgb_embedding": rgb, "ir_embedding": ir} | projections)
    return {name: torch.cat([part[name] for part in parts]).numpy() for name in parts[0]}


LEARNERS: dict[str, Learn] = {"ours": ours, "Lightly": assembled}
