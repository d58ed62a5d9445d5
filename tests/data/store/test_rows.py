"""A file gives its rows, is told which are wanted, and is refused in one line if it is another one."""

import gc
import os
from pathlib import Path

import numpy as np
import pytest

from sage_lightning.data.rows import RowFile, first_rows
from sage_lightning.errors import UserError

ANOTHER = r"rgb-00003\.npy: is missing or another one than when this run began"


@pytest.mark.parametrize("shape", [(5, 30, 40, 3), (70_001,), (1, 2)])
def test_rows_are_those_of_the_file_wanted_before_or_not(tmp_path: Path, shape: tuple[int, ...]) -> None:
    expected = np.random.default_rng(0).integers(0, 2**16, shape, dtype=np.uint16)
    np.save(tmp_path / "a.npy", expected)
    file = RowFile(tmp_path / "a.npy")
    assert (file.dtype, file.row_shape) == (np.uint16, shape[1:])
    for row in (0, shape[0] // 2, shape[0] - 1):
        file.want(row, row + 1)
        found = np.empty((1, *shape[1:]), np.uint16)
        file.read_into(found, row)
        assert np.array_equal(found[0], expected[row])
    found = np.empty(shape, np.uint16)
    file.want(0, shape[0])
    file.read_into(found, 0)
    assert np.array_equal(found, expected)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b"no array"),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(path.read_bytes() + b"x"),
        lambda path: np.save(path, np.zeros((4, 8), np.uint8, order="F")),
        lambda path: np.save(path, np.float64(1.0)),
    ],
)
def test_another_file_is_one_line(tmp_path: Path, damage) -> None:
    path = tmp_path / "rgb-00003.npy"
    np.save(path, np.zeros((4, 8), np.uint8))
    damage(path)
    with pytest.raises(UserError, match=ANOTHER):
        RowFile(path)


@pytest.mark.parametrize("another", [np.float64(1.0), np.zeros(3)])
def test_what_is_read_at_once_has_its_rows(tmp_path: Path, another) -> None:
    path = tmp_path / "rgb-00003.npy"
    np.save(path, np.arange(5))
    assert first_rows(path, 4).tolist() == [0, 1, 2, 3]  # a store that has grown has more
    np.save(path, another)
    with pytest.raises(UserError, match=ANOTHER):
        first_rows(path, 4)


def test_a_file_that_is_cut_short_under_a_run_is_one_line(tmp_path: Path) -> None:
    """Of a memory map it would be a signal that nobody survives."""
    path = tmp_path / "rgb-00003.npy"
    np.save(path, np.zeros((4, 8192), np.uint8))
    file = RowFile(path)
    os.truncate(path, 20_000)
    row = np.ones(8192, np.uint8)
    file.read_into(row, 1)
    assert not row.any()
    with pytest.raises(UserError, match=ANOTHER):
        file.read_into(row, 2)


def test_a_file_is_closed_with_its_last_reader(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((4, 8), np.uint8))
    file = RowFile(tmp_path / "a.npy")
    number = file._file
    assert os.fstat(number).st_size == (tmp_path / "a.npy").stat().st_size
    del file
    gc.collect()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)
