"""Towers, and the method that trains them."""

import logging

import pytorch_lightning as pl
import torch
from omegaconf import DictConfig

from sage_lightning.build.data import pair
from sage_lightning.build.objects import instantiate
from sage_lightning.data.datamodule import PairDataModule
from sage_lightning.models.projector import Projector
from sage_lightning.models.towers import TwoTowers

log = logging.getLogger("sage_lightning")

# Of the model's keys, those that make its parts; the rest are its method's arguments.
PARTS = ("rgb_backbone", "ir_backbone", "projector")


def towers(cfg: DictConfig, ir_channels: int) -> TwoTowers:
    """The two towers with fresh weights: the same weights for the same seed."""
    torch.manual_seed(cfg.seed)
    data, model = cfg.data, cfg.model
    rgb = instantiate(model.rgb_backbone)(img_size=pair(data.rgb_size), patch_size=data.rgb_patch, in_chans=3)
    ir = instantiate(model.ir_backbone)(
        img_size=pair(data.ir_size), patch_size=data.ir_patch, in_chans=ir_channels
    )
    widths = list(model.projector)
    return TwoTowers(rgb, ir, Projector(rgb.num_features, widths), Projector(ir.num_features, widths))


def method(cfg: DictConfig, data: PairDataModule) -> pl.LightningModule:
    """The LightningModule: towers, and an optimiser whose schedule spans the run's steps."""
    text = "%d steps of %d pairs an epoch; %d pairs are left out of each epoch, other ones every time"
    log.info(text, data.steps_per_epoch, data.batch_size, data.dropped_per_epoch)
    arguments = {key: value for key, value in cfg.model.items() if key not in PARTS}
    return instantiate(
        arguments,
        towers=towers(cfg, data.transform.thermal.channels),
        optimizer=instantiate(cfg.optimizer),
        schedule=instantiate(cfg.schedule)(
            steps_per_epoch=data.steps_per_epoch,
            total_steps=total_steps(cfg, data),
            batch_size=cfg.data.batch_size,
        ),
        seed=cfg.seed,
    )


def total_steps(cfg: DictConfig, data: PairDataModule) -> int:
    """Optimiser steps of the whole run: the less of what its epochs and its steps allow."""
    epochs, steps = cfg.trainer.max_epochs, cfg.trainer.max_steps
    limits = [steps] if steps > 0 else []
    if epochs is not None and epochs > 0:  # null and -1: as many as max_steps takes
        limits.append(epochs * data.steps_per_epoch)
    return min(limits)
