"""Intervals, rates and gaps by hand; a node rests only where all its positions do."""

import pandas as pd
import pytest

from sage_lightning.inventory.rates import ALL, GAPS, RATES, rates_of
from sage_lightning.inventory.rows import rows_of

NORTH, SOUTH, NOWHERE = "a" * 16, "b" * 16, "c" * 16


def of(times, position="1", node=NORTH):
    return [("pair", node, position, f"2023-06-10 {time}") for time in times]


def line(table, position, node=NORTH):
    (found,) = table[(table["position"] == position) & (table["node"] == node)].to_dict("records")
    return found


def test_a_position_by_hand(index_of, nodes):
    """Every ten minutes, then 50 minutes of nothing, then again twice."""
    rows = rows_of(index_of(of(["00:00", "00:10", "00:20", "01:10", "01:20"])), nodes)
    found = rates_of(rows, gap_factor=3.0)
    got = line(found.rates, "1")
    assert got["pairs"] == 5
    assert got["usual_interval_s"] == 600
    assert got["gaps"] == 1
    assert got["hours_at_work"] == pytest.approx(0.5)
    assert got["pairs_per_hour"] == pytest.approx(6.0)  # one every ten minutes
    assert got["hours_in_gaps"] == got["longest_gap_h"] == pytest.approx(50 / 60)
    gap = line(found.gaps, "1")
    assert (gap["begins"], gap["ends"]) == tuple(
        pd.Timestamp(f"2023-06-10 {time}", tz="UTC") for time in ("00:20", "01:10")
    )


def test_what_is_no_longer_than_the_factor_allows_is_no_gap(index_of, nodes):
    rows = rows_of(index_of(of(["00:00", "00:10", "00:20", "00:50"])), nodes)
    assert rates_of(rows, 3.0).gaps.empty
    assert line(rates_of(rows, 2.9).rates, "1")["gaps"] == 1
    assert line(rates_of(rows, 3.0).rates, "1")["hours_in_gaps"] == 0


def test_a_node_goes_round_its_positions_and_rests_where_all_of_them_do(index_of, nodes):
    """Rounds of two positions a minute apart, every ten minutes; position 2 skips one, both skip four."""
    ones = ["00:00", "00:10", "00:20", "00:30", "01:20", "01:30", "01:40", "01:50"]
    twos = ["00:01", "00:11", "00:31", "01:21", "01:31", "01:41", "01:51"]
    rows = rows_of(index_of(of(ones) + of(twos, "2")), nodes)
    found = rates_of(rows, 1.5)
    assert line(found.rates, "2")["gaps"] == 2
    whole = line(found.rates, ALL)
    assert whole["pairs"] == 15
    assert whole["usual_interval_s"] == 600  # that of its positions, not the minute between them
    gap = line(found.gaps, ALL)
    assert gap["hours"] == pytest.approx(49 / 60)
    assert found.gaps["hours"].is_monotonic_decreasing


def test_quarantine_and_unknown_times_make_no_rate(index_of, nodes):
    files = [
        *of(["00:00", "00:10"]),
        ("picture", NORTH, "1", "2023-06-10 00:05"),
        ("picture", NOWHERE, "1", ""),
    ]
    found = rates_of(rows_of(index_of(files), nodes), 3.0)
    assert line(found.rates, "1")["pairs"] == 2
    assert set(found.rates["node"]) == {NORTH}


def test_a_single_pair_has_no_interval(index_of, nodes):
    found = rates_of(rows_of(index_of(of(["00:00"])), nodes), 3.0)
    got = line(found.rates, "1")
    assert got["pairs"] == 1
    assert got["first"] == got["last"]
    assert pd.isna([got["usual_interval_s"], got["pairs_per_hour"], got["longest_gap_h"]]).all()
    assert found.gaps.empty


def test_pairs_of_one_moment_have_no_rate(index_of, nodes):
    """As a table with whole seconds may have them."""
    index = index_of(of(["00:00", "00:10", "00:20"]))
    rows = rows_of(index.assign(time=index["time"].iloc[0]), nodes)
    got = line(rates_of(rows, 3.0).rates, "1")
    assert got["pairs"] == 3
    assert got["gaps"] == 0
    assert pd.isna(got["pairs_per_hour"])


def test_nothing_has_no_rate(index_of, nodes):
    found = rates_of(rows_of(index_of([("picture", NORTH, "1", "2023-06-10")]), nodes), 3.0)
    assert found.rates.empty
    assert found.gaps.empty
    assert (tuple(found.rates), tuple(found.gaps)) == (RATES, GAPS)


@pytest.mark.parametrize("seed", range(3))
def test_time_at_work_and_in_gaps_is_all_the_time(seed, index_of, many, nodes):
    rows = rows_of(index_of(many(300, seed)), nodes)
    found = rates_of(rows, 2.0).rates
    assert (found["gaps"] > 0).sum() > 5
    span = (found["last"] - found["first"]).dt.total_seconds() / 3600
    assert (found["hours_at_work"] + found["hours_in_gaps"]).to_numpy() == pytest.approx(span.to_numpy())
    timed = rows["usable"] & rows["time"].notna()
    assert found.loc[found["position"] != ALL, "pairs"].sum() == timed.sum()
    assert found.loc[found["position"] == ALL, "pairs"].sum() == timed.sum()


def test_the_order_of_rows_changes_nothing(index_of, many, nodes):
    rows = rows_of(index_of(many(100, 7)), nodes)
    mixed = rows.sample(frac=1, random_state=0)
    for one, other in zip(rates_of(rows, 2.0), rates_of(mixed, 2.0), strict=True):
        pd.testing.assert_frame_equal(one, other)
