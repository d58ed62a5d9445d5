"""A training step: ours, in its Trainer, beside what one would assemble from Lightly or stable-pretraining.

    pip install -e '.[rivals]'
    python benchmarks/step.py        # a quarter of an hour on one core; writes benchmarks/results/step.json
    python benchmarks/step.py dino   # cases whose name holds a word; writes nothing

All contestants of a case make their steps by turns in one run, on the same timm backbones, shapes and batch,
the other libraries with their own losses, heads, LARS and EMA. Each case is measured twice: whole, and with
backbones that cost nothing ("rest"), so that head, loss, optimiser and EMA are left.
"""

import multiprocessing
import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported

import pandas as pd
import pytorch_lightning as pl
import timm
import torch
from hydra import compose, initialize_config_dir
from measure.assemblies import ADAMW, LIGHTLY_LARS, STABLE_LARS, LightlyDINO, lightly_vicreg, stable_vicreg
from measure.clock import Times, machine, medians_ms, save
from measure.turns import Carried, by_turns
from omegaconf import DictConfig
from torch import nn

from sage_lightning.batch import MultiCropBatch, PairBatch
from sage_lightning.build.data import local_sizes, pair
from sage_lightning.build.model import PARTS, fill, towers
from sage_lightning.build.objects import instantiate
from sage_lightning.config import config_dir
from sage_lightning.evaluation.headline import print_table
from sage_lightning.optim.fused import fused

SIZES = ["data.rgb_size=224", "data.ir_size=112", "data.rgb_patch=16", "data.ir_patch=8"]
WIDE = "model.projector=[8192,8192,8192]"
ROUNDS = 5
MANY = 1_000_000  # pairs of a collection for which DINO takes the paper's settings


@dataclass
class Case:
    """What is trained.

    Attributes:
        name: in words.
        overrides: of `python train.py`.
        pairs: of the batch.
        lars: whether the optimiser is LARS; AdamW otherwise.
        rounds: of the whole step.
    """

    name: str
    overrides: list[str]
    pairs: int
    lars: bool = False
    rounds: int = ROUNDS


CASES = [
    Case("VICReg, ViT-Ti/16 and ViT-Ti/8", ["model=vicreg_vit_tiny"], 32),
    Case(
        "VICReg, the same, projector 8192 wide, LARS",
        ["model=vicreg_vit_tiny", "optimizer=lars", WIDE],
        32,
        lars=True,
    ),
    Case("VICReg, ResNet-50 twice, LARS", ["model=vicreg_resnet50"], 16, lars=True),
    Case("DINO, ViT-Ti/16 and ViT-Ti/8, 2 + 8 crops, 65,536 prototypes", ["model=dino_vit_tiny"], 4),
]


def config(overrides: list[str]) -> DictConfig:
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        return compose("train", [*overrides, *SIZES])


def plain(cfg: DictConfig, sensor: str, channels: int) -> nn.Module:
    """The timm backbone as it is, as other libraries take it."""
    node = cfg.model[f"{sensor}_backbone"]
    options = dict(node.get("options") or {})
    if "vit" in node.name:
        options |= {"img_size": pair(cfg.data[f"{sensor}_size"]), "patch_size": cfg.data[f"{sensor}_patch"]}
        options |= {"dynamic_img_size": True} if "prototypes" in cfg.model else {}
    return timm.create_model(node.name, in_chans=channels, num_classes=0, **options)


def method_of(cfg: DictConfig, rest: bool) -> pl.LightningModule:
    made = towers(cfg, 1)
    if rest:
        made.rgb_backbone, made.ir_backbone = Carried(made.rgb_backbone), Carried(made.ir_backbone)
    cls = instantiate({key: value for key, value in cfg.model.items() if key not in PARTS}, _partial_=True)
    span = {"steps_per_epoch": 1, "total_steps": 1000} if "prototypes" in cfg.model else {}
    optimizer = fused(instantiate(cfg.optimizer))
    return cls(towers=made, optimizer=optimizer, schedule=lambda step: 1.0, seed=0, **span)


def dino(case: Case, cfg: DictConfig, rest: bool) -> tuple[pl.LightningModule, Any, dict[str, Any]]:
    fill(cfg, MANY)
    method = method_of(cfg, rest)
    features = [method.student.rgb_backbone.num_features, method.student.ir_backbone.num_features]
    small = local_sizes(cfg)
    view = cfg.augment.view
    crops = []
    for sensor, channels, width in zip(("rgb", "ir"), (3, 1), features, strict=True):
        sizes = pair(cfg.data[f"{sensor}_size"]), small[f"{sensor}_local_size"]
        counts = view.global_crops, view.local_crops
        shapes = [(width,)] * 2 if rest else [(channels, *size) for size in sizes]
        drawn = (torch.randn(n, case.pairs, *shape) for n, shape in zip(counts, shapes, strict=True))
        crops.append(tuple(drawn))
    ids = torch.arange(case.pairs)
    (rgb, rgb_local), (ir, ir_local) = crops
    batch = MultiCropBatch(rgb, ir, rgb_local, ir_local, ids, torch.zeros_like(ids), ids)
    others = LightlyDINO(backbones(cfg, rest), crops, features, cfg.model.projector, cfg.model.prototypes)
    return method, batch, {"Lightly": others}


def vicreg(case: Case, cfg: DictConfig, rest: bool) -> tuple[pl.LightningModule, Any, dict[str, Any]]:
    method = method_of(cfg, rest)
    features = [method.towers.rgb_backbone.num_features, method.towers.ir_backbone.num_features]
    images = [
        torch.randn(case.pairs, *((width,) if rest else (channels, *pair(cfg.data[f"{sensor}_size"]))))
        for sensor, channels, width in zip(("rgb", "ir"), (3, 1), features, strict=True)
    ]
    ids = torch.arange(case.pairs)
    batch = PairBatch(*images, ids, torch.zeros_like(ids), ids)
    parts = (backbones(cfg, rest), images, features, list(cfg.model.projector))
    lightly = lightly_vicreg(*parts, optimizer=LIGHTLY_LARS if case.lars else ADAMW)
    stable = stable_vicreg(*parts, optimizer=STABLE_LARS if case.lars else ADAMW)
    return method, batch, {"Lightly": lightly, "stable-pretraining": stable}


def backbones(cfg: DictConfig, rest: bool) -> list[nn.Module]:
    made = [plain(cfg, "rgb", 3), plain(cfg, "ir", 1)]
    return [Carried(backbone) for backbone in made] if rest else made


def measure(case: Case, rest: bool) -> Times:
    torch.set_num_threads(1)
    cfg = config(case.overrides)
    make = dino if "prototypes" in cfg.model else vicreg
    method, batch, others = make(case, cfg, rest)
    steps: dict[str, Callable[[], None]] = {name: other.step for name, other in others.items()}
    clip = cfg.trainer.get("gradient_clip_val")
    return by_turns(method, batch, steps, case.rounds, gradient_clip_val=clip)


def main() -> None:
    words = sys.argv[1:]
    cases = [case for case in CASES if all(word.lower() in case.name.lower() for word in words)]
    rows, found = [], {}
    for case in cases:
        for part, rest in (("whole step", False), ("rest", True)):
            # A process each: contestants of 8192-wide projectors hold gigabytes until the end of theirs.
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
                times = process.submit(measure, case, rest).result()
            took = medians_ms(times)
            row: dict[str, Any] = {"case": case.name, "pairs": case.pairs, "part": part}
            row["ours, ms"] = took["ours"]
            for name, other in took.items():
                if name != "ours":
                    row |= {f"{name}, ms": other, f"ours / {name}": took["ours"] / other}
            rows.append(row)
            found[f"{case.name}; {part}"] = {"pairs": case.pairs, "median_ms": took, "seconds": times}
            print(row, flush=True)
    print_table(pd.DataFrame(rows), caption="milliseconds a step, medians")
    if not words:
        save("step", {"machine": machine("float32"), "rounds": ROUNDS, "cases": found})


if __name__ == "__main__":
    main()
