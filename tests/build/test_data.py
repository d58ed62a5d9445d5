"""The data of a run: what a selection leaves of it, and sizes of local crops."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from PIL import Image

from sage_lightning.build.data import datamodule, local_sizes
from sage_lightning.config import config_dir
from sage_lightning.errors import UserError

SPLITS = ["train"] * 6 + ["val"] * 3 + ["test"] * 3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve tiny pairs with their table."""
    rng = np.random.default_rng(0)
    for pair in range(len(SPLITS)):
        for name in ("rgb", "ir"):
            pixels = rng.integers(0, 256, (8, 8), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / f"{name}{pair}.png")
    numbers = range(len(SPLITS))
    columns = {name: [f"{name}{pair}.png" for pair in numbers] for name in ("rgb", "ir")}
    table = pd.DataFrame({**columns, "fold": SPLITS, "number": numbers})
    table.to_csv(tmp_path / "pairs.csv", index=False)
    return tmp_path


def of_folder(folder: Path, *overrides: str) -> Any:
    """The data of `data=folder` with these overrides."""
    given = ["data=folder", f"data.root={folder}", "data.table=pairs.csv", "data.columns.split=fold"]
    given += [f"paths.data_dir={folder}/cache", "data.batch_size=2", "data.rgb_store_size=[8,8]"]
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        return datamodule(compose("train", [*given, "data.ir_store_size=[8,8]", *overrides]))


@pytest.mark.parametrize(
    ("expression", "empty"),
    [
        ("split != 'test'", "test"),
        ("split != 'val'", "val"),
        ("split == 'train'", "val and test"),
        ("number > 99", "train and val and test"),
    ],
)
def test_a_selection_that_empties_a_split_is_refused(folder: Path, expression: str, empty: str) -> None:
    with pytest.raises(UserError) as caught:
        of_folder(folder, f'data.select="{expression}"')
    assert caught.value.lines == (f"data.select={expression}: leaves no pair in {empty}",)


def test_balance_by_what_is_not_known_of_any_pair_is_refused_before_decoding(folder: Path) -> None:
    with pytest.raises(UserError) as caught:
        of_folder(folder, "data.balance=[position,daylight]")
    line = "no pair has a value of position or daylight, so all are one stratum"
    assert caught.value.lines == (f"data.balance=[position,daylight]: {line}",)
    assert not list(folder.glob("cache/decoded-*"))


def test_a_selection_chooses_in_every_split(folder: Path) -> None:
    data = of_folder(folder, 'data.select="number % 2 == 0"')
    assert [len(data.split_index(split)) for split in ("train", "val", "test")] == [3, 2, 1]


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
