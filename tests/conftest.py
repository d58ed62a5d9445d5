"""The real commands as a user types them, on a camera so small that a run takes seconds.

A process takes longer to start than to train here, so what several tests look at is made once, by whichever
test process needs it first.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from filelock import FileLock

ROOT = Path(__file__).parents[1]


class Outcome(NamedTuple):
    """How a command ended."""

    status: int
    stdout: str
    stderr: str


class Trained(NamedTuple):
    """One `python train.py …` in an empty folder, the desk.

    Attributes:
        desk: where it was typed; the data cache stays there for other tests.
        folder: of the run.
        written: all files and folders that it left on the desk, the cache's content aside.
        strays: files that it left in the system's temporary folder.
    """

    desk: Path
    folder: Path
    outcome: Outcome
    written: list[str]
    strays: list[str]


Once = Callable[[str, Callable[[Path], Any]], Any]
Command = Callable[..., Outcome]


@pytest.fixture(scope="session")
def tiny() -> tuple[str, ...]:
    """197 training pairs, 12 steps an epoch, 3 epochs; 10 pairs to validate, 28 to test."""
    return (
        "data.frames=240",
        "data.nodes=1",
        "data.positions=[1,2]",
        "data.days=16",
        "data.picture_size=384x128",
        "data.thermal_size=84x63",
        "data.batch_size=16",
        "data.rgb_size=32",
        "data.ir_size=32",
        "model.projector=[64,64]",
        # Gentle, so that rounding, which differs from one number of ranks to another, is not blown up. Adam
        # divides a gradient by its size: with the usual 1e-8, those that are 0 but for rounding (of biases
        # before a BatchNorm) would move as far as any other.
        "optimizer.lr=5e-4",
        "+optimizer.eps=1e-3",
        "trainer.max_epochs=3",
    )


@pytest.fixture
def planner() -> Callable[..., Any]:
    """planner("model=dino_vit_pico", pairs=1000): plans a run so small that a step takes no time."""

    def make(*overrides: str, pairs: int = 1000) -> Any:
        from hydra import compose, initialize_config_dir

        from sage_lightning.build.planner import Planner  # torch takes seconds to import
        from sage_lightning.config import config_dir

        small = ("data.rgb_size=32", "data.ir_size=32", "data.batch_size=8", "model.projector=[64,64]")
        with initialize_config_dir(str(config_dir()), version_base="1.3"):
            cfg = compose("plan", [*small, *overrides])
        return Planner(cfg, pairs, "given")

    return make


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """One thread a process, and no trace of the tests' own process."""
    return {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")} | {
        "OMP_NUM_THREADS": "1"
    }


@pytest.fixture(scope="session")
def command(environment: dict[str, str]) -> Command:
    """Runs `python <script> <arguments>` in a folder: command("train.py", "seed=2", cwd=folder)."""

    def run(script: str, *arguments: str, cwd: Path, env: dict[str, str] | None = None) -> Outcome:
        done = subprocess.run(
            [sys.executable, str(ROOT / script), *arguments],
            cwd=cwd,
            env=environment | (env or {}),
            capture_output=True,
            text=True,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """once(name, make): the JSON that make(folder) gave, called for one of all test processes."""
    # Under xdist each process has its own base folder; its parent is common to all of them.
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def made(name: str, make: Callable[[Path], Any]) -> Any:
        folder = shared / name
        answer = folder.with_suffix(".json")
        with FileLock(f"{folder}.lock"):
            if not answer.exists():
                folder.mkdir()
                answer.write_text(json.dumps(make(folder)))
        return json.loads(answer.read_text())

    return made


@pytest.fixture(scope="session")
def trained(once: Once, command: Command, tiny: tuple[str, ...]) -> Trained:
    """A run that has ended well."""

    def make(folder: Path) -> dict[str, Any]:
        desk, temporary = folder / "desk", folder / "tmp"
        desk.mkdir()
        temporary.mkdir()
        outcome = command("train.py", *tiny, cwd=desk, env={"TMPDIR": str(temporary)})
        written = sorted(path.relative_to(desk).as_posix() for path in desk.rglob("*"))
        return {
            "desk": str(desk),
            "outcome": outcome,
            "written": [path for path in written if not path.startswith("cache/")],
            "strays": [path.name for path in temporary.rglob("*") if path.is_file()],
        }

    found = once("trained", make)
    outcome = Outcome(*found["outcome"])
    assert outcome.status == 0, outcome.stdout + outcome.stderr
    desk = Path(found["desk"])
    (folder,) = (desk / name for name in found["written"] if name.count("/") == 2)
    return Trained(desk, folder, outcome, found["written"], found["strays"])
