"""A mapped file gives its rows, is told which are wanted, and is refused in one line if it is another one."""

from pathlib import Path

import numpy as np
import pytest

from sage_lightning.data.pages import Pages
from sage_lightning.errors import UserError


@pytest.mark.parametrize("shape", [(5, 30, 40, 3), (70_001,), (1, 2)])
def test_rows_are_those_of_the_file_wanted_before_or_not(tmp_path: Path, shape: tuple[int, ...]) -> None:
    expected = np.random.default_rng(0).integers(0, 2**16, shape, dtype=np.uint16)
    np.save(tmp_path / "a.npy", expected)
    pages = Pages(tmp_path / "a.npy")
    for row in (0, shape[0] // 2, shape[0] - 1):
        pages.want(row, row + 1)
        assert np.array_equal(pages.array[row], expected[row])
    pages.want(0, shape[0])
    assert np.array_equal(pages.array, expected)
    assert type(pages.array) is np.ndarray
    assert not pages.array.flags.writeable


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b"no array"),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
    ],
)
def test_another_file_is_one_line(tmp_path: Path, damage) -> None:
    path = tmp_path / "rgb-00003.npy"
    np.save(path, np.zeros((4, 8), np.uint8))
    damage(path)
    with pytest.raises(
        UserError, match=r"rgb-00003\.npy: is missing or another one than when this run began"
    ):
        Pages(path)
