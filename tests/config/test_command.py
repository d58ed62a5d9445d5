"""Mistakes through the real commands: the lines and nothing else, exit status 2, no folder written."""

import subprocess
import sys
from pathlib import Path

import pytest

from sage_lightning.config import config_dir

ROOT = config_dir().parent


def run(folder: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / script), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("script", "arguments", "lines"),
    [
        (
            "train.py",
            ["data.ir_pach=8", "data.batch_size=abc", "data=sage", "data.nodes=/no/such.csv"],
            [
                "data.ir_pach=8: no such key; did you mean data.ir_patch?",
                "data.batch_size=abc: not a whole number",
                "data.root has no value: give data.root=<folder of camera files>",
                "data.nodes=/no/such.csv: no such file",
            ],
        ),
        (
            "train.py",
            ["-m", "data.ir_patch=4,8", "thermal=celsius,kelvin"],
            ["thermal=kelvin: no such option; thermal is one of bins3, celsius, percentile"],
        ),
        ("evaluate.py", [], ["ckpt_path has no value: give ckpt_path=<run folder or checkpoint>"]),
    ],
)
def test_mistakes_end_with_their_lines(
    script: str, arguments: list[str], lines: list[str], tmp_path: Path
) -> None:
    done = run(tmp_path, script, *arguments)
    assert done.stderr.splitlines() == lines
    assert done.stdout == ""
    assert done.returncode == 2
    assert list(tmp_path.iterdir()) == []
