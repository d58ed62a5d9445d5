"""Sizes of local crops, as `data` says them or leaves them open."""

from typing import Any

import pytest
from omegaconf import OmegaConf

from sage_lightning.build.data import local_sizes


@pytest.mark.parametrize(
    ("size", "patch", "given", "local"),
    [
        (224, 16, None, (96, 96)),
        (112, 8, None, (48, 48)),
        (112, 4, None, (48, 48)),
        (48, 8, None, (16, 16)),
        (16, 8, None, (16, 16)),  # two patches at least
        (48, 48, None, (48, 48)),  # where there are two
        ([48, 96], 48, None, (48, 96)),
        ([96, 128], 8, None, (40, 48)),
        (224, 16, 64, (64, 64)),
        (224, 16, [64, 80], (64, 80)),
    ],
)
def test_local_crops_are_whole_patches(size: Any, patch: Any, given: Any, local: tuple[int, int]) -> None:
    sensors = {
        f"{sensor}_{name}": value
        for sensor in ("rgb", "ir")
        for name, value in (("size", size), ("patch", patch), ("local_size", given))
    }
    vit = {f"{sensor}_backbone": {"name": "vit_tiny_patch16_224"} for sensor in ("rgb", "ir")}
    expected = {"rgb_local_size": local, "ir_local_size": local}
    assert local_sizes(OmegaConf.create({"data": sensors, "model": vit})) == expected
    del sensors["rgb_local_size"]  # a run from before there were such keys
    assert local_sizes(OmegaConf.create({"data": sensors, "model": vit}))["ir_local_size"] == local


@pytest.mark.parametrize("patch", [None, 48])
def test_a_patch_that_a_cnn_does_not_have_has_no_say(patch: int | None) -> None:
    sensors = {"rgb_size": 32, "rgb_patch": 8, "ir_size": 32, "ir_patch": patch}
    names = {"rgb_backbone": {"name": "vit_tiny_patch16_224"}, "ir_backbone": {"name": "resnet18"}}
    sizes = local_sizes(OmegaConf.create({"data": sensors, "model": names}))
    assert sizes == {"rgb_local_size": (16, 16), "ir_local_size": (13, 13)}
