"""An architecture takes its image, all of it, or is refused before any work."""

from typing import Any

import pytest

from sage_lightning import config
from sage_lightning.config.architectures import architectures, recomputing
from sage_lightning.errors import UserError


def tower(name: str, size: Any, patch: int | None = None, **node: Any) -> dict[str, Any]:
    return {
        "data": {"ir_size": size, "ir_patch": patch},
        "model": {"ir_backbone": {"name": name, "options": None, "pad": False} | node},
    }


@pytest.mark.parametrize(
    ("name", "size", "line"),
    [
        (
            "convnext_atto",
            48,
            "data.ir_size=48: convnext_atto would leave out 16 rows and 16 columns; nearest that it reads "
            "whole: 32, 64; model.ir_backbone.pad=true fills images up",
        ),
        (
            "convnext_atto",
            [96, 70],
            "data.ir_size=[96,70]: convnext_atto would leave out 0 rows and 5 columns; nearest that it "
            "reads whole: [96,64], [96,96]; model.ir_backbone.pad=true fills images up",
        ),
        (
            "cait_xxs24_224",
            20,
            "data.ir_size=20: cait_xxs24_224 would leave out 4 rows and 4 columns; nearest that it reads "
            "whole: 16, 32; model.ir_backbone.pad=true fills images up",
        ),
        (
            "nest_tiny",
            [64, 96],
            "model.ir_backbone.name=nest_tiny: does not take data.ir_size=[64,96] (Model only handles square "
            "inputs)",
        ),
        (
            "naflexvit_base_patch16_gap",
            [64, 96],
            "model.ir_backbone: backbone naflexvit_base_patch16_gap: its 28 features are no grid over "
            "64 × 96 px",
        ),
    ],
)
def test_no_row_is_left_out_in_silence(name: str, size: Any, line: str) -> None:
    assert list(architectures(tower(name, size))) == [line]


@pytest.mark.parametrize("size", [48, [96, 70]])
def test_padding_is_asked_for(size: Any) -> None:
    assert list(architectures(tower("convnext_atto", size, pad=True))) == []


@pytest.mark.parametrize("size", [64, [64, 96]])
def test_the_sizes_that_are_named_are_read_whole(size: Any) -> None:
    assert list(architectures(tower("convnext_atto", size))) == []


def test_an_unknown_option_is_known_before_any_work() -> None:
    (line,) = architectures(tower("vit_tiny_patch16_224", 48, 8, options={"embed_dims": 16}))
    assert line.startswith("model.ir_backbone: backbone vit_tiny_patch16_224 does not take its options")


SWIN = (
    "model/backbone@model.rgb_backbone=resnet18",
    "model.rgb_backbone.name=swin_tiny_patch4_window7_224",
    "+model.rgb_backbone.options.embed_dim=12",
)


def test_the_command_line_is_told() -> None:
    line = r"data\.rgb_size=50: swin_tiny_patch4_window7_224 would leave out 2 rows and 2 columns"
    with pytest.raises(UserError, match=line):
        config.check([*SWIN, "data.rgb_size=50"], "train", False)
    config.check([*SWIN, "data.rgb_size=50", "model.rgb_backbone.pad=true"], "train", False)


def test_a_vit_may_pad_too() -> None:
    with pytest.raises(UserError, match=r"data\.ir_patch=8 does not divide data\.ir_size=\[42,48\]"):
        config.check(["data.ir_size=[42,48]"], "train", False)
    config.check(["data.ir_size=[42,48]", "model.ir_backbone.pad=true"], "train", False)


def test_blocks_that_cannot_be_computed_twice() -> None:
    (line,) = recomputing(tower("resnet18", 48, grad_checkpointing=True))
    assert line.startswith(
        "model.ir_backbone.grad_checkpointing=true: resnet18: its blocks cannot be computed"
    )
    for name, asked in (("resnet18", "auto"), ("resnet18", False), ("vit_tiny_patch16_224", True)):
        assert list(recomputing(tower(name, 48, 8, grad_checkpointing=asked))) == []
