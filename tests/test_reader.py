"""`sage-lightning … | head`: real commands into a real pipe that nobody reads any more."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sage_lightning import reader
from sage_lightning.sage.celsius import write_celsius

DOOR = "from sage_lightning.cli import main; main()"
START = 1_700_000_000_000_000_000


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    folder = tmp_path / "files/000048b02d15bc42"
    folder.mkdir(parents=True)
    for frame in range(3):
        time, rng = START + frame * 600 * 10**9, np.random.default_rng(frame)
        picture = rng.integers(0, 256, (32, 128, 3), dtype=np.uint8)
        Image.fromarray(picture).save(folder / f"{time}-128x32_position3.jpg")
        celsius = np.round(rng.normal(0, 20, (14, 21)), 2).astype(np.float32)
        write_celsius(folder / f"{time}-right_21x14_14bit.thermal.celsius_position3.csv", celsius)
    return tmp_path


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (("--help",), reader.STATUS),
        (("index", "--cfg", "job"), reader.STATUS),  # which Hydra prints
        (("index", "data.root=files"), 0),  # prints nothing but its log, which may go unread
        (("inventory", "data.root=files"), reader.STATUS),
    ],
)
def test_a_reader_that_leaves_ends_it_quietly(
    asked: tuple[str, ...], status: int, desk: Path, environment: dict[str, str]
) -> None:
    env = environment | {"PYTHONPATH": str(Path(__file__).parents[1])}
    read, write = os.pipe()
    command = [sys.executable, "-c", DOOR, *asked]
    process = subprocess.Popen(command, cwd=desk, env=env, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    os.close(read)
    _, said = process.communicate()
    assert said == ""
    assert process.returncode == status


def test_another_broken_pipe_is_no_quiet_end() -> None:
    with pytest.raises(BrokenPipeError), reader.reader_may_leave():
        raise BrokenPipeError
