"""Towers, and the method that trains them."""

import inspect
import logging
import math
from collections.abc import Iterator
from typing import Any

import pytorch_lightning as pl
import torch
from hydra.utils import get_object
from omegaconf import DictConfig
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from sage_lightning.build.data import local_sizes, pair
from sage_lightning.build.objects import instantiate
from sage_lightning.config import resolved
from sage_lightning.config.methods import whole_batch
from sage_lightning.data.datamodule import PairDataModule
from sage_lightning.errors import UserError
from sage_lightning.methods.roles import SENSORS
from sage_lightning.models.architecture import stride
from sage_lightning.models.backbone import Backbone
from sage_lightning.models.compiled import compile_blocks
from sage_lightning.models.patches import PatchHeads
from sage_lightning.models.projector import Projector, RegionProjector
from sage_lightning.models.prototypes import PrototypeHead
from sage_lightning.models.starting import begin
from sage_lightning.models.towers import Sensor, TwoTowers, share_prototypes, share_trunk
from sage_lightning.models.weights import TIMM, timm_weights
from sage_lightning.optim.fused import fused

log = logging.getLogger("sage_lightning")

# Of the model's keys, those that make its parts; the rest are its method's arguments.
PARTS = ("rgb_backbone", "ir_backbone", "projector", "prototypes", "sharing")


def towers(cfg: DictConfig, ir_channels: int, starting: bool = False) -> TwoTowers:
    """The two towers with fresh weights: the same weights for the same seed.

    Args:
        cfg: of the run.
        ir_channels: C_ir.
        starting: with the weights that the config names, if it does; not for a checkpoint, which has its own.

    Raises:
        UserError: these weights cannot be had, or do not fit.
    """
    torch.manual_seed(cfg.seed)
    model = cfg.model
    sharing = model.get("sharing", "separate")
    rgb = _backbone(cfg, "rgb", 3, starting)
    rgb_head = _head(rgb, model)
    if sharing == "full":
        return TwoTowers(rgb, rgb, rgb_head, rgb_head, _patches(rgb, rgb, model))
    ir = _backbone(cfg, "ir", ir_channels, starting)
    if sharing == "trunk":
        share_trunk(rgb, ir)
        return TwoTowers(rgb, ir, rgb_head, rgb_head, _patches(rgb, ir, model))
    ir_head = _head(ir, model)
    if isinstance(rgb_head, PrototypeHead) and isinstance(ir_head, PrototypeHead):
        share_prototypes(rgb_head, ir_head)
    return TwoTowers(rgb, ir, rgb_head, ir_head, _patches(rgb, ir, model))


def fetch_weights(cfg: DictConfig) -> None:
    """Brings those of timm's own that towers begin with to its cache, before anything takes long.

    Raises:
        UserError: they cannot be had.
    """
    for sensor in SENSORS:
        node, key = cfg.model[f"{sensor}_backbone"], f"model.{sensor}_backbone"
        if cfg.resume is not None or node.get("weights") != TIMM:
            continue
        try:
            timm_weights(node.name)
        except UserError as error:
            raise UserError(*(f"{key}.weights={line}" for line in error.lines)) from error


def _backbone(cfg: DictConfig, sensor: Sensor, channels: int, starting: bool) -> Backbone:
    node, key = cfg.model[f"{sensor}_backbone"], f"model.{sensor}_backbone"
    # As plain lists and groups: architectures look closely at their options.
    made: Backbone = instantiate(node, _convert_="all")(
        img_size=pair(cfg.data[f"{sensor}_size"]),
        patch_size=cfg.data[f"{sensor}_patch"],
        in_chans=channels,
        any_size="prototypes" in cfg.model,  # DINO's crops come in two sizes
    )
    if not starting or made.weights is None:
        return made
    try:
        left_out = begin(made, sensor)
    except UserError as error:
        raise UserError(*(f"{key}.{line}" for line in error.lines)) from error
    rest = f"; left out: {', '.join(left_out)}" if left_out else ""
    log.info("%s begins with the weights of %s%s", key, made.weights, rest)
    return made


def _head(backbone: Backbone, model: DictConfig) -> nn.Module:
    features, widths = backbone.num_features, list(model.projector)
    if "prototypes" in model:
        return PrototypeHead(features, widths, model.prototypes)
    if model.get("local"):
        return RegionProjector(features, backbone.regions**2, widths)
    return Projector(features, widths)


def _patches(rgb: Backbone, ir: Backbone, model: DictConfig) -> PatchHeads | None:
    """Heads for patches, where some are hidden; towers share them as they share those of images."""
    if not model.get("ibot_weight"):
        return None
    features = (rgb.net.num_features, ir.net.num_features)
    head, other = (PrototypeHead(width, list(model.projector), model.prototypes) for width in features)
    if model.sharing == "separate":
        share_prototypes(head, other)
    else:
        other = head
    return PatchHeads(head, other, features, one_token=rgb is ir)


def method(cfg: DictConfig, data: PairDataModule) -> pl.LightningModule:
    """The LightningModule: towers, and an optimiser whose schedule spans the run's steps.

    What the config leaves to the size of the data is filled in there, and told.

    Raises:
        UserError: what was filled in, or the backbone, does not go with the rest of the config.
    """
    text = "%d steps of %d pairs an epoch"
    if dropped := data.dropped_per_epoch:
        text += f"; {dropped} pairs are left out of each epoch, other ones every time"
    log.info(text, data.steps_per_epoch, data.batch_size)
    fill(cfg, len(data.split_index("train")))
    return built(cfg, data)


def built(cfg: DictConfig, data: PairDataModule) -> pl.LightningModule:
    """The LightningModule of a config that leaves nothing open, see `method`."""
    made = towers(cfg, data.transform.ir_channels, starting=cfg.resume is None)
    if lines := [*whole_batch(resolved(cfg)), *_batch_statistics(cfg, made), *_crops(cfg, made)]:
        raise UserError(*lines)
    span = {"steps_per_epoch": data.steps_per_epoch, "total_steps": total_steps(cfg, data)}
    arguments = {key: value for key, value in cfg.model.items() if key not in PARTS}
    takes = inspect.signature(get_object(cfg.model._target_)).parameters
    learner: pl.LightningModule = instantiate(
        arguments,
        towers=made,
        optimizer=fused(instantiate(cfg.optimizer)),
        schedule=instantiate(cfg.schedule)(**span, batch_size=cfg.data.batch_size),
        seed=cfg.seed,
        **{name: number for name, number in span.items() if name in takes},
    )
    if "compile" in cfg and cfg.compile:  # runs of before have no such key
        compile_blocks(learner)
    return learner


def _batch_statistics(cfg: DictConfig, made: TwoTowers) -> Iterator[str]:
    """BatchNorm's are of what goes through at once: over parts of a batch they are others."""
    steps = cfg.trainer.accumulate_grad_batches or 1
    cached = cfg.model.get("grad_cache")
    for sensor in ("rgb", "ir"):
        backbone = made.rgb_backbone if sensor == "rgb" else made.ir_backbone
        if not any(isinstance(part, _BatchNorm) for part in backbone.modules()):
            continue
        if cached:
            yield (
                f"model.grad_cache=true: model.{sensor}_backbone has BatchNorm, which needs the whole batch "
                "at once; leave it at false, or use a ViT"
            )
        if steps > 1:
            yield (
                f"trainer.accumulate_grad_batches={steps}: model.{sensor}_backbone has BatchNorm, which "
                "needs the whole batch at once; leave it at 1, or use a ViT"
            )


def _crops(cfg: DictConfig, made: TwoTowers) -> Iterator[str]:
    """Local crops, and a shared tower's other sensor, have sizes of their own; not every backbone takes."""
    rgb, ir = (cfg.data[f"{sensor}_size"] for sensor in ("rgb", "ir"))
    if cfg.model.get("sharing") == "full" and not made.rgb_backbone.takes(*pair(ir)):
        one = f"{cfg.model.rgb_backbone.name} takes images of one size"
        yield f"model.sharing=full: {one}, not data.rgb_size={rgb} and data.ir_size={ir}"
    if not cfg.augment.view.get("local_crops"):
        return
    for sensor in ("rgb", "ir"):
        backbone = made.rgb_backbone if sensor == "rgb" else made.ir_backbone
        rows, columns = local_sizes(cfg)[f"{sensor}_local_size"]
        if not backbone.takes(rows, columns):
            yield (
                f"model.{sensor}_backbone.name={cfg.model[f'{sensor}_backbone'].name}: takes images of one "
                f"size, and local crops are {rows} × {columns} px; set augment.view.local_crops=0, or use "
                f"another model/backbone@model.{sensor}_backbone (ViTs and ResNets take any)"
            )
        elif any(lost := backbone.left_out(rows, columns)):
            yield (
                f"model.{sensor}_backbone.name={cfg.model[f'{sensor}_backbone'].name}: leaves out "
                f"{lost[0]} rows and {lost[1]} columns of local crops of {rows} × {columns} px; set "
                f"data.{sensor}_local_size to multiples of {stride(backbone.name)}, or "
                f"model.{sensor}_backbone.pad=true"
            )


def fill(cfg: DictConfig, pairs: int) -> None:
    """Fills in what the model leaves to the number of training pairs (null in the config), and says so.

    Few pairs give many prototypes nothing to hold, and a slow teacher no steps to learn in: theirs follows
    fast, which balanced batches, resting prototypes and spread bottlenecks keep from collapsing.
    """
    sizes = ((20_000, 1024), (50_000, 2048), (100_000, 4096))
    few = pairs < sizes[0][0]
    values: dict[str, Any] = {
        "prototypes": next((count for below, count in sizes if pairs < below), 65_536),
        "momentum": 0.9 if few else 0.996,
        "teacher_temperature": [0.02, 0.02] if few else [0.04, 0.07],
        "centring": "sinkhorn" if few else "mean",
        "koleo_weight": 0.5 if few else 0.0,
        "freeze_epochs": math.inf if few else 1.0,
    }
    for name, value in values.items():
        if name in cfg.model and cfg.model[name] is None:
            cfg.model[name] = value
            log.info("model.%s=%s, for %d training pairs", name, value, pairs)


def rests(cfg: DictConfig) -> bool:
    """Whether parameters may go without a gradient in a step, which DDP must be told of."""
    direction = cfg.model.get("direction")
    if (
        direction == "both" or cfg.model.get("sharing") == "full"
    ):  # each learns at each step; there is one tower
        return False
    return direction == "alternate_sensor" or cfg.model.get("intra_weight") == 0


def total_steps(cfg: DictConfig, data: PairDataModule) -> int:
    """Optimiser steps of the whole run: the less of what its epochs and its steps allow."""
    epochs, steps = cfg.trainer.max_epochs, cfg.trainer.max_steps
    limits = [steps] if steps > 0 else []
    if epochs is not None and epochs > 0:  # null and -1: as many as max_steps takes
        limits.append(epochs * data.steps_per_epoch)
    return min(limits)
