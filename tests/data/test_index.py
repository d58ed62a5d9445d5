"""The index table: its hash, its almanac columns, its summary line."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from sage_lightning.data.index import (
    add_place_and_time,
    index_hash,
    label_columns,
    place_hash,
    summary,
    unknown_nodes,
)
from sage_lightning.data.lag import pairs_at_lag
from sage_lightning.data.split import Split, dealt
from sage_lightning.sage.nodes import Node, NodeTable

MIDDAY = "2024-06-21T18:00:00Z"  # about noon at 90° W


def index(**columns: list[object]) -> pd.DataFrame:
    rows = pd.DataFrame(
        {
            "pair_id": ["a-1", "a-2", "b-3"],
            "node": ["a", "a", "b"],
            "position": pd.Series(["1", "NEG", None], dtype="str"),
            "time": pd.to_datetime([MIDDAY, "2024-06-21T05:00:00Z", MIDDAY], utc=True).as_unit("ns"),
            "rgb_path": ["1.jpg", "2.jpg", "3.jpg"],
            "ir_path": pd.Series(["1.csv", None, "3.csv"], dtype="str"),
            "status": ["ok", "quarantined", "ok"],
            "reason": ["", "partner missing", ""],
            "cloud": [0.1, None, 1 / 3],
        }
    )
    return rows.assign(**columns)


def test_the_hash_is_of_rows_whatever_their_order() -> None:
    assert index_hash(index()) == index_hash(index().sample(frac=1, random_state=0))


def test_the_hash_is_pinned_so_that_another_machine_must_agree() -> None:
    assert index_hash(index()) == "b67f69bca71e9d358743b2751dc25367d6b43a772a602530067de6bd2a7eb488"


@pytest.mark.parametrize("column", ["rgb_path", "ir_path", "status", "reason", "cloud"])
def test_the_hash_follows_paths_status_reason_and_labels(column: str) -> None:
    changed = index()
    changed.loc[0, column] = 0.5 if column == "cloud" else "other"
    assert index_hash(changed) != index_hash(index())


def test_the_hash_leaves_out_what_is_derived() -> None:
    assert index_hash(index(split=["train", "", "val"], local_day="2024-06-21")) == index_hash(index())


def test_the_hash_survives_the_file(tmp_path: Path) -> None:
    index().to_parquet(tmp_path / "index.parquet", row_group_size=2)
    read = pd.read_parquet(tmp_path / "index.parquet")  # its columns come in several pieces
    assert (index_hash(read), place_hash(read)) == (index_hash(index()), place_hash(index()))


def test_place_and_time() -> None:
    nodes = NodeTable([Node("a", "W1", longitude=-90.0, latitude=40.0)])
    noon, night, elsewhere = add_place_and_time(index(), nodes).to_dict("records")
    assert (noon["local_day"], noon["local_hour"], noon["daylight"], noon["view"]) == (
        "2024-06-21",
        12.0,
        "day",
        "sky",
    )
    assert noon["sun_elevation"] == pytest.approx(90 - 40 + 23.44, abs=0.2)
    assert (night["local_day"], night["daylight"], night["view"]) == ("2024-06-20", "night", "ground")
    assert elsewhere["local_day"] == "2024-06-21"  # by UTC: the node is in no table
    assert all(pd.isna(elsewhere[column]) for column in ("local_hour", "sun_elevation", "daylight", "view"))


def test_a_node_that_moved_has_the_place_of_its_time() -> None:
    noon = pd.Timestamp(MIDDAY).value
    nodes = NodeTable(
        [
            Node("a", "W056", -88.0, 41.7, valid_to=noon),
            Node("a", "W056", -117.2, 32.9, valid_from=noon),
        ]
    )
    there, before, _ = add_place_and_time(index(), nodes).to_dict("records")
    assert there["local_hour"] == pytest.approx(18 - 117.2 / 15)
    assert before["local_hour"] == pytest.approx(5 - 88 / 15 + 24)
    assert before["local_day"] == "2024-06-20"


CHICAGO = Node("00004812345678e9", "W056", -87.9, 41.7, valid_to=pd.Timestamp("2024-07-01").value)


def two_names(days: int) -> pd.DataFrame:
    """A pair a day of one camera: archive files name its id, local copies its short name, by turns."""
    names = pd.Series([CHICAGO.node, CHICAGO.vsn] * days, dtype="str")[:days]
    times = pd.date_range("2024-06-01T18:00", periods=days, freq="D", tz="UTC", unit="ns")
    made = pd.DataFrame({"pair_id": names + "-" + times.astype("int64").astype("str"), "node": names})
    return made.assign(position="1", time=times, status="ok", split="train")


def test_a_camera_under_two_names_is_one_node() -> None:
    rows, nodes = two_names(20), NodeTable([CHICAGO])
    found = add_place_and_time(rows, nodes)
    assert set(rows["node"]) == {CHICAGO.node, "W056"}
    assert set(found["node"]) == {CHICAGO.node}
    assert found["node"].dtype == rows["node"].dtype
    pd.testing.assert_series_equal(found["pair_id"], rows["pair_id"])
    pd.testing.assert_frame_equal(add_place_and_time(found, nodes), found)


def test_a_camera_under_two_names_lies_on_one_side_and_is_followed_from_day_to_day() -> None:
    others = [two_names(1).assign(node=f"{number:016x}") for number in range(20)]
    rows = pd.concat([two_names(20), *others], ignore_index=True)
    found = add_place_and_time(rows, NodeTable([CHICAGO]))
    camera = found["node"] == CHICAGO.node
    sides = {}
    for name, table in (("named", rows), ("known", found)):
        splits = [dealt(table, Split(val=0, test=0.5, by="node", seed=seed)) for seed in range(8)]
        sides[name] = {split[camera].nunique() for split in splits}
    assert sides == {"named": {1, 2}, "known": {1}}
    day = pd.Timedelta("1D"), pd.Timedelta("1h")
    assert (len(pairs_at_lag(rows, *day)), len(pairs_at_lag(found, *day))) == (0, 19)


def test_a_short_name_stays_where_the_table_does_not_know_it_then() -> None:
    rows, nodes = two_names(40), NodeTable([CHICAGO])
    found = add_place_and_time(rows, nodes)
    late = rows["time"] >= pd.Timestamp("2024-07-01", tz="UTC")
    assert 1 < late.sum() < 20
    assert found.loc[late, "node"].tolist() == rows.loc[late, "node"].tolist()
    assert set(found.loc[~late, "node"]) == {CHICAGO.node}


@pytest.mark.parametrize(("then", "known"), [("00004812345678e9", True), ("000048000000000a", False)])
def test_without_a_time_a_short_name_is_the_one_id_that_ever_had_it(then: str, known: bool) -> None:
    rows = two_names(4).assign(time=pd.Series(pd.NaT, range(4), dtype="datetime64[ns, UTC]"))
    later = replace(CHICAGO, node=then, valid_from=CHICAGO.valid_to, valid_to=2**63 - 1)
    found = add_place_and_time(rows, NodeTable([CHICAGO, later]))
    assert found["node"].tolist() == [CHICAGO.node, CHICAGO.node if known else "W056"] * 2
    assert found["local_day"].isna().all()


def test_both_names_find_the_row_that_decoding_takes() -> None:
    rows, nodes = two_names(40), NodeTable([CHICAGO])
    times = rows["time"].astype("int64")
    said, found = (
        [nodes.at(node, time) for node, time in zip(table["node"], times, strict=True)]
        for table in (rows, add_place_and_time(rows, nodes))
    )
    assert said == found
    assert set(said) == {CHICAGO, None}


def test_nodes_that_no_row_of_the_table_holds_are_named_once() -> None:
    nodes = NodeTable([Node("a", "W1", 0.0, 0.0, valid_to=pd.Timestamp("2024-06-21T12:00").value)])
    assert unknown_nodes(index(), nodes) == ["a", "b"]
    assert unknown_nodes(index(node=["W1", "W1", "W1"]).iloc[1:2], nodes) == []
    rows = index()
    assert unknown_nodes(rows.assign(time=rows["time"].mask(rows["node"] == "b")), nodes) == ["a"]
    assert unknown_nodes(rows, NodeTable()) == ["a", "b"]


def test_twilight_is_between_the_horizon_and_six_degrees_below() -> None:
    times = pd.date_range("2024-03-20", periods=24 * 12, freq="5min", tz="UTC", unit="ns")
    rows = pd.DataFrame({"node": "a", "position": "1", "time": times})
    found = add_place_and_time(rows, NodeTable([Node("a", "W1", 0.0, 0.0)]))
    height = found["sun_elevation"]
    assert (found["daylight"] == "day").eq(height > 0).all()
    assert (found["daylight"] == "night").eq(height < -6).all()
    assert (found["daylight"] == "twilight").any()


def test_a_file_without_time_has_no_day() -> None:
    rows = index()
    rows.loc[1, "time"] = pd.NaT
    assert pd.isna(add_place_and_time(rows, NodeTable())["local_day"][1])


def test_labels_are_what_the_index_has_not_of_itself() -> None:
    assert label_columns(add_place_and_time(index(), NodeTable())) == ["cloud"]


def test_summary_counts_pairs_and_rows() -> None:
    table = index(split=["train", "", "test"])
    assert summary(table) == "2 pairs (1 train, 0 val, 1 test), 1 row in quarantine: 1 partner missing"
    assert (
        summary(table[table["status"] == "ok"]) == "2 pairs (1 train, 0 val, 1 test), nothing in quarantine"
    )


@pytest.mark.parametrize(("column", "other"), [("node", "c"), ("position", "2"), ("time", MIDDAY)])
def test_the_hash_of_places_follows_node_position_and_time(column: str, other: str) -> None:
    changed = index()
    changed.loc[1, column] = pd.Timestamp(other) if column == "time" else other
    assert place_hash(changed) != place_hash(index())
    assert place_hash(index().sample(frac=1, random_state=0)) == place_hash(index())
    assert place_hash(index(cloud=[0.0, 0.0, 0.0])) == place_hash(index())
