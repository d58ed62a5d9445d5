"""A run whose collection has grown goes on with the pairs that it had; one whose pairs have changed, not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sage_lightning.data.begun import change, earlier, trained_on
from sage_lightning.data.split import Split
from sage_lightning.data.store import PairStore
from sage_lightning.sage.celsius import write_celsius

Prepare = Callable[..., PairStore]
PAIRS = 40


def take_away(camera: Any, frames: range) -> None:
    for frame in frames:
        camera.picture(frame).unlink()
        camera.thermal(frame).unlink()


@pytest.fixture
def grown(make: Prepare, camera: Any) -> tuple[PairStore, PairStore]:
    """The store of frames 5 to 29, and the one that it has become with all of them."""
    take_away(camera, range(5))
    take_away(camera, range(30, PAIRS))
    before = make()
    for frame in (*range(5), *range(30, PAIRS)):
        camera.write(frame)
    return before, make()


def test_a_store_that_has_grown_is_found_as_it_was_to_the_pixel(
    make: Prepare, grown: tuple[PairStore, PairStore]
) -> None:
    before, now = grown
    assert now.index_hash != before.index_hash
    found = earlier(now, before.index_hash)
    assert found is not None
    assert (found.folder, found.index_hash) == (before.folder, before.index_hash)
    assert change(found, now) == (15, 0, 0)
    assert str(change(found, now)) == "pairs: 15 new, 0 gone, 0 with other files or labels"
    table, later = (store.index[store.index["status"] == "ok"].set_index("pair_id") for store in (found, now))
    assert (table["split"] == later.loc[table.index, "split"]).all()  # adding moves none
    was = found.read(table["store_row"].tolist())
    same = now.read(later.loc[table.index, "store_row"].tolist())
    assert all(np.array_equal(a, b) for a, b in zip(was, same, strict=True))
    for split in ("val", "test"):
        assert trained_on(found, now, split) == 0


def test_of_another_index_or_split_there_is_none(make: Prepare, grown: tuple[PairStore, PairStore]) -> None:
    before, now = grown
    assert earlier(now, "0f3a") is None
    assert earlier(make(split=Split(val=0.2, test=0.3, seed=5)), before.index_hash) is None


def test_pixels_that_are_no_more_are_not_taken_for_those_of_the_run(
    grown: tuple[PairStore, PairStore],
) -> None:
    before, now = grown
    path = now.shard_folder / "contents-00001.npy"
    contents = np.load(path)
    contents[0, 0, 0] ^= 1  # a pair that the run had
    np.save(path, contents)
    assert earlier(now, before.index_hash) is None


def test_pairs_that_are_gone_or_others_are_counted(make: Prepare, camera: Any) -> None:
    before = make()
    take_away(camera, range(3))
    camera.thermal(7).rename(camera.thermal(7).with_name(camera.thermal(7).name.replace("right_", "")))
    write_celsius(camera.thermal(8), camera.matrix(8) + np.float32(100))
    now = make()
    found = earlier(now, before.index_hash)
    assert found is not None
    assert change(found, now).gone >= 3
    assert change(before, before) == (0, 0, 0)


def test_a_selection_sees_its_own_pairs_alone(make: Prepare, camera: Any) -> None:
    select = "time < '2023-12-12'"
    whole = make()
    before = PairStore(whole.folder, select)
    kept = set(before.index["pair_id"])
    assert 0 < len(kept) < PAIRS
    take_away(camera, range(PAIRS - 2, PAIRS))
    now = make(select=select)
    found = earlier(now, before.index_hash)
    assert found is not None
    assert found.select == select
    assert change(found, now) == (0, 0, 0)
    assert change(whole, make()) == (0, 2, 0)


def test_what_has_been_learned_from_is_told_of_a_held_out_split(make: Prepare) -> None:
    """As where a table's own splits have been dealt again."""
    before, now = make(), make(split=Split(val=0.2, test=0.3, seed=5))
    train = set(before.split_index("train")["pair_id"])
    expected = sum(pair in train for pair in now.split_index("test")["pair_id"])
    assert trained_on(before, now, "test") == expected > 0
    assert trained_on(before, now, "train") == 0
