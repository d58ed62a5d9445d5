"""A node that moved is counted at each of its places by itself, with the seasons of that place."""

import numpy as np
import pandas as pd
import pytest

from sage_lightning.inventory.collection import Collection
from sage_lightning.inventory.page import write_page
from sage_lightning.inventory.rows import rows_of
from sage_lightning.inventory.run import Inventory, tables, take
from sage_lightning.inventory.summary import headline
from sage_lightning.sage.nodes import Node

NORTH, MOVED = "a" * 16, "d" * 16
MAY_20 = int(pd.Timestamp("2023-05-20", tz="UTC").as_unit("ns").value)
ILLINOIS = Node(MOVED, "W056", -87.9, 41.7, valid_to=MAY_20)
SYDNEY = Node(MOVED, "W056", 151.2, -33.9, valid_from=MAY_20)
NODES = (Node(NORTH, "W057", -87.99, 41.7), ILLINOIS, SYDNEY)
# Three pairs an hour apart, and a year later two: at other places, so that there is no gap between them.
TIMES = ["2023-05-01 12:00", "2023-05-01 13:00", "2023-05-01 14:00", "2024-05-01 12:00", "2024-05-01 13:00"]
FILES = [("pair", node, "1", time) for node in (NORTH, MOVED) for time in TIMES]


@pytest.fixture
def found(index_of, frames) -> Inventory:
    index = index_of(FILES, nodes=NODES)
    values = {path: np.full((2, 2), 5.0, dtype=np.float32) for path in index["ir_path"]}
    return take(Collection("here", index, frames(values), NODES), frames_per_group=9, gap_factor=3.0)


def test_a_season_is_that_of_the_place_at_the_time(index_of):
    rows = rows_of(index_of(FILES, nodes=NODES), NODES)
    seasons = rows.groupby(["node_id", "place"], observed=True)["season"].agg(lambda names: {*names})
    assert seasons.to_dict() == {
        (NORTH, "41.7,-87.99"): {"spring"},
        (MOVED, "41.7,-87.9"): {"spring"},
        (MOVED, "-33.9,151.2"): {"autumn"},
    }


def test_where_no_row_holds_there_are_quarters(index_of):
    rows = rows_of(index_of(FILES, nodes=(ILLINOIS,)), (ILLINOIS,))
    of_moved = rows[rows["node_id"] == MOVED]
    assert of_moved["season"].tolist() == ["spring"] * 3 + ["Mar–May"] * 2
    assert set(of_moved["node"]) == {MOVED}  # of one place only


def test_every_table_parts_the_places(found):
    made = tables(found)
    counts = made["counts"].groupby(["node", "place"])["pairs"].sum()
    assert counts.to_dict() == {
        (NORTH, "41.7,-87.99"): 5,
        (MOVED, "41.7,-87.9"): 3,
        (MOVED, "-33.9,151.2"): 2,
    }
    rates = made["rates"].query("position == 'all'").set_index(["node", "place"])
    assert rates["pairs"].to_dict() == counts.to_dict()
    assert rates["gaps"].to_dict() == {index: int(index[0] == NORTH) for index in counts.index}
    assert set(made["gaps"]["node"]) == {NORTH}
    bins = made["bins"].set_index(["node", "place"])
    assert bins["season"].to_dict() == {
        (NORTH, "41.7,-87.99"): "spring",
        (MOVED, "41.7,-87.9"): "spring",
        (MOVED, "-33.9,151.2"): "autumn",
    }
    assert set(made["temperatures"]["place"]) == {place for _, place in counts.index}


def test_it_is_said_and_the_page_has_both(found, tmp_path):
    sentence = (
        "W056 stood at -33.9,151.2 and at 41.7,-87.9 (latitude, longitude) and is counted at each by itself."
    )
    assert found.moves == [sentence]
    assert "of 2 nodes and 3 (node, position)" in headline(found)
    page = write_page(found, tmp_path, {}).read_text()
    assert sentence in page
    for name in ("W056 at 41.7,-87.9", "W056 at -33.9,151.2"):
        assert f">{name}<" in page
    assert "W057 at" not in page


def test_a_file_without_a_time_is_at_an_unknown_one_of_several_places(index_of):
    files = [*FILES, ("picture", MOVED, "1", ""), ("picture", NORTH, "1", "")]
    found = take(Collection("here", index_of(files, nodes=NODES), None, NODES))
    counts = tables(found)["counts"]
    held = counts[counts["quarantined_files"] > 0].set_index("node")["place"]
    assert held.to_dict() == {NORTH: "41.7,-87.99", MOVED: "unknown"}
    assert counts["pairs"].sum() == 10
    assert "unknown" not in found.moves[0]


def test_a_new_crop_box_is_no_move(index_of):
    rows = [
        Node(NORTH, "W057", -88.0, 41.7, valid_to=MAY_20),
        Node(NORTH, "W057", -88.0, 41.7, valid_from=MAY_20),
    ]
    found = take(Collection("here", index_of(FILES, nodes=rows), None, rows))
    assert found.moves == []
    assert set(found.rows["node"]) == {NORTH, MOVED}
