"""A collection that grows, shrinks and changes: what has been decoded stays, and nothing is decoded twice."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sage_lightning.data.shards import read_note
from sage_lightning.data.sources import SageSource
from sage_lightning.data.store import PairStore
from sage_lightning.sage.celsius import read_celsius, write_celsius
from sage_lightning.sage.picture import CROP_BOX, read_optical

Prepare = Callable[..., PairStore]
PAIRS, RGB = 40, (12, 16)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The pictures that have been decoded, in order."""
    read, calls = SageSource.read, []

    def counting(self: SageSource, pair: Any, size: tuple[int, int]) -> Any:
        calls.append(pair.rgb_path)
        return read(self, pair, size)

    monkeypatch.setattr(SageSource, "read", counting)
    return calls


def assert_true(store: PairStore, camera: Any) -> None:
    """The store gives back what the files say."""
    pairs = store.index[store.index["status"] == "ok"]
    rgb, ir = store.read(pairs["store_row"].tolist())
    degrees = ir if ir.dtype == np.float32 else np.where(ir == 0, np.nan, np.round(ir / 100 - 273.15, 2))
    for row, (picture, thermal) in enumerate(zip(pairs["rgb_path"], pairs["ir_path"], strict=True)):
        assert np.array_equal(rgb[row], read_optical(camera.root / picture, CROP_BOX, RGB))
        expected = read_celsius(camera.root / thermal)
        assert np.array_equal(degrees[row].astype(np.float32), expected, equal_nan=True)


def hide(camera: Any, frames: range) -> None:
    away = camera.root.parent / "away"
    away.mkdir(exist_ok=True)
    for frame, path in itertools.product(frames, (camera.picture, camera.thermal)):
        path(frame).rename(away / path(frame).name)


def bring(camera: Any, frames: range) -> None:
    for frame, path in itertools.product(frames, (camera.picture, camera.thermal)):
        (camera.root.parent / "away" / path(frame).name).rename(path(frame))


def test_new_files_are_decoded_alone_and_once(make: Prepare, camera: Any, decoded: list[str]) -> None:
    hide(camera, range(4, 9))
    hide(camera, range(30, 40))
    first = make()
    assert (len(first), len(decoded)) == (25, 25)
    bring(camera, range(30, 40))
    second = make()
    assert (len(second), len(decoded)) == (35, 35)
    bring(camera, range(4, 9))
    third = make()
    assert (len(third), len(decoded)) == (PAIRS, PAIRS)
    assert len(set(decoded)) == PAIRS
    assert first.shard_folder == second.shard_folder == third.shard_folder
    assert [shard["pairs"] for shard in third.manifest["shards"]] == [16, 16, 8]  # full ones, not one a call
    assert_true(third, camera)


def test_a_run_that_has_the_store_open_reads_on_while_others_add_to_it(make: Prepare, camera: Any) -> None:
    hide(camera, range(20, 40))
    running = make()
    expected = running.read(range(20))
    fresh = PairStore(running.folder)  # has not opened a shard yet
    bring(camera, range(20, 40))
    make()
    for store in (running, fresh):
        assert all(np.array_equal(a, b) for a, b in zip(store.read(range(20)), expected, strict=True))


def test_a_file_that_has_changed_is_decoded_again_and_no_other(
    make: Prepare, camera: Any, decoded: list[str]
) -> None:
    make()
    write_celsius(camera.thermal(7), camera.matrix(7) + np.float32(100))
    store = make()
    assert len(decoded) == PAIRS + 1
    assert len(store) == PAIRS + 1  # its old pixels keep their place
    assert (store.index["status"] == "ok").sum() == PAIRS
    assert_true(store, camera)


def test_what_goes_and_comes_back_is_not_decoded_again(
    make: Prepare, camera: Any, decoded: list[str]
) -> None:
    whole = make()
    hide(camera, range(10, 20))
    fewer = make()
    assert (fewer.index["status"] == "ok").sum() == PAIRS - 10
    assert_true(fewer, camera)
    bring(camera, range(10, 20))
    assert make().folder == whole.folder
    assert len(decoded) == PAIRS


def test_a_shard_that_is_made_again_without_some_of_its_files_gets_them_when_they_are_back(
    make: Prepare, camera: Any, decoded: list[str]
) -> None:
    store = make()
    hide(camera, range(10, 20))
    (store.shard_folder / "shard-00000.json").unlink()
    fewer = make()
    assert_true(fewer, camera)
    assert len(decoded) == PAIRS + 10  # ten of the sixteen are there
    note = read_note(store.shard_folder, 0)
    assert note is not None
    assert list(note.failed.values()) == ["gone"] * 6
    bring(camera, range(10, 20))
    again = make()
    assert len(decoded) == PAIRS + 16
    assert (again.index["status"] == "ok").sum() == PAIRS
    assert_true(again, camera)


def test_a_value_off_the_grid_in_new_files_makes_its_own_shard_float32(make: Prepare, camera: Any) -> None:
    hide(camera, range(20, 40))
    assert make().encoding == "centikelvin"
    celsius = camera.matrix(35)
    celsius[3, 3] = 7.50001
    bring(camera, range(20, 40))
    write_celsius(camera.thermal(35), celsius)
    store = make()
    assert store.encoding == "float32"
    kinds = [np.load(store.shard_folder / f"ir-{shard:05d}.npy", mmap_mode="r").dtype for shard in range(3)]
    assert kinds == [np.uint16, np.uint16, np.float32]
    assert_true(store, camera)


def test_same_files_in_another_folder_are_not_decoded_again_and_other_ones_are(
    make: Prepare, camera: Any, decoded: list[str], tmp_path: Path
) -> None:
    first = make()
    moved = camera.root.rename(tmp_path / "elsewhere")
    assert make(root=moved).folder == first.folder
    assert len(decoded) == PAIRS
    (moved / camera.node / camera.picture(0).name).unlink()
    other = moved.rename(tmp_path / "a third place")
    assert make(root=other).shard_folder != first.shard_folder  # nothing tells that it is the same camera's
