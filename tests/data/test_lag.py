"""Pairs of one (node, position) that are a time apart, against a loop over all of them."""

import numpy as np
import pandas as pd
import pytest

from sage_lightning.data.lag import pairs_at_lag

NOON = pd.Timestamp("2024-06-21T12:00:00Z")


def index(count: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(
        {
            "pair_id": [f"p{row}" for row in range(count)],
            "node": rng.choice(["a", "b"], count),
            "position": pd.Series(rng.choice(["1", "2", None], count), dtype="str"),
            "time": NOON + pd.to_timedelta(rng.permutation(10 * count)[:count], unit="min"),
            "status": rng.choice(["ok", "quarantined"], count, p=[0.9, 0.1]),
            "split": rng.choice(["train", "test"], count),
        }
    )
    rows["time"] = rows["time"].dt.as_unit("ns")
    rows.loc[0, "time"] = pd.NaT
    return rows


@pytest.mark.parametrize("minutes", [1, 30, 500])
def test_it_is_what_a_loop_finds(minutes: int) -> None:
    lag, tolerance = pd.Timedelta(minutes=minutes), pd.Timedelta(minutes=minutes) * 0.4
    rows = index(300)
    expected = {}
    usable = rows[(rows["status"] == "ok") & rows["time"].notna() & rows["position"].notna()]
    for row in usable.itertuples():
        others = usable[(usable["node"] == row.node) & (usable["position"] == row.position)]
        away = abs(others["time"] - row.time - lag)
        if len(near := away[away <= tolerance]):
            expected[row.pair_id] = near.min()
    found = pairs_at_lag(rows, lag, tolerance)
    assert len(expected) > 5
    distance = abs(found["later_time"] - found["time"] - lag)
    assert dict(zip(found["pair_id"], distance, strict=True)) == expected
    assert found["lag_seconds"].tolist() == (found["later_time"] - found["time"]).dt.total_seconds().tolist()
    place = rows.set_index("pair_id")[["node", "position"]]
    assert (
        place.loc[found["pair_id"]]
        .reset_index(drop=True)
        .equals(place.loc[found["later_pair_id"]].reset_index(drop=True))
    )
    assert (found["pair_id"] != found["later_pair_id"]).all()


def test_two_of_different_splits_are_of_none() -> None:
    rows = index(300)
    found = pairs_at_lag(rows, pd.Timedelta("30min"), pd.Timedelta("20min"))
    split = rows.set_index("pair_id")["split"]
    same = split[found["pair_id"]].to_numpy() == split[found["later_pair_id"]].to_numpy()
    assert 0 < same.sum() < len(found)
    assert (found["split"] == "").to_numpy().tolist() == (~same).tolist()


def test_the_order_of_rows_changes_nothing() -> None:
    rows = index(100)
    lag = pd.Timedelta("30min"), pd.Timedelta("10min")
    pd.testing.assert_frame_equal(
        pairs_at_lag(rows, *lag), pairs_at_lag(rows.sample(frac=1, random_state=1), *lag)
    )


def test_nothing_to_pair_gives_an_empty_table() -> None:
    found = pairs_at_lag(index(3).iloc[:1], pd.Timedelta("1h"), pd.Timedelta("1min"))
    assert found.empty
    assert list(found)[:3] == ["node", "position", "pair_id"]
