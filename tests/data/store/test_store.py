"""The store gives back, in any order, what the files print."""

import json
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sage_lightning.data.index import COLUMNS, index_hash
from sage_lightning.data.shards import moments
from sage_lightning.data.store import PairStore
from sage_lightning.sage.celsius import read_celsius, write_celsius
from sage_lightning.sage.picture import CROP_BOX, read_optical

Prepare = Callable[..., PairStore]
RGB = (12, 16)
PAIRS = 40


def test_the_store_gives_back_what_the_files_say(make: Prepare, camera: Any) -> None:
    store = make()
    assert len(store) == PAIRS
    assert (store.encoding, store.thermal_unit, store.rgb_size, store.ir_size) == (
        "centikelvin",
        "celsius",
        RGB,
        (14, 21),
    )
    pairs = store.index[store.index["status"] == "ok"]
    rgb, ir = store.read(pairs["store_row"].tolist())
    celsius = np.where(ir == 0, np.nan, np.round(ir / 100 - 273.15, 2)).astype(np.float32)
    for row, (rgb_path, ir_path) in enumerate(zip(pairs["rgb_path"], pairs["ir_path"], strict=True)):
        assert np.array_equal(rgb[row], read_optical(camera.root / rgb_path, CROP_BOX, RGB))
        assert np.array_equal(celsius[row], read_celsius(camera.root / ir_path), equal_nan=True)


def test_rows_come_in_the_order_asked_for(make: Prepare) -> None:
    store = make()
    rgb, ir = store.read(range(PAIRS))
    wanted = [39, 0, 16, 15, 17, 0, 31, 32]
    some_rgb, some_ir = store.read(np.array(wanted))
    assert np.array_equal(some_rgb, rgb[wanted])
    assert np.array_equal(some_ir, ir[wanted])
    assert some_rgb.flags.writeable
    assert some_rgb.flags.c_contiguous
    assert store.read([])[0].shape == (0, *RGB, 3)


@pytest.mark.parametrize("row", [-1, PAIRS])
def test_a_row_that_is_not_there_is_an_error(make: Prepare, row: int) -> None:
    with pytest.raises(IndexError, match=f"store of {PAIRS} pairs"):
        make().read([0, row])


def test_a_store_pickles_small_and_reads_on(make: Prepare) -> None:
    store = make()
    before = store.read([3, 20])
    sent = pickle.dumps(store)
    assert len(sent) < 1000
    assert all(np.array_equal(a, b) for a, b in zip(pickle.loads(sent).read([3, 20]), before, strict=True))


def test_the_index_file_is_the_table_with_its_columns(make: Prepare, camera: Any) -> None:
    store = make()
    assert store.index.columns.tolist() == list(COLUMNS)
    assert store.index["time"].dt.unit == "ns"
    assert store.index["time"].astype("int64").tolist() == [camera.time(frame) for frame in range(PAIRS)]
    assert store.index_hash == index_hash(store.index)


def test_splits_are_rows_of_the_store(make: Prepare) -> None:
    store = make()
    everything = np.concatenate([store.rows(split) for split in ("train", "val", "test")])
    assert sorted(everything.tolist()) == list(range(PAIRS))
    for split in ("train", "val", "test"):
        index = store.split_index(split)
        assert index["store_row"].tolist() == store.rows(split).tolist()
        assert set(index["split"]) == {split}


@pytest.mark.parametrize("select", [None, "store_row % 2 == 0"])
def test_statistics_are_those_of_the_train_split_as_selected(make: Prepare, select: str | None) -> None:
    whole = make()
    store = PairStore(whole.folder, select)
    assert 0 < len(store.rows("train")) <= len(whole.rows("train")) / (1 if select is None else 1.5)
    rgb, ir = store.read(store.rows("train"))
    celsius = np.where(ir == 0, np.nan, ir / 100 - 273.15)
    said = store.statistics
    assert said["rgb"]["mean"] == pytest.approx((rgb / 255).mean((0, 1, 2)), rel=1e-9)
    assert said["rgb"]["std"] == pytest.approx((rgb / 255).std((0, 1, 2)), rel=1e-9)
    assert said["ir"]["mean"] == pytest.approx([np.nanmean(celsius)], rel=1e-6)
    assert said["ir"]["std"] == pytest.approx([np.nanstd(celsius)], rel=1e-6)


@pytest.mark.parametrize("odd", [5, 39])
def test_one_value_that_is_off_the_grid_makes_the_store_float32_and_exact(
    make: Prepare, camera: Any, odd: int
) -> None:
    celsius = camera.matrix(odd)
    celsius[3, 3] = 7.50001
    write_celsius(camera.thermal(odd), celsius)
    store = make()
    assert store.encoding == "float32"
    ir = store.read(range(PAIRS))[1]
    expected = [read_celsius(camera.thermal(frame)) for frame in range(PAIRS)]
    assert np.array_equal(ir, np.stack(expected), equal_nan=True)


def test_other_units_are_kept_as_they_are(make: Prepare, camera: Any) -> None:
    store = make(thermal_unit="counts")
    assert (store.encoding, store.thermal_unit) == ("float32", "counts")
    assert np.array_equal(store.read([4])[1][0], camera.matrix(4), equal_nan=True)


def test_more_open_shards_than_allowed(make: Prepare, monkeypatch: pytest.MonkeyPatch) -> None:
    store = make()
    expected = store.read(range(PAIRS))
    monkeypatch.setattr("sage_lightning.data.store._allowed", lambda shards: 1)
    fresh = PairStore(store.folder)
    order = np.random.default_rng(0).permutation(PAIRS)
    for row in order.tolist():
        assert np.array_equal(fresh.read([row])[0][0], expected[0][row])


@pytest.mark.parametrize("kind", ["raw", "jpeg"])
def test_a_batch_larger_than_what_is_asked_of_the_disk_at_a_time(
    make: Prepare, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    store = make(rgb_store_kind=kind)
    order = np.random.default_rng(0).permutation(PAIRS)
    expected = store.read(order)
    monkeypatch.setattr("sage_lightning.data.store._AHEAD", 7)
    found = PairStore(store.folder).read(order)
    assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))


def test_moments_are_the_sums_over_all_pixels_to_the_last_bit() -> None:
    random = np.random.default_rng(0)
    rgb = random.integers(0, 256, (288, 384, 3), dtype=np.uint8)
    ir = random.normal(0, 20, (25, 33)).astype(np.float32)
    ir[3, :7] = np.nan
    colours = [[int(level) for level in rgb[..., channel].ravel()] for channel in range(3)]
    expected = [*map(sum, colours), *(sum(level * level for level in channel) for channel in colours)]
    found = moments(rgb, ir)
    assert found[:6].tolist() == expected
    degrees = ir[~np.isnan(ir)].astype(float)
    assert found[6:] == pytest.approx([25 * 33 - 7, degrees.sum(), np.square(degrees).sum()], rel=1e-12)


def test_the_files_are_plain(make: Prepare) -> None:
    store = make()
    for path in store.shard_folder.glob("*.npy"):
        np.load(path, allow_pickle=False)
    assert json.loads((store.folder / "manifest.json").read_text())["encoding"] == "centikelvin"


def test_jpegs_take_less_room_and_give_back_nearly_the_same(make: Prepare, camera: Any) -> None:
    raw, store = make(rgb_store_size=(120, 160)), make(rgb_store_size=(120, 160), rgb_store_kind="jpeg")
    assert store.shard_folder != raw.shard_folder
    order = np.random.default_rng(0).permutation(PAIRS)
    (rgb, ir), (exact, same) = store.read(order), raw.read(order)
    assert np.array_equal(ir, same)
    assert np.abs(rgb.astype(int) - exact).mean() < 3
    assert np.array_equal(store.read([7])[0][0], rgb[order.tolist().index(7)])
    sizes = [sum(path.stat().st_size for path in made.shard_folder.glob("rgb-*")) for made in (store, raw)]
    assert sizes[0] < sizes[1] / 2
    pixels = store.read(store.rows("train"))[0] / 255
    assert store.statistics["rgb"]["mean"] == pytest.approx(pixels.mean((0, 1, 2)), rel=1e-9)
