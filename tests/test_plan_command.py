"""`sage-lightning plan` as a user types it, and a run that has too little memory."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

DOOR = "from sage_lightning.cli import main; main()"
# A process may take so many MiB beside what it has once everything is loaded.
SHORT = """
import re, resource, sys
import sage_lightning.build.learning
from pathlib import Path
size = int(re.search(r"VmSize:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024
resource.setrlimit(resource.RLIMIT_AS, (size + 600 * 2**20,) * 2)
"""


def sage_lightning(
    *arguments: str, cwd: Path, environment: dict[str, str], before: str = ""
) -> subprocess.CompletedProcess[str]:
    root = str(Path(__file__).parents[1])
    return subprocess.run(
        [sys.executable, "-c", before + DOOR, *arguments],
        cwd=cwd,
        env=environment | {"PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=False,
    )


def test_ranks_over_which_the_batch_does_not_go_are_refused(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    asked = ("plan", "experiment=vit_rgb16_ir8_bs128_ep150", "job.gpus=48")
    done = sage_lightning(*asked, cwd=tmp_path, environment=environment)
    assert done.stderr.splitlines() == [
        "data.batch_size=128 does not divide over 48 ranks: nearest are 96 and 144"
    ]
    assert (done.returncode, done.stdout, list(tmp_path.iterdir())) == (2, "", [])


@pytest.mark.slow
@pytest.mark.timeout(900)  # several processes, each of which takes seconds to start
def test_a_plan_is_measured_on_this_device(
    tmp_path: Path, environment: dict[str, str], tiny: tuple[str, ...]
) -> None:
    asked = ("plan", *tiny, "trainer.accelerator=cpu", "plan.find_batch=true", "job.gpus=2,3")
    done = sage_lightning(
        *asked, "plan.pairs=40", "hydra.run.dir=plan", cwd=tmp_path, environment=environment
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout.count("measured") >= 2
    written = json.loads((tmp_path / "plan" / "plan.json").read_text())
    assert written["measured"]["pairs"] == written["batch_size"] == 16
    assert written["memory"]["how"].startswith("measured, CPU, ")
    assert written["largest_batch"] == 40  # as many as there are
    assert [row["refused"] is None for row in written["compared"]] == [True, False]
    assert {"plan.json", "schedules.png", "config.yaml", "summary.json"} <= {
        path.name for path in (tmp_path / "plan").iterdir()
    }
    assert not (tmp_path / "cache").exists()


@pytest.mark.slow
@pytest.mark.timeout(900)  # several processes, each of which takes seconds to start
@pytest.mark.skipif(sys.platform != "linux", reason="what a process has taken is told in /proc")
def test_out_of_memory_ends_with_the_table_and_a_batch_that_fits(
    tmp_path: Path, environment: dict[str, str], tiny: tuple[str, ...]
) -> None:
    large = [override for override in tiny if not override.startswith("data.batch_size")]
    large += ["data.rgb_size=64", "data.ir_size=64", "data.rgb_patch=4", "data.ir_patch=4"]
    large += ["trainer.max_epochs=1", "trainer.max_steps=2", "trainer.accelerator=cpu"]
    asked = ("train", *large, "data.batch_size=160")
    done = sage_lightning(*asked, cwd=tmp_path, environment=environment, before=SHORT)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "memory of a rank" in done.stdout
    (line,) = done.stderr.splitlines()
    assert line.startswith("data.batch_size=160: memory ran out; a step takes about ")
    fitting = int(line.partition("data.batch_size=160")[2].partition("data.batch_size=")[2].split()[0])
    assert 8 <= fitting < 160
    again = sage_lightning(
        "train", *large, f"data.batch_size={fitting}", cwd=tmp_path, environment=environment, before=SHORT
    )
    assert "Training: epoch" in again.stdout, again.stdout + again.stderr
    assert "memory ran out; a step" not in again.stderr
