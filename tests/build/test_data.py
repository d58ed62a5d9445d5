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
        ([96, 128], 8, None, (40, 48)),
        (48, None, None, (20, 20)),  # a CNN
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
    assert local_sizes(OmegaConf.create({"data": sensors})) == {
        "rgb_local_size": local,
        "ir_local_size": local,
    }
    del sensors["rgb_local_size"]  # a run from before there were such keys
    assert local_sizes(OmegaConf.create({"data": sensors}))["ir_local_size"] == local
