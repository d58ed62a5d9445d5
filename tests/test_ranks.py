"""`python train.py -m trainer=ddp_cpu …`: trials in numbered folders; two processes train as one does."""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest
from omegaconf import OmegaConf

from sage_lightning.build.learning import towers
from sage_lightning.checkpoints import KEY, read_checkpoint


class Sweep(NamedTuple):
    folder: Path
    status: int
    stdout: str
    stderr: str


@pytest.fixture(scope="session")
def sweep(once, trained, command, tiny) -> Sweep:
    """A trial whose mistake shows only once the data are read, then one as `trained`, on two ranks."""

    def make(folder: Path) -> dict[str, Any]:
        arguments = [argument for argument in tiny if not argument.startswith("data.batch_size")]
        arguments += ["trainer=ddp_cpu", "trainer.devices=2", "data.batch_size=4000,16"]
        outcome = command(
            "train.py", "-m", *arguments, f"paths.data_dir={trained.desk / 'cache'}", cwd=folder
        )
        return {"folder": str(folder), "outcome": outcome}

    found = once("sweep", make)
    (folder,) = Path(found["folder"]).glob("outputs/sweep/*")
    return Sweep(folder, *found["outcome"])


def test_a_trial_that_fails_stops_no_other(sweep):
    assert {path.name for path in sweep.folder.iterdir()} == {"0", "1", "multirun.yaml", "trials.csv"}
    assert sweep.status == 2
    assert "data.batch_size=4000: the training split has 197 pairs, no more" in sweep.stdout.splitlines()
    for unwanted in ("Traceback", "Warning", "recommended", "GLOBAL_RANK"):
        assert unwanted not in sweep.stdout + sweep.stderr
    assert [json.loads((sweep.folder / n / "summary.json").read_text())["status"] for n in "01"] == [
        "failed",
        "done",
    ]
    assert (sweep.folder / "1" / "report.html").exists()


def test_one_table_over_the_trials(sweep):
    table = pd.read_csv(sweep.folder / "trials.csv")
    assert table["trial"].tolist() == [0, 1]
    assert table["data.batch_size"].tolist() == [4000, 16]
    assert table["status"].tolist() == ["failed", "done"]
    metrics = json.loads((sweep.folder / "1" / "summary.json").read_text())["metrics"]
    assert len(metrics) >= 6
    for name, value in metrics.items():
        assert table[name][1] == pytest.approx(value)
    printed = sweep.stdout.partition("Trials of outputs/sweep/")[2]
    assert re.search(r"data.batch_size +4000 +16 ", printed)
    assert f"{metrics['test/probe_cloud_fraction_r2']:.3f}" in printed


def test_two_ranks_train_as_one_process(sweep, trained):
    two, one = sweep.folder / "1", trained.folder
    found, expected = (read_checkpoint(run / "checkpoints/last.ckpt") for run in (two, one))
    config = OmegaConf.create(expected[KEY]["config"])
    assert found[KEY]["config"]["trainer"]["devices"] == 2
    assert found[KEY]["step"] == expected[KEY]["step"]
    assert list(found["state_dict"]) == list(expected["state_dict"])
    fresh = towers(config, ir_channels=1).state_dict()
    moved = 0.0
    for name, value in expected["state_dict"].items():
        size = max(float(value.double().norm()), 1e-2)
        assert (found["state_dict"][name] - value).double().norm() < 1e-4 * size, name
        moved = max(moved, float((fresh[name.removeprefix("towers.")] - value).double().norm()) / size)
    assert moved > 0.1

    tables = [pd.read_csv(run / "metrics.csv") for run in (two, one)]
    assert len(tables[1]["train/loss"].dropna()) == 3
    assert len(tables[1]["val/retrieval_rgb_to_ir_r1"].dropna()) == 3
    pd.testing.assert_frame_equal(*tables, check_like=True, rtol=1e-4, atol=1e-5)
    scores = [pd.read_csv(run / "scores.csv") for run in (two, one)]
    # An accuracy jumps where rounding decides: here and there one of few pairs may be told apart otherwise.
    jumps = scores[1]["metric"].str.contains("accuracy")
    assert jumps.any()
    pd.testing.assert_frame_equal(*(table[~jumps] for table in scores), rtol=1e-3, atol=1e-4)
    two_ranks, one_rank = (table["value"][jumps] for table in scores)
    assert ((two_ranks - one_rank).abs() > 1e-3).mean() < 0.02
    assert len(list(two.rglob("metrics.csv"))) == 1


@pytest.mark.slow
def test_a_sweep_as_in_the_readme(trained, command, tiny, tmp_path):
    where = f"paths.data_dir={trained.desk / 'cache'}"
    outcome = command("train.py", "-m", *tiny, "data.ir_patch=4,8", where, cwd=tmp_path)
    assert outcome.status == 0, outcome.stdout + outcome.stderr
    (folder,) = tmp_path.glob("outputs/sweep/*")
    table = pd.read_csv(folder / "trials.csv")
    assert table["data.ir_patch"].tolist() == [4, 8]
    assert table["status"].tolist() == ["done", "done"]
    # A second trial of a process is as a first: nothing is left of the trial before it.
    second = read_checkpoint(folder / "1/checkpoints/last.ckpt")["state_dict"]
    alone = read_checkpoint(trained.folder / "checkpoints/last.ckpt")["state_dict"]
    assert all(second[name].equal(alone[name]) for name in alone)


@pytest.mark.slow
@pytest.mark.parametrize(
    "choices",
    [
        ("trainer=ddp_cpu", "model.direction=alternate_sensor", "model.sharing=trunk"),
        ("trainer.accelerator=cpu", "model.direction=alternate_sensor", "model.sharing=trunk"),
        ("trainer=ddp_cpu", "model.direction=alternate_sensor", "model.sharing=full", "thermal=bins3"),
        ("trainer=ddp_cpu", "model.intra_weight=0", "model.sharing=trunk", "augment.view.global_crops=1"),
    ],
)
def test_towers_that_rest_in_turn_train_on_two_ranks(trained, command, tiny, tmp_path, choices):
    """DDP ends a run whose parameters go without a gradient, unless it is told; told in vain, it warns."""
    arguments = [
        *(argument for argument in tiny if not argument.startswith("trainer")),
        "model=dino_vit_pico",
        *choices,
        "model.prototypes=64",
        "trainer.devices=2",
        "trainer.max_steps=6",
        f"paths.data_dir={trained.desk / 'cache'}",
    ]
    outcome = command("train.py", *arguments, cwd=tmp_path)
    assert outcome.status == 0, outcome.stdout + outcome.stderr
    for complaint in ("Traceback", "Warning", "find_unused_parameters", "Expected to have finished"):
        assert complaint not in outcome.stdout + outcome.stderr
    (folder,) = tmp_path.glob("outputs/train/*")
    description = read_checkpoint(folder / "checkpoints/last.ckpt")[KEY]
    assert description["step"] == 6
    assert description["config"]["trainer"]["devices"] == 2
