"""Rules between sensors, patches and backbones, on the smallest configs that they look at; the notes."""

from typing import Any

import pytest

from sage_lightning import config
from sage_lightning.config.sensors import backbones, heads, patches, regions


def two_towers(name: str, **data: Any) -> dict[str, Any]:
    sizes = {"rgb_size": 64, "rgb_patch": 8, "ir_size": 64, "ir_patch": 8}
    return {"data": sizes | data, "model": {"rgb_backbone": {"name": name}, "ir_backbone": {"name": name}}}


VIT = "vit_tiny_patch16_224"


@pytest.mark.parametrize(
    ("size", "patch", "line"),
    [
        (
            48,
            7,
            "data.ir_patch=7 does not divide data.ir_size=48: use 6, 8 or another divisor, "
            "or data.ir_size=49, 42",
        ),
        (
            7,
            48,
            "data.ir_patch=48 does not divide data.ir_size=7: use 7 or another divisor, or data.ir_size=48",
        ),
        (
            [252, 336],
            8,
            "data.ir_patch=8 does not divide data.ir_size=[252,336]: use 7, 12 or another divisor, "
            "or data.ir_size=[256,336]",
        ),
    ],
)
def test_a_patch_divides_its_image(size: Any, patch: int, line: str) -> None:
    assert list(patches(two_towers(VIT, ir_size=size, ir_patch=patch))) == [line]


def test_the_sizes_that_are_named_do_divide() -> None:
    for size in range(20, 60):
        for patch in range(2, 20):
            for line in patches(two_towers(VIT, ir_size=size, ir_patch=patch)):
                use, _, sizes = line.partition(": use ")[2].partition(" or another divisor, or data.ir_size=")
                assert all(size % int(near) == 0 for near in use.split(", "))
                assert all(int(near) % patch == 0 for near in sizes.split(", "))
            assert (size % patch == 0) == (not list(patches(two_towers(VIT, ir_size=size, ir_patch=patch))))


def test_a_cnn_has_no_patch() -> None:
    resnet = two_towers("resnet18", ir_patch=7)
    assert list(patches(resnet)) == []
    assert config.notes(resnet) == [
        "data.rgb_patch is unused: model.rgb_backbone is a CNN",
        "data.ir_patch is unused: model.ir_backbone is a CNN",
    ]
    assert config.notes(two_towers(VIT)) == []
    assert config.notes(two_towers("resnet18", rgb_patch=None, ir_patch=None)) == []


def test_a_vit_needs_a_patch() -> None:
    line = "data.ir_patch=null: model.ir_backbone is a ViT, which needs a patch size"
    assert list(patches(two_towers(VIT, ir_patch=None))) == [line]


def test_an_unknown_backbone_is_answered_with_the_nearest() -> None:
    lines = list(backbones(two_towers("vit_tinny_patch16_224")))
    assert len(lines) == 2
    assert lines[0].startswith(
        "model.rgb_backbone.name=vit_tinny_patch16_224: timm has no such architecture; nearest are "
    )
    assert VIT in lines[0]
    assert list(backbones(two_towers("convnext_atto"))) == []  # timm has it, conf/ does not name it


def test_a_patch_divides_the_local_crops_that_are_asked_for() -> None:
    many = {"augment": {"view": {"_target_": "x.MultiCrop"}}}
    asked = two_towers(VIT, ir_local_size=20, rgb_local_size=24)
    assert list(patches(asked | many)) == [
        "data.ir_patch=8 does not divide data.ir_local_size=20: use 5, 10 or another divisor, "
        "or data.ir_local_size=24, 16"
    ]
    assert list(patches(asked)) == []
    assert list(patches(two_towers("resnet18", ir_local_size=20) | many)) == []
    note = "data.{}_local_size is unused: only augment=multicrop has local crops"
    assert config.notes(asked) == [note.format("rgb"), note.format("ir")]
    assert config.notes(asked | many) == []


def test_attention_heads_divide_the_width() -> None:
    def lines(**options: Any) -> list[str]:
        return list(
            heads({"model": {"ir_backbone": {"options": options}, "rgb_backbone": {"options": None}}})
        )

    options = "model.ir_backbone.options"
    assert lines(embed_dim=128, num_heads=3) == [
        f"{options}.embed_dim=128 does not divide over {options}.num_heads=3"
    ]
    assert lines(embed_dim=128, num_heads=4) == lines(embed_dim=100) == lines() == []


def test_regions_are_no_smaller_than_patches() -> None:
    def lines(number: int, **data: object) -> list[str]:
        backbone = {"name": "vit_tiny_patch16_224", "regions": number}
        return list(regions({"data": data, "model": {"ir_backbone": backbone}}))

    assert lines(4, ir_size=[24, 48], ir_patch=8) == [
        "model.ir_backbone.regions=4: the image has no more than 3 patches on a side; use 1 to 3"
    ]
    assert lines(3, ir_size=[24, 48], ir_patch=8) == lines(1, ir_size=8, ir_patch=8) == lines(9) == []
