"""A resumed run's numbers begin where its first part began, and no step counts twice."""

from pathlib import Path

import pandas as pd

from sage_lightning.build.history import history


def run(folder: Path, steps: range, resume: Path | None) -> Path:
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "checkpoints/last.ckpt").touch()
    (folder / "config.yaml").write_text(f"resume: {resume or 'null'}\n")
    table = pd.DataFrame({"step": list(steps), "train/loss": [100.0 * len(folder.name) + s for s in steps]})
    table.to_csv(folder / "metrics.csv", index=False)
    return folder


def test_three_parts_make_one_run(tmp_path: Path) -> None:
    first = run(tmp_path / "a", range(10), None)
    second = run(tmp_path / "bb", range(7, 15), first)  # the first part was killed after its checkpoint
    third = run(tmp_path / "ccc", range(15, 20), second / "checkpoints/last.ckpt")
    whole = history(third)
    assert whole is not None
    assert whole["step"].tolist() == list(range(20))
    assert (whole["train/loss"] // 100).tolist() == [1.0] * 7 + [2.0] * 8 + [3.0] * 5
    assert history(first)["step"].tolist() == list(range(10))


def test_a_part_that_is_gone_is_left_out(tmp_path: Path) -> None:
    second = run(tmp_path / "bb", range(7, 15), tmp_path / "gone")
    assert history(second)["step"].tolist() == list(range(7, 15))


def test_a_checkpoint_alone_has_none(tmp_path: Path) -> None:
    assert history(tmp_path) is None
