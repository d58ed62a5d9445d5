"""Worlds of processes as a fixture, `worlds("script.py")[world][rank]` is what its check returned; and what
counts as the same."""

import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from filelock import FileLock

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
WORLDS = (1, 2, 4)

Results = dict[int, list[Any]]


@pytest.fixture(scope="session")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Results]:
    """Runs a script of this folder once, however many tests and test processes ask for it."""
    # Under xdist each process has its own base folder; its parent is common to all of them.
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    @cache
    def run(script: str) -> Results:
        folder = shared / f"worlds-{script}"
        with FileLock(f"{folder}.lock"):
            if not (folder / "said").exists():
                folder.mkdir(exist_ok=True)
                command = [sys.executable, "-W", "ignore", HERE / "worlds.py", HERE / script, folder]
                done = subprocess.run(
                    [*map(str, command), *map(str, WORLDS)],
                    env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
                    capture_output=True,
                    text=True,
                )
                # A script that failed has failed for all tests: none runs it again.
                failed = f"exit status {done.returncode}\n{done.stdout}{done.stderr}"
                (folder / "said").write_text(failed if done.returncode else "")
            assert (folder / "said").read_text() == ""
        return {
            world: [torch.load(folder / f"{world}-{rank}.pt", weights_only=True) for rank in range(world)]
            for world in WORLDS
        }

    return run


@pytest.fixture(scope="session")
def assert_same() -> Callable[[dict[str, torch.Tensor], dict[str, torch.Tensor]], None]:
    """assert_same(found, expected): ‖a−b‖ ≤ 1e-9 · max(‖b‖, 1e-3 · ‖all‖), tensor by tensor.

    Not element by element: some true gradients are 0, and what rounding leaves of them is not compared.
    """

    def compare(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
        assert list(found) == list(expected)
        whole = torch.stack([value.double().norm() for value in expected.values()]).norm()
        for name, value in expected.items():
            difference = (found[name] - value).double().norm()
            assert difference <= 1e-9 * max(value.double().norm(), 1e-3 * whole), name

    return compare
