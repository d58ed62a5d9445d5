"""Which frames are read, how often each temperature occurs, and what share each thermal bin takes."""

import numpy as np
import pandas as pd
import pytest

from sage_lightning.data.sources import SageSource
from sage_lightning.inventory.reading import POOL_PAYS_FROM, bin_width, chosen, read_frame, read_frames
from sage_lightning.inventory.rows import rows_of
from sage_lightning.inventory.temperatures import BINS, temperatures_of
from sage_lightning.sage.celsius import write_celsius

NORTH, SOUTH = "a" * 16, "b" * 16
THRESHOLDS = (-30.0, 5.0)


def frame(*values):
    return np.array([values], dtype=np.float32)


@pytest.fixture
def rows(index_of, nodes):
    """Two sky frames and one of the ground in one northern summer, one sky frame in a southern winter."""
    files = [
        ("pair", NORTH, "1", "2023-06-10 18:00"),
        ("pair", NORTH, "5", "2023-06-11 18:00"),
        ("pair", NORTH, "4", "2023-06-12 18:00"),
        ("pair", SOUTH, "1", "2023-06-13 18:00"),
    ]
    return rows_of(index_of(files), nodes)


def given(rows, *frames):
    return dict(zip(rows["ir_path"], frames, strict=True))


def test_a_few_pixels_by_hand(rows, frames):
    held = given(
        rows,
        frame(-30.5, -30.0, 4.99, 5.0),
        frame(-60.2, np.nan, -60.9, np.nan),
        frame(20.0, 21.0),
        "truncated",
    )
    found = temperatures_of(rows, frames(held), THRESHOLDS, per_group=9, workers=1)
    bins = found.bins.set_index(["node", "season", "view"])
    assert list(bins.index) == [
        (NORTH, "summer", "sky"),
        (NORTH, "summer", "ground"),
        (SOUTH, "winter", "sky"),
    ]
    sky = bins.loc[(NORTH, "summer", "sky")]
    assert sky[["pairs", "frames", "unreadable"]].tolist() == [2, 2, 0]
    # At a threshold the warmer bin begins: of the six pixels that hold a value three lie below -30.
    assert sky[list(BINS)].tolist() == pytest.approx([3 / 6, 2 / 6, 1 / 6])
    assert sky["missing"] == pytest.approx(2 / 8)
    assert bins.loc[(NORTH, "summer", "ground"), list(BINS)].tolist() == [0, 0, 1]
    unread = bins.loc[(SOUTH, "winter", "sky")]
    assert unread[["pairs", "frames", "unreadable"]].tolist() == [1, 0, 1]
    assert unread[[*BINS, "median", "missing"]].isna().all()
    assert found.unread.to_numpy().tolist() == [["truncated", rows["ir_path"].iloc[3]]]
    part = found.histograms[(found.histograms["node"] == NORTH) & (found.histograms["view"] == "sky")]
    lines = [(-61, -60, 2), (-31, -30, 1), (-30, -29, 1), (4, 5, 1), (5, 6, 1)]
    assert part[["low", "high", "pixels"]].to_numpy().tolist() == [list(map(float, line)) for line in lines]


def test_quantiles_are_those_of_pixels_spread_over_their_bins(rows, frames):
    values = np.random.default_rng(0).normal(-20, 15, (80, 100)).astype(np.float32)
    held = given(rows, values[:40], values[40:], values, values)
    found = temperatures_of(rows, frames(held), THRESHOLDS, per_group=9, workers=1).bins
    for name, quantile in (("p05", 0.05), ("median", 0.5), ("p95", 0.95)):
        assert found[name].to_numpy() == pytest.approx([np.quantile(values, quantile)] * 3, abs=0.25)


def test_shares_add_up_and_the_order_of_rows_changes_nothing(rows, frames):
    rng = np.random.default_rng(0)
    source = frames(given(rows, *(rng.normal(0, 20, (5, 6)).astype(np.float32) for _ in range(4))))
    found = temperatures_of(rows, source, THRESHOLDS, per_group=9, workers=1)
    sums = found.histograms.groupby(["node", "season", "view"])["share"].sum()
    assert sums.to_numpy() == pytest.approx(np.ones(3))
    assert found.bins[list(BINS)].sum(axis="columns").to_numpy() == pytest.approx(np.ones(3))
    assert found.histograms["pixels"].sum() == 4 * 30
    mixed = temperatures_of(rows.sample(frac=1, random_state=1), source, THRESHOLDS, per_group=9, workers=1)
    pd.testing.assert_frame_equal(found.histograms, mixed.histograms)
    pd.testing.assert_frame_equal(found.bins, mixed.bins)


def test_without_thresholds_there_are_no_bins(rows, frames):
    source = frames(given(rows, *[frame(1.0, 2.0)] * 4))
    found = temperatures_of(rows, source, (), per_group=9, workers=1)
    assert not set(BINS) & set(found.bins)
    assert found.bins["missing"].tolist() == [0, 0, 0]


def test_a_frame_of_nothing_but_missing_values_is_counted(rows, frames):
    nothing = frame(np.nan, np.nan)
    found = temperatures_of(rows, frames(given(rows, *[nothing] * 4)), THRESHOLDS, per_group=9, workers=1)
    assert found.histograms.empty
    assert found.bins["unreadable"].sum() == 4
    assert set(found.unread["reason"]) == {"all NaN"}


def test_so_many_frames_of_each_group_are_chosen_and_the_same_ones_again(index_of, many, nodes):
    rows = rows_of(index_of(many(600, 0)), nodes)
    group = ["node", "season", "view"]
    sizes = rows[rows["usable"]].groupby(group, observed=True).size()
    assert (sizes > 3).any()
    assert (sizes < 3).any()
    three = chosen(rows, 3)
    assert three.groupby(group, observed=True).size().equals(sizes.clip(upper=3))
    assert set(chosen(rows, 2)["pair_id"]) <= set(three["pair_id"])
    assert three["pair_id"].tolist() == chosen(rows.sample(frac=1, random_state=0), 3)["pair_id"].tolist()
    assert three["usable"].all()
    # Chosen over the whole time: not just the first ones by name.
    first = rows[rows["usable"]].sort_values("pair_id").groupby(group, observed=True).head(3)
    assert set(three["pair_id"]) != set(first["pair_id"])


def test_more_pairs_replace_only_what_they_are_chosen_before(index_of, many, nodes):
    rows = rows_of(index_of(many(600, 0)), nodes)
    few = rows.sample(frac=0.7, random_state=0)
    kept = set(chosen(rows, 3)["pair_id"]) & set(few["pair_id"])
    assert kept <= set(chosen(few, 3)["pair_id"])


def test_other_units_have_bins_that_fit_their_range(frames):
    counts = frames({"dark": "unreadable", "a": frame(7000.0, 9100.0), "b": frame(8000.0)}, "counts")
    assert bin_width(counts, ["dark", "a", "b"]) == 20.0
    assert bin_width(frames({"a": frame(3.0, 3.0)}, "display"), ["a"]) == 1.0
    assert bin_width(frames({"a": frame(7000.0, 9100.0)}), ["a"]) == 1.0
    found = read_frame(counts, 20.0, [], "a")
    assert found.bins.tolist() == [350, 455]


@pytest.mark.slow
def test_processes_read_what_one_does(tmp_path):
    rng = np.random.default_rng(0)
    paths = [f"{number}.csv" for number in range(POOL_PAYS_FROM)]
    for path in paths[1:]:
        write_celsius(tmp_path / path, rng.normal(0, 20, (4, 5)).round(2).astype(np.float32))
    source = SageSource(tmp_path)
    one, two = (read_frames(source, paths, 1.0, THRESHOLDS, workers) for workers in (1, 2))
    assert one[0] == two[0] == "unreadable"
    for a, b in zip(one[1:], two[1:], strict=True):
        assert (a.bins.tolist(), a.pixels.tolist(), a.between.tolist(), a.missing) == (
            b.bins.tolist(),
            b.pixels.tolist(),
            b.between.tolist(),
            b.missing,
        )
