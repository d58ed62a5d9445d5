"""Rules between keys, each on the smallest config that it looks at."""

import os
from pathlib import Path
from typing import Any

import pytest

from sage_lightning.config.bounds import bounds, get, shares
from sage_lightning.config.pictures import pictures
from sage_lightning.config.rules import crop, folders, length, scale, splits, writable


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
        ("augment.dropout", 1.1, 1.0),
        ("augment.dropout", -0.1, 0.0),
        ("augment.view.flip", 1.1, 1.0),
        ("augment.view.vertical_flip", -0.1, 1.0),
        ("augment.view.jitter", 1.1, 0.0),
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
        ("data.thermal_scale", 0.0, -0.01),
        ("data.thermal_scale", float("nan"), 100),
        ("model.projector", [8, -8], [8, 8]),
        ("model.projector", [], [8]),
        ("model.prototypes", 1, 2),
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


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="a folder in which none can be made")
def test_where_no_folder_can_be_made_is_told_though_it_looks_writable() -> None:
    if not os.access("/proc", os.W_OK):
        pytest.skip("only to root does /proc look writable")
    (line,) = writable({"paths": {"output_dir": "/proc/outputs"}})
    assert line == "paths.output_dir=/proc/outputs: cannot be written (No such file or directory)"


def test_asking_where_a_run_may_write_leaves_nothing_there(tmp_path: Path) -> None:
    assert list(writable({"paths": {"output_dir": str(tmp_path / "new" / "outputs")}})) == []
    assert list(tmp_path.iterdir()) == []
