"""Rules between keys, each on the smallest config that it looks at, and the notes."""

import os
from pathlib import Path
from typing import Any

import pytest

from sage_lightning import config
from sage_lightning.config.bounds import bounds, get, shares
from sage_lightning.config.collection import units
from sage_lightning.config.look import look
from sage_lightning.config.pictures import pictures
from sage_lightning.config.rules import batch, crop, folders, length, scale, splits, writable
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


def run(batch_size: int, devices: Any = 1, accumulate: int = 1, method: str = "x.VICReg") -> dict[str, Any]:
    return {
        "data": {"batch_size": batch_size},
        "trainer": {"devices": devices, "num_nodes": 1, "accumulate_grad_batches": accumulate},
        "model": {"_target_": method},
    }


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (run(100, 3), "data.batch_size=100 does not divide over 3 ranks: nearest are 99 and 102"),
        (run(2, [0, 1, 2]), "data.batch_size=2 does not divide over 3 ranks: the least is 3"),
        (
            run(100, 3, 2, "x.Other"),
            "data.batch_size=100 does not divide over 3 ranks × 2 accumulation steps: nearest are 96 and 102",
        ),
        (
            run(100, 1, 2),
            "trainer.accumulate_grad_batches=2: VICReg's statistics need the whole batch at once; "
            "leave it at 1 and use model.grad_cache=true, more ranks or a smaller data.batch_size",
        ),
        (run(1), "data.batch_size=1: VICReg needs at least 2 pairs"),
    ],
)
def test_the_batch_divides(given: dict[str, Any], line: str) -> None:
    assert list(batch(given)) == [line]


def test_where_the_machine_decides_the_batch_is_not_judged() -> None:
    assert list(batch(run(100, -1))) == list(batch(run(100, "auto"))) == list(batch(run(102, 3))) == []
    assert list(batch({})) == []


def test_folders_that_are_missing(tmp_path: Path) -> None:
    missing = {"data": {"root": "/no/data", "nodes": "/no/nodes.csv"}, "resume": "/no/run"}
    assert list(folders(missing)) == [
        "data.root=/no/data: no such folder",
        "data.nodes=/no/nodes.csv: no such file",
        "resume=/no/run: no such run folder or checkpoint",
    ]
    (line,) = folders({"ckpt_path": str(tmp_path)})
    assert line == f"ckpt_path={tmp_path}: the folder holds no checkpoint (checkpoints/*.ckpt)"
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "last.ckpt").touch()
    found = {"data": {"root": str(tmp_path), "nodes": 2}, "ckpt_path": str(tmp_path), "resume": None}
    assert list(folders(found)) == []


@pytest.mark.parametrize(
    ("key", "wrong", "right"),
    [
        ("data.batch_size", 0, 1),
        ("data.rgb_size", [64, 0], [64, 1]),
        ("data.num_workers", -1, 0),
        ("optimizer.lr", 0.0, 1e-9),
        ("data.split.val", 0.0, 0.5),
        ("data.split.test", 1.0, 0.5),
        ("data.faults", 1.0, 0.0),
        ("augment.view.flip", 1.1, 1.0),
        ("augment.view.scale", [0.9, 0.4], [0.4, 0.9]),
        ("augment.view.scale", [0.0, 0.4], [0.4, 1.0]),
        ("augment.view.global_crops", 0, 1),
        ("augment.view.global_scale", [0.9, 0.4], [0.4, 1.0]),
        ("augment.view.local_crops", -1, 0),
        ("augment.view.local_scale", [0.0, 0.4], [0.05, 0.4]),
        ("data.ir_local_size", 0, 1),
        ("data.rgb_local_size", [24, 0], [24, 1]),
        ("augment.view.ratio", [0.0, 1.0], [0.5, 2.0]),
        ("augment.photometric.gray", 1.1, 1.0),
        ("augment.photometric.blur", -0.1, 0.0),
        ("augment.photometric.blur_sigma", [0.0, 1.0], [0.1, 1.0]),
        ("augment.photometric.brightness", -0.1, 0.0),
        ("augment.photometric.ir_noise", -0.1, 0.0),
        ("augment.style.blur", 1.1, 1.0),
        ("augment.style.invert", -0.1, 0.0),
        ("augment.style.noise", -0.1, 0.0),
        ("augment.style.power", [0.0, 2.0], [1.0, 1.0]),
        ("augment.style.power", [2.0, 0.5], [0.5, 2.0]),
        ("augment.style.shift", -0.1, 0.0),
        ("callbacks.checkpoint_every_n_steps", 0, 1),
        ("clustering.n_clusters", 0, 1),
        ("clustering.min_cluster_size", 1, 2),
        ("model.projector", [8, -8], [8, 8]),
        ("model.projector", [], [8]),
        ("optimizer.betas", [0.9, 1.0], [0.0, 0.99]),
        ("thermal.softness", 0.0, 1.0),
        ("trainer.check_val_every_n_epoch", 0, 1),
        ("trainer.gradient_clip_val", -1.0, None),
        ("trainer.log_every_n_steps", 0, 1),
    ],
)
def test_numbers_out_of_bounds(key: str, wrong: Any, right: Any) -> None:
    def holding(value: Any) -> dict[str, Any]:
        for part in reversed(key.split(".")):
            value = {part: value}
        return value

    (line,) = bounds(holding(wrong))
    assert line.startswith(f"{key}=")
    assert list(bounds(holding(right))) == []
    assert get(holding(right), key) == right


def test_something_is_left_to_train_on() -> None:
    line = "data.split.val=0.5 and data.split.test=0.5 leave nothing to train on"
    assert list(shares({"data": {"split": {"val": 0.5, "test": 0.5}}})) == [line]
    assert list(shares({"data": {"split": {"val": 0.5, "test": 0.4}}})) == []


def test_a_thermal_choice_that_needs_degrees() -> None:
    def asks(unit: str, choice: str, look: str = "own") -> list[str]:
        return list(
            units(
                {
                    "data": {"thermal_unit": unit, "look": look},
                    "thermal": {"_target_": f"sage_lightning.data.thermal.{choice}"},
                }
            )
        )

    line = "thermal=bins3 needs degrees, and data.thermal_unit=display has none; use thermal=percentile"
    assert asks("display", "Bins3") == [line]
    assert (
        asks("display", "Percentile") == asks("kelvin", "Bins3") == asks("display", "Bins3", "common") == []
    )
    for shown in ("own", "common"):
        assert asks("celcius", "Bins3", shown) == [
            "data.thermal_unit=celcius: not one of celsius, kelvin, counts, display"
        ]


def test_looks_and_style_changes_that_go_together() -> None:
    def lines(style: Any, **data: Any) -> list[str]:
        return list(look({"data": data, "augment": {"style": style}}))

    style = {"_target_": "sage_lightning.data.style.Style"}
    assert lines(style, look="common") == lines(None, look="common") == lines(None, look="own") == []
    assert lines(None, look="grey") == ["data.look=grey: not one of own, common"]
    assert lines(style, look="grey") == ["data.look=grey: not one of own, common"]
    refused = "augment.style: its changes of sign and curve make no sense of colours; use data.look=common, "
    assert lines(style, look="own") == [f"{refused}or augment.style=null"]
    assert lines("strong", look="common") == [
        "augment.style=strong: a group of keys; use augment=multicrop_style"
    ]
    assert (
        lines(None) == list(look({"data": {}, "augment": {}})) == []
    )  # a run of before there were such keys


def test_the_common_look_has_no_use_for_thermal() -> None:
    (line,) = config.notes(two_towers(VIT, look="common"))
    assert line == "thermal is unused: data.look=common shows thermal frames as one grey channel"
    assert config.notes(two_towers(VIT, look="own")) == []
    assert config.notes({"data": {"look": "common"}}) == []  # an inventory


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


def test_a_run_may_write_where_it_is_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    paths = {"data_dir": str(tmp_path / "new" / "cache"), "output_dir": str(tmp_path / "file" / "outputs")}
    assert list(writable({"paths": paths})) == [
        f"paths.output_dir={paths['output_dir']}: {tmp_path / 'file'} is a file"
    ]
    assert list(writable({"paths": {"data_dir": None, "output_dir": "outputs"}})) == []
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)  # root may write everywhere
    assert list(writable({"paths": paths | {"output_dir": None}})) == [
        f"paths.data_dir={paths['data_dir']}: {tmp_path} cannot be written"
    ]


def test_the_small_rules() -> None:
    assert list(splits({"split": "tst"})) == ["split=tst: not one of train, val, test"]
    assert list(scale({"thermal": {"low": 5.0, "high": 5.0}})) == [
        "thermal.low=5.0 must be below thermal.high=5.0"
    ]
    assert list(scale({"thermal": {"_target_": "x.Percentile", "low": -1.0, "high": 101.0}})) == [
        "thermal.low=-1.0: must be a percentile, between 0 and 100",
        "thermal.high=101.0: must be a percentile, between 0 and 100",
    ]
    assert list(crop({"data": {"crop_box": [0.5, 0.1, 0.4, 0.9]}})) == [
        "data.crop_box=[0.5,0.1,0.4,0.9]: must be [left,top,right,bottom] with left < right and top < bottom"
    ]
    assert list(pictures({"data": {"picture_size": 768, "positions": [0, 33, 1]}})) == [
        "data.picture_size=768: not a size; write <width>x<height>, as in data.picture_size=6144x2048",
        "data.positions=[0,33,1]: 0, 33 is not one of 1 to 32",
    ]
    assert (
        list(pictures({"data": {"picture_size": "768x256", "thermal_size": [168, 126], "positions": [1]}}))
        == []
    )
    endless = {"trainer": {"max_epochs": -1, "max_steps": -1}}
    assert list(length(endless)) == ["trainer.max_epochs=-1: the run has no end; give trainer.max_steps"]
    assert list(length({"trainer": {"max_epochs": 1, "max_steps": -1}})) == []


def test_regions_are_no_smaller_than_patches() -> None:
    def lines(number: int, **data: object) -> list[str]:
        backbone = {"name": "vit_tiny_patch16_224", "regions": number}
        return list(regions({"data": data, "model": {"ir_backbone": backbone}}))

    assert lines(4, ir_size=[24, 48], ir_patch=8) == [
        "model.ir_backbone.regions=4: the image has no more than 3 patches on a side; use 1 to 3"
    ]
    assert lines(3, ir_size=[24, 48], ir_patch=8) == lines(1, ir_size=8, ir_patch=8) == lines(9) == []
