"""A run begins with the weights that its config names; what has been trained since asks for them no more."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import timm
import torch
from hydra import compose, initialize_config_dir

from sage_lightning.build.learning import load, method
from sage_lightning.checkpoints import describe, find_checkpoint, stamp, write_checkpoint
from sage_lightning.config import config_dir, resolved

PICO = {"embed_dim": 128, "depth": 4, "num_heads": 4, "class_token": False, "global_pool": "avg"}
NORMALISATION = {"rgb_mean": [0.5] * 3, "rgb_std": [0.2] * 3, "ir_mean": [0.0], "ir_std": [1.0]}
EVALUATED = {"vicreg": "towers", "dino": "teacher"}


def built(*overrides: str) -> tuple[Any, Any]:
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        cfg = compose("train", list(overrides))
    data: Any = SimpleNamespace(
        steps_per_epoch=10,
        batch_size=16,
        dropped_per_epoch=0,
        split_index=lambda split: range(1000),
        transform=SimpleNamespace(ir_channels=1),
    )
    return cfg, method(cfg, data)


@pytest.fixture(scope="module")
def pico(tmp_path_factory: pytest.TempPathFactory) -> str:
    torch.manual_seed(7)
    path = tmp_path_factory.mktemp("weights") / "pico.pth"
    torch.save(timm.create_model("vit_tiny_patch16_224", num_classes=3, **PICO).state_dict(), path)
    return str(path)


def starting(pico: str) -> list[str]:
    return [f"model.{sensor}_backbone.weights={pico}" for sensor in ("rgb", "ir")]


def saved(folder: Path, cfg: Any, module: Any) -> Path:
    """A run folder with the checkpoint of a method that has not been trained."""
    config = resolved(cfg)
    described = describe(
        kind=cfg.model._target_.rpartition(".")[2].lower(),
        architecture=config["model"],
        config=config,
        data_hash="none",
        normalisation=NORMALISATION,
    )
    checkpoint = {"state_dict": module.state_dict(), "sage_lightning": stamp(described, step=1)}
    write_checkpoint(checkpoint, folder / "checkpoints" / "last.ckpt")
    return folder


@pytest.mark.parametrize("model", ["vicreg_vit_pico", "dino_vit_pico"])
def test_towers_begin_with_the_weights_and_the_rest_as_ever(pico: str, model: str) -> None:
    given = torch.load(pico, weights_only=True)
    made = built(f"model={model}", *starting(pico))[1]
    fresh = built(f"model={model}")[1]
    towers = getattr(made, EVALUATED[model.split("_")[0]])
    for backbone in (towers.rgb_backbone, towers.ir_backbone):
        blocks = backbone.net.blocks.state_dict()
        assert blocks
        assert all(torch.equal(value, given[f"blocks.{name}"]) for name, value in blocks.items())
        assert backbone.net.patch_embed.proj.weight.shape[2:] == (8, 8)  # of 16
        assert backbone.net.pos_embed.shape == (1, 36, 128)  # of 14 × 14
    others = {name: value for name, value in fresh.state_dict().items() if "backbone" not in name}
    assert others
    assert all(torch.equal(value, made.state_dict()[name]) for name, value in others.items())


def test_each_process_begins_with_the_same(pico: str) -> None:
    first, second = (built(*starting(pico))[1].state_dict() for _ in range(2))
    assert all(torch.equal(value, second[name]) for name, value in first.items())


def test_what_is_left_out_is_said(pico: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "sage_lightning"):
        built(*starting(pico))
    line = f"model.ir_backbone begins with the weights of {pico}; left out: head.bias, head.weight"
    assert line in caplog.messages


@pytest.mark.parametrize("model", ["vicreg_vit_pico", "dino_vit_pico"])
def test_a_run_starts_either_tower_of_another(tmp_path: Path, pico: str, model: str) -> None:
    run = saved(tmp_path, *built(f"model={model}", "seed=3"))
    was = torch.load(find_checkpoint(run), weights_only=True)["state_dict"]
    part = EVALUATED[model.split("_")[0]]
    crossed = ("model.ir_backbone.weights_sensor=rgb", "data.ir_patch=4", "data.ir_size=[24,48]")
    made = built(f"model.ir_backbone.weights={run}", *crossed)[1].towers.ir_backbone
    assert made.grid == (6, 12)
    norm = was[f"{part}.rgb_backbone.net.blocks.3.attn.qkv.weight"]
    assert torch.equal(made.net.blocks[3].attn.qkv.weight, norm)
    assert not torch.equal(norm, was[f"{part}.ir_backbone.net.blocks.3.attn.qkv.weight"])


def test_a_shared_trunk_is_the_rgb_towers(tmp_path: Path) -> None:
    run = saved(tmp_path, *built("model=dino_vit_pico", "seed=3"))
    was = torch.load(find_checkpoint(run), weights_only=True)["state_dict"]
    both = [f"model.{sensor}_backbone.weights={run}" for sensor in ("rgb", "ir")]
    towers = built("model=dino_vit_pico", "model.sharing=trunk", *both)[1].student
    for sensor, backbone in (("rgb", towers.rgb_backbone), ("ir", towers.ir_backbone)):
        assert torch.equal(
            backbone.net.blocks[0].attn.qkv.weight, was["teacher.rgb_backbone.net.blocks.0.attn.qkv.weight"]
        )
        patch = was[f"teacher.{sensor}_backbone.net.patch_embed.proj.weight"]
        assert torch.equal(backbone.net.patch_embed.proj.weight, patch)


def test_a_checkpoint_needs_the_weights_no_more(tmp_path: Path, pico: str) -> None:
    lost = tmp_path / "lost.pth"
    lost.write_bytes(Path(pico).read_bytes())
    cfg, module = built(*starting(str(lost)))
    run = saved(tmp_path / "run", cfg, module)
    lost.unlink()
    again = load(run).towers.cpu().state_dict()
    assert all(torch.equal(value, again[name]) for name, value in module.towers.state_dict().items())


def test_a_resumed_run_needs_the_weights_no_more(tmp_path: Path) -> None:
    gone = f"model.rgb_backbone.weights={tmp_path / 'gone.pth'}"
    made, fresh = built(gone, "resume=run")[1], built()[1]
    assert all(torch.equal(v, fresh.state_dict()[name]) for name, v in made.state_dict().items())
