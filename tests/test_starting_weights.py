"""Through the real commands: two architectures, one begun with another run's tower, which is then gone."""

import shutil

import pandas as pd
import pytest


@pytest.mark.slow
def test_a_run_begins_with_a_tower_of_another_and_outlives_it(trained, tiny, command, tmp_path):
    lost = tmp_path / "lost"
    shutil.copytree(trained.folder / "checkpoints", lost / "checkpoints")
    begun = command(
        "train.py",
        *tiny,
        f"paths.data_dir={trained.desk / 'cache'}",
        "model/backbone@model.rgb_backbone=resnet18",
        "model.ir_backbone.weights=lost",
        "data.ir_patch=4",
        "data.ir_size=[30,40]",
        "model.ir_backbone.pad=true",
        "trainer.max_epochs=1",
        "hydra.run.dir=run",
        cwd=tmp_path,
    )
    assert begun.status == 0, begun.stdout + begun.stderr
    assert f"model.ir_backbone begins with the weights of {lost}" in begun.stdout + begun.stderr
    shutil.rmtree(lost)
    again = command("evaluate.py", "ckpt_path=run", "hydra.run.dir=again", cwd=tmp_path)
    assert again.status == 0, again.stdout + again.stderr
    first, second = (pd.read_csv(tmp_path / name / "scores.csv") for name in ("run", "again"))
    pd.testing.assert_frame_equal(first, second)


def test_weights_of_timms_that_cannot_be_had_are_one_line_before_any_work(tiny, command, tmp_path):
    ended = command(
        "train.py",
        *tiny,
        "model/backbone@model.ir_backbone=resnet18",
        "model.ir_backbone.weights=timm",
        "paths.data_dir=cache",
        cwd=tmp_path,
        env={"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hub")},
    )
    assert ended.status == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith("model.ir_backbone.weights=timm: timm's weights of resnet18 cannot be had (")
    assert not (tmp_path / "cache").exists()
