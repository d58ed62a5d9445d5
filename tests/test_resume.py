"""A run that was killed goes on where it stopped and ends as if nothing had happened, bit for bit."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from sage_lightning.checkpoints import KEY, read_checkpoint, write_checkpoint

ROOT = Path(__file__).parents[1]
EPOCH, STEPS = 12, 36  # of the run in conftest.py


def killed_in_mid_epoch(arguments: list[str], folder: Path, environment: dict[str, str]) -> dict[str, Any]:
    """A `python train.py` that got SIGKILL in its second epoch: its folder, exit status, and what it said."""
    for attempt in range(5):  # on a busy machine a run may be over before it is looked at
        made = _killed(arguments, folder, folder / f"run{attempt}", environment)
        step = read_checkpoint(Path(made["run"]) / "checkpoints/last.ckpt")[KEY]["step"]
        if made["status"] != 0 and EPOCH < step < STEPS and step % EPOCH:
            break
    return made


def _killed(arguments: list[str], folder: Path, run: Path, environment: dict[str, str]) -> dict[str, Any]:
    more = ["callbacks.checkpoint_every_n_steps=1", f"hydra.run.dir={run}"]
    with (folder / "said").open("w") as said:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "train.py"), *arguments, *more],
            cwd=folder,
            env=environment,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        last = run / "checkpoints/last.ckpt"
        # Reading it while the run renews it: at no moment is there half a file.
        while process.poll() is None and (not last.exists() or read_checkpoint(last)[KEY]["step"] <= EPOCH):
            time.sleep(0.02)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        return {"run": str(run), "status": process.wait(), "said": (folder / "said").read_text()}


@pytest.fixture(scope="session")
def killed(once, trained, tiny, environment) -> Path:
    """The folder of a run like `trained`, killed in the middle of its second epoch."""

    arguments = [*tiny, f"paths.data_dir={trained.desk / 'cache'}"]
    found = once("killed", lambda folder: killed_in_mid_epoch(arguments, folder, environment))
    assert found["status"] == -signal.SIGKILL, found["said"]
    run = Path(found["run"])
    assert not (run / "report.html").exists()
    return run


@pytest.fixture
def step(killed) -> int:
    return read_checkpoint(killed / "checkpoints/last.ckpt")[KEY]["step"]


def assert_same(found: Any, expected: Any, where: str = "") -> None:
    """Equal in every bit, whatever is nested in what."""
    if isinstance(expected, torch.Tensor):
        assert torch.equal(found, expected), where
    elif isinstance(expected, dict):
        assert list(found) == list(expected), where
        for key, value in expected.items():
            assert_same(found[key], value, f"{where}/{key}")
    elif isinstance(expected, list | tuple):
        assert len(found) == len(expected), where
        for place, value in enumerate(expected):
            assert_same(found[place], value, f"{where}/{place}")
    else:
        assert found == expected, where


def assert_ends_as_if_never_killed(folder: Path, whole: Path, step: int) -> None:
    found, expected = (read_checkpoint(run / "checkpoints/last.ckpt") for run in (folder, whole))
    assert found[KEY]["step"] == expected[KEY]["step"] == STEPS
    for part in ("state_dict", "optimizer_states", "lr_schedulers", "epoch", "global_step"):
        assert_same(found[part], expected[part], part)
    assert (folder / "scores.csv").read_text() == (whole / "scores.csv").read_text()
    lines = [pd.read_csv(run / "metrics.csv") for run in (folder, whole)]
    after, rest = ((table[table["step"] >= step].reset_index(drop=True)) for table in lines)
    pd.testing.assert_frame_equal(after, rest, check_like=True)
    assert len(rest["val/loss"].dropna()) == 2


def test_resuming_with_nothing_else_said(killed, step, trained, command, tmp_path):
    """From an empty folder: where the data lie is in the checkpoint, as all the rest."""
    assert EPOCH < step < STEPS
    assert step % EPOCH
    weights = [
        read_checkpoint(run / "checkpoints/last.ckpt")["state_dict"] for run in (killed, trained.folder)
    ]
    assert any(not torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    outcome = command("train.py", f"resume={killed}", cwd=tmp_path)
    assert outcome.status == 0, outcome.stdout + outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["outputs"]
    (folder,) = tmp_path.glob("outputs/train/*")
    assert_ends_as_if_never_killed(folder, trained.folder, step)


@pytest.mark.slow
def test_dino_goes_on_too(trained, command, tiny, environment, tmp_path):
    """Teacher, centre, temperature, momentum and masks beside the student, by the real commands."""
    arguments = [
        *(argument for argument in tiny if not argument.startswith(("model", "optimizer", "schedule"))),
        "model=dino_vit_pico",
        "model.direction=alternate_roles",
        "model.prototypes=64",
        "model.ibot_weight=1",
        "data.ir_patch=16",
        f"paths.data_dir={trained.desk / 'cache'}",
    ]
    whole = tmp_path / "whole"
    outcome = command("train.py", *arguments, f"hydra.run.dir={whole}", cwd=tmp_path)
    assert outcome.status == 0, outcome.stdout + outcome.stderr
    found = killed_in_mid_epoch(arguments, tmp_path, environment)
    assert found["status"] == -signal.SIGKILL, found["said"]
    step = read_checkpoint(Path(found["run"]) / "checkpoints/last.ckpt")[KEY]["step"]
    again = command("train.py", f"resume={found['run']}", f"hydra.run.dir={tmp_path / 'again'}", cwd=tmp_path)
    assert again.status == 0, again.stdout + again.stderr
    assert_ends_as_if_never_killed(tmp_path / "again", whole, step)


def test_what_would_be_another_training_is_refused(killed, command, tmp_path):
    arguments = (f"resume={killed}", "data.batch_size=128", "optimizer.lr=1", "logger=tensorboard")
    outcome = command("train.py", *arguments, cwd=tmp_path)
    end = "leave it out, or begin a new run"
    assert outcome.stderr.splitlines() == [  # 128 is the default, but not what this run has
        f"data.batch_size=128: the run was begun with 16; {end}",
        f"optimizer.lr=1: the run was begun with 0.0005; {end}",
    ]
    assert outcome.stdout == ""
    assert outcome.status == 2
    assert list(tmp_path.iterdir()) == []


def test_a_run_of_a_version_that_let_others_decay_is_one_line(killed, command, tmp_path):
    checkpoint = read_checkpoint(killed / "checkpoints/last.ckpt")
    decayed, rest = checkpoint["optimizer_states"][0]["param_groups"]
    decayed["params"].append(rest["params"].pop(0))
    write_checkpoint(checkpoint, tmp_path / "older.ckpt")
    outcome = command("train.py", f"resume={tmp_path / 'older.ckpt'}", cwd=tmp_path)
    count = len(decayed["params"])
    assert outcome.stderr.splitlines()[-1] == (
        f"resume={tmp_path / 'older.ckpt'}: a version that let {count} parameters decay, not {count - 1}, "
        "has begun this run; go on with that version, or begin a new run"
    )
    assert outcome.status == 2


@pytest.mark.slow
def test_a_run_that_is_complete_is_not_resumed(trained, command, tmp_path):
    outcome = command("train.py", f"resume={trained.folder}", cwd=tmp_path)
    says = f"its training is complete; python evaluate.py ckpt_path={trained.folder} evaluates it"
    assert outcome.stderr.splitlines()[-1] == f"resume={trained.folder}: {says}"
    assert outcome.status == 2


@pytest.mark.slow
def test_resuming_where_others_watch_and_the_data_have_moved(killed, step, trained, command, tmp_path):
    (tmp_path / "moved").symlink_to(trained.desk / "cache")
    arguments = (f"resume={killed}", "logger=tensorboard", "paths.data_dir=moved", "data.num_workers=1")
    outcome = command("train.py", *arguments, cwd=tmp_path)
    assert outcome.status == 0, outcome.stdout + outcome.stderr
    (folder,) = tmp_path.glob("outputs/train/*")
    assert_ends_as_if_never_killed(folder, trained.folder, step)
    events = EventAccumulator(str(folder / "tensorboard"))
    events.Reload()
    tags = events.Tags()
    assert {"train/loss", "val/loss", "health/rankme_ir"} <= set(tags["scalars"])
    assert any(name.startswith("report/") for name in tags["images"])
    assert "scores/table/text_summary" in tags["tensors"]
