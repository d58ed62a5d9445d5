"""Pairs of one (node, position) that are a time apart, against a loop over all of them."""

import numpy as np
import pandas as pd
import pytest

from sage_lightning.data.lag import pairs_at_lag
from sage_lightning.sage.nodes import Node, NodeTable

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


def test_no_two_places_of_a_node_that_moved_are_paired() -> None:
    rows = index(300)
    move = rows["time"].quantile(0.5).value
    nodes = NodeTable(
        [Node("a", "W056", -87.9, 41.7, valid_to=move), Node("a", "W056", -117.2, 32.9, valid_from=move)]
    )
    lag = pd.Timedelta("500min"), pd.Timedelta("200min")
    crosses = {}
    for name, found in (("without", pairs_at_lag(rows, *lag)), ("with", pairs_at_lag(rows, *lag, nodes))):
        moved = (found["time"].astype("int64") < move) & (found["later_time"].astype("int64") >= move)
        crosses[name] = moved.groupby(found["node"]).sum().to_dict()
    assert min(crosses["without"].values()) > 0
    assert crosses["with"] == {"a": 0, "b": crosses["without"]["b"]}
    assert list(found) == list(pairs_at_lag(rows, *lag))


def test_of_two_that_are_near_the_one_of_the_same_place_is_taken() -> None:
    times = pd.to_datetime(["2024-06-21T12:00Z", "2024-06-21T12:50Z", "2024-06-21T13:01Z"]).as_unit("ns")
    rows = pd.DataFrame({"pair_id": ["p", "q", "r"], "node": "a", "position": "1", "time": times})
    nodes = NodeTable([Node("a", "W056", 0.0, 0.0, valid_to=times[2].value)])
    found = pairs_at_lag(
        rows.assign(status="ok", split="train"), pd.Timedelta("1h"), pd.Timedelta("15min"), nodes
    )
    assert found[["pair_id", "later_pair_id"]].to_numpy().tolist() == [["p", "q"]]


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
