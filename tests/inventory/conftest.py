"""Small indexes written by hand, and the command as a user types it."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from sage_lightning.data.files import NO_TIME
from sage_lightning.data.index import add_place_and_time
from sage_lightning.data.pairing import pair_files
from sage_lightning.data.quarantine import Unusable
from sage_lightning.sage.nodes import Node, NodeTable

ROOT = Path(__file__).parents[2]
NORTH = Node("a" * 16, "W057", -87.99, 41.7)
SOUTH = Node("b" * 16, "W099", 149.0, -35.3)
NOWHERE = "c" * 16
NODES = (NORTH, SOUTH)


def nanoseconds(time: str) -> int:
    return int(pd.Timestamp(time, tz="UTC").as_unit("ns").value)


File = tuple[str, str, str | None, str]


def make_index(files: Sequence[File], nodes: Sequence[Node] = NODES) -> pd.DataFrame:
    """Of ("picture" or "thermal" or "pair", node, position, time); "" is no time."""
    rows: list[dict[str, Any]] = []
    for kind, node, position, time in files:
        for one in ("picture", "thermal") if kind == "pair" else (kind,):
            time_ns = nanoseconds(time) if time else NO_TIME
            path = f"{node}/{len(rows):04d}-{one}"
            size = (6144, 2048) if one == "picture" else (336, 252)
            rows.append(
                {
                    "path": path,
                    "kind": one,
                    "node": node,
                    "time_ns": time_ns,
                    "position": position,
                    "width": size[0],
                    "height": size[1],
                }
            )
    columns = ["path", "kind", "node", "time_ns", "position", "width", "height"]
    table = pd.DataFrame(rows, columns=columns)
    texts = dict.fromkeys(("path", "kind", "node", "position"), "str")
    table = table.astype(texts | {"time_ns": "int64", "width": "Int32", "height": "Int32"})
    return add_place_and_time(pair_files(table), NodeTable(nodes))


def make_many(count: int, seed: int) -> list[File]:
    """Files of three nodes over two years, some without partner, position or time, in no order."""
    rng = np.random.default_rng(seed)
    files = []
    for number in range(count):
        kind = str(rng.choice(["pair", "pair", "pair", "picture", "thermal"]))
        node = str(rng.choice([NORTH.node, SOUTH.node, NOWHERE]))
        position = [None, "1", "2", "3", "10", "NEH"][int(rng.integers(6))]
        seconds = int(rng.integers(0, 2 * 365 * 86400))
        time = f"{pd.Timestamp('2023-01-01') + pd.Timedelta(seconds=seconds)}"
        files.append((kind, node, position, "" if number % 17 == 5 else time))
    return files


@pytest.fixture
def nodes() -> tuple[Node, ...]:
    """Of "aa…", in the north, and "bb…", in the south; "cc…" is of unknown place."""
    return NODES


@pytest.fixture
def index_of() -> Callable[..., pd.DataFrame]:
    """index_of([("pair", node, position, time), …], nodes=…): their index."""
    return make_index


@pytest.fixture
def many() -> Callable[[int, int], list[File]]:
    """many(count, seed): so many files for `index_of`."""
    return make_many


@pytest.fixture
def frames() -> type["Frames"]:
    """frames({path: frame or reason}, unit): a source of thermal frames."""
    return Frames


class Frames:
    """A source of thermal frames that are kept in memory; a text instead of a frame is why there is none."""

    def __init__(self, frames: dict[str, NDArray[np.float32] | str], unit: str = "celsius") -> None:
        self.thermal_unit = unit
        self.frames = frames

    def read_thermal(self, ir_path: str) -> NDArray[np.float32]:
        frame = self.frames[ir_path]
        if isinstance(frame, str):
            raise Unusable(frame)
        return frame


Program = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def program(environment: dict[str, str]) -> Program:
    """program("inventory", "data=simulated", cwd=folder): as `sage-lightning inventory data=simulated`."""

    def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", "from sage_lightning.cli import main; main()", *arguments],
            cwd=cwd,
            env=environment | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )

    return run
