"""Counts by hand, and that they add up to the index however they are taken."""

from itertools import combinations

import pandas as pd
import pytest

from sage_lightning.inventory.counts import KEYS, by_daylight, counts
from sage_lightning.inventory.rows import rows_of

NORTH, SOUTH, NOWHERE = "a" * 16, "b" * 16, "c" * 16


def test_a_small_index_by_hand(index_of, nodes):
    """June in Illinois: 18:00 UTC is about noon, 05:00 about 23 h."""
    noon, night = "2023-06-10 18:00", "2023-06-11 05:00"
    files = [
        ("pair", NORTH, "2", noon),
        ("pair", NORTH, "2", "2023-06-12 18:00"),
        ("pair", NORTH, "10", night),
        ("picture", NORTH, "10", "2023-06-12 05:00"),
        ("thermal", NOWHERE, None, noon),
    ]
    found = counts(rows_of(index_of(files), nodes))
    assert found.to_numpy().tolist() == [
        [NORTH, "2", "2023-06", "day", 2, 0],
        [NORTH, "10", "2023-06", "night", 1, 1],
        [NOWHERE, "unknown", "2023-06", "unknown", 0, 1],
    ]
    assert list(found) == [*KEYS, "pairs", "quarantined_files"]


def test_both_files_of_a_pair_in_quarantine_count(index_of, nodes):
    index = index_of([("pair", NORTH, "1", "2023-06-10 18:00")]).assign(
        status="quarantined", reason="unreadable"
    )
    found = counts(rows_of(index, nodes))
    assert found[["pairs", "quarantined_files"]].to_numpy().tolist() == [[0, 2]]


@pytest.mark.parametrize("seed", range(3))
def test_counts_add_up_to_the_index_whatever_they_are_taken_by(seed, index_of, many, nodes):
    index = index_of(many(200, seed))
    held = index[index["status"] != "ok"]
    sums = [int((index["status"] == "ok").sum()), int(held[["rgb_path", "ir_path"]].notna().sum().sum())]
    assert min(sums) > 20
    rows = rows_of(index, nodes)
    for by in (by for size in range(1, 5) for by in combinations(KEYS, size)):
        found = counts(rows, by)
        assert found[["pairs", "quarantined_files"]].sum().tolist() == sums
        assert not found.duplicated(list(by)).any()
        assert (found[["pairs", "quarantined_files"]].sum(axis="columns") > 0).all()


def test_the_order_of_rows_changes_nothing(index_of, many, nodes):
    index = index_of(many(100, 7))
    mixed = index.sample(frac=1, random_state=0).reset_index(drop=True)
    pd.testing.assert_frame_equal(counts(rows_of(index, nodes)), counts(rows_of(mixed, nodes)))


def test_daylight_stands_in_columns(index_of, many, nodes):
    rows = rows_of(index_of(many(200, 1)), nodes)
    found = by_daylight(rows, ["node"])
    assert list(found)[:2] == ["node", "pairs"]
    lights = [name for name in found if name in ("day", "twilight", "night", "unknown")]
    assert {"day", "night", "unknown"} <= set(lights)
    assert (found[lights].sum(axis="columns") == found["pairs"]).all()
    assert found.loc[found["node"] == NOWHERE, "day"].tolist() == [0]


def test_daylight_that_is_not_known_at_all_has_no_column(index_of, many):
    found = by_daylight(rows_of(index_of(many(50, 1), nodes=())), ["position"])
    assert list(found) == ["position", "pairs", "quarantined_files"]
