"""What tables count by: months, seasons of both hemispheres, and nulls that have a name."""

import numpy as np
import pandas as pd
import pytest

from sage_lightning.inventory.rows import natural, rows_of

NORTH, SOUTH, NOWHERE = "a" * 16, "b" * 16, "c" * 16


@pytest.mark.parametrize(
    ("month", "north", "south", "unknown"),
    [
        ("12", "winter", "summer", "Dec–Feb"),
        ("02", "winter", "summer", "Dec–Feb"),
        ("03", "spring", "autumn", "Mar–May"),
        ("07", "summer", "winter", "Jun–Aug"),
        ("11", "autumn", "spring", "Sep–Nov"),
    ],
)
def test_seasons_are_those_of_the_hemisphere_or_quarters(month, north, south, unknown, index_of, nodes):
    files = [("pair", node, "1", f"2023-{month}-15 12:00") for node in (NORTH, SOUTH, NOWHERE)]
    rows = rows_of(index_of(files), nodes)
    assert dict(zip(rows["node"], rows["season"], strict=True)) == {
        NORTH: north,
        SOUTH: south,
        NOWHERE: unknown,
    }


def test_a_node_that_its_file_calls_by_vsn_has_seasons(index_of, nodes):
    index = index_of([("pair", NORTH, "1", "2023-07-15")]).assign(node="W057")
    assert rows_of(index, nodes)["season"].tolist() == ["summer"]


def test_a_month_is_the_local_one(index_of, nodes):
    """Longitude -88: the local sun is 5 h 52 min behind UTC."""
    index = index_of([("pair", NORTH, "1", "2023-06-01 03:00"), ("pair", NOWHERE, "1", "2023-06-01 03:00")])
    rows = rows_of(index, nodes)
    assert dict(zip(rows["node"], rows["month"], strict=True)) == {NORTH: "2023-05", NOWHERE: "2023-06"}


def test_nulls_are_called_unknown_and_stand_last(index_of):
    files = [
        ("picture", NOWHERE, None, ""),
        ("pair", NOWHERE, "NEH", "2023-06-01"),
        ("pair", NOWHERE, "2", "2023-07-01"),
    ]
    rows = rows_of(index_of(files))
    assert list(rows["position"].cat.categories) == ["2", "NEH", "unknown"]
    timeless = rows[rows["time"].isna()].iloc[0]
    named = ("position", "month", "season", "daylight", "view")
    assert [timeless[name] for name in named] == ["unknown"] * 5
    assert set(rows["daylight"]) == {"unknown"}
    assert rows.loc[rows["usable"], "files"].tolist() == [2, 2]
    assert timeless["files"] == 1


def test_names_are_sorted_as_people_do():
    names = ["10", "unknown", "NEH", "2", "ES", "1"]
    assert sorted(names, key=natural) == ["1", "2", "10", "ES", "NEH", "unknown"]


def test_an_index_without_a_row(index_of, nodes):
    rows = rows_of(index_of([("pair", NORTH, "1", "2023-06-01")]).head(0), nodes)
    assert len(rows) == 0
    assert {"node", "month", "season", "daylight", "view", "files"} <= set(rows)
    assert isinstance(rows["season"].dtype, pd.CategoricalDtype)
    assert rows["files"].dtype == np.int64
