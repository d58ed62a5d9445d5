"""Weights to begin with are looked at before any work."""

from pathlib import Path

import pytest
import timm
import torch

from sage_lightning import config
from sage_lightning.config.resume import settled
from sage_lightning.config.weights import weights
from sage_lightning.errors import UserError

PICO = {"embed_dim": 128, "depth": 4, "num_heads": 4, "class_token": False, "global_pool": "avg"}


@pytest.fixture
def pico(tmp_path: Path) -> str:
    """The default's backbone, at timm's own patch and image, in a file."""
    path = tmp_path / "pico.pth"
    torch.save(timm.create_model("vit_tiny_patch16_224", num_classes=3, **PICO).state_dict(), path)
    return str(path)


def said(*overrides: str) -> tuple[str, ...]:
    with pytest.raises(UserError) as caught:
        config.check(list(overrides), "train", False)
    return caught.value.lines


def test_weights_that_fit_pass(pico: str) -> None:
    config.check([f"model.rgb_backbone.weights={pico}", f"model.ir_backbone.weights={pico}"], "train", False)


def test_a_file_that_is_not_there() -> None:
    assert said("model.ir_backbone.weights=none.pth") == ("model.ir_backbone.weights=none.pth: no such file",)
    assert said("model.ir_backbone.weights=none") == (
        "model.ir_backbone.weights=none: not a run folder, a checkpoint (.ckpt), or one of .safetensors, "
        ".pt, .pth, .bin",
    )


def test_weights_that_do_not_fit(pico: str) -> None:
    (line,) = said(f"model.ir_backbone.weights={pico}", "model.ir_backbone.options.depth=5")
    assert line.startswith(
        f"model.ir_backbone.weights={pico}: do not fit vit_tiny_patch16_224: missing: blocks.4"
    )


def test_timms_own_are_not_fetched_to_be_checked() -> None:
    config.check(["model.rgb_backbone.weights=timm"], "train", False)
    assert not timm.is_model_pretrained("vit_base_patch16_xp_224")
    name = "model.rgb_backbone.name=vit_base_patch16_xp_224"
    assert said(name, "model.rgb_backbone.options=null", "model.rgb_backbone.weights=timm")[-1] == (
        "model.rgb_backbone.weights=timm: timm has no weights of vit_base_patch16_xp_224"
    )


def test_what_the_weights_tell_themselves_is_not_told_again(pico: str) -> None:
    assert said(f"model.rgb_backbone.weights={pico}", "model.rgb_backbone.weights_sensor=ir") == (
        f"model.rgb_backbone.weights_sensor=ir: weights={pico} is no run's; leave it out",
    )
    assert said("model.rgb_backbone.weights=timm", "model.rgb_backbone.weights_size=[64,96]") == (
        "model.rgb_backbone.weights_size=[64,96]: weights=timm tells it by itself; leave it out",
    )


def test_words_are_those_that_there_are() -> None:
    assert said("model.rgb_backbone.weights_channels=max") == (
        "model.rgb_backbone.weights_channels=max: not one of sum, mean",
    )
    assert "rgb, ir" in said("model.rgb_backbone.weights_sensor=uv")[0]


def test_a_resumed_run_asks_for_no_weights() -> None:
    tower = {"name": "vit_tiny_patch16_224", "options": PICO, "weights": "gone.pth"}
    whole = {"data": {"ir_size": 48, "ir_patch": 8}, "model": {"ir_backbone": tower}}
    assert list(weights(whole)) == ["model.ir_backbone.weights=gone.pth: no such file"]
    assert list(weights(whole | {"resume": "run"})) == []


def test_a_place_is_kept_as_it_is_wherever_one_stands() -> None:
    towers = {"rgb_backbone": {"weights": "a.pth"}, "ir_backbone": {"weights": "timm"}}
    model = settled({"paths": {}, "model": towers}, [])["model"]
    assert model["rgb_backbone"]["weights"] == str(Path("a.pth").absolute())
    assert model["ir_backbone"]["weights"] == "timm"
