"""The node table: rows by node and time, cells that make sense, and what it says where they do not."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sage_lightning.errors import UserError
from sage_lightning.sage.nodes import Node, NodeTable, read_nodes, write_nodes

HEAD = "node,vsn,longitude,latitude"
MOVED = pd.Timestamp("2023-05-20", tz="America/Chicago").value


def table(tmp_path: Path, *lines: str) -> NodeTable:
    (tmp_path / "nodes.csv").write_text("\n".join([*lines, ""]))
    return read_nodes(tmp_path / "nodes.csv")


def test_rows_read_back(tmp_path: Path) -> None:
    rows = [
        Node("0000000000000001", "S001", 2.5, -10.0),
        Node(
            "000048b02d15bc42",
            "W057",
            -87.9,
            41.7,
            time_zone="America/Chicago",
            valid_from=1_684_000_000_000_000_007,
            valid_to=1_685_000_000_000_000_000,
            crop_box=(0.1, 0.2, 0.8, 0.9),
            masks=((0.0, 0.0, 0.5, 0.05), (0.9, 0.9, 1.0, 1.0)),
        ),
    ]
    write_nodes(tmp_path / "nodes.csv", rows)
    assert list(read_nodes(tmp_path / "nodes.csv").rows) == rows


def test_columns_that_no_row_needs_are_not_written(tmp_path: Path) -> None:
    write_nodes(tmp_path / "nodes.csv", [Node("0000000000000001", "S001", 2.5, -10.0)])
    assert (tmp_path / "nodes.csv").read_text() == f"{HEAD}\n0000000000000001,S001,2.5,-10.0\n"


def moved(tmp_path: Path) -> NodeTable:
    """W056 went from Illinois to San Diego; the dates are of the first place's time zone."""
    return table(
        tmp_path,
        f"{HEAD},time_zone,valid_from,valid_to",
        "00004812345678E9,W056,-87.9,41.7,America/Chicago,,2023-05-20",
        "00004812345678e9,W056,-117.2,32.9,,2023-05-20T05:00Z,",
    )


@pytest.mark.parametrize("name", ["00004812345678e9", "W056"])
def test_a_node_that_moved_stands_where_it_stood_then(tmp_path: Path, name: str) -> None:
    nodes = moved(tmp_path)
    assert nodes.at(name, MOVED - 1).longitude == -87.9
    assert nodes.at(name, MOVED).longitude == -117.2
    assert nodes.at("other", MOVED) is None


def test_many_are_looked_up_as_one_is(tmp_path: Path) -> None:
    nodes = moved(tmp_path)
    names = pd.Series(["W056", "00004812345678e9", "unknown", "W056"])
    times = np.array([MOVED - 1, MOVED, MOVED, MOVED + 10**15])
    found = [nodes.rows[place] if place >= 0 else None for place in nodes.places(names, times)]
    assert found == [nodes.at(name, time) for name, time in zip(names, times.tolist(), strict=True)]


def test_before_its_first_row_a_node_is_nowhere(tmp_path: Path) -> None:
    nodes = table(tmp_path, f"{HEAD},valid_from", "ab,W1,1,2,2024-01-01")
    assert nodes.at("ab", pd.Timestamp("2023-12-31T23:59Z").value) is None
    assert nodes.at("ab", pd.Timestamp("2024-01-01T00:00Z").value) is not None


def test_cells_are_trimmed_and_an_editors_mark_is_no_part_of_the_table(tmp_path: Path) -> None:
    [row] = table(tmp_path, f"\ufeff{HEAD},masks", "ab , W1,1, 2 , 0 0 1 0.1 ; 0 0.9 1 1 ").rows
    assert (row.node, row.vsn, row.masks) == ("ab", "W1", ((0, 0, 1, 0.1), (0, 0.9, 1, 1)))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["node,vsn,longitude"], "lacks latitude"),
        ([f"{HEAD},crop"], "has the column crop; its columns are node, .*crop_box"),
        ([HEAD, "ab,W1,east,2"], "line 2: longitude=east is no number of degrees"),
        ([HEAD, "ab,W1,1,2", "cd,W2,200,2"], "line 3: longitude=200 is not within ±180 degrees"),
        ([HEAD, "ab,W1"], "line 2: longitude= is no number"),
        (
            [f"{HEAD},time_zone", "ab,W1,1,2,Chicago"],
            "time_zone=Chicago is none; write it as America/",
        ),
        ([f"{HEAD},valid_from", "ab,W1,1,2,soon"], "valid_from=soon is no date or time"),
        ([f"{HEAD},valid_to", "ab,W1,1,2,9999-01-01"], "valid_to=9999-01-01 is no date or time"),
        (
            [f"{HEAD},valid_from,valid_to", "ab,W1,1,2,2024-01-02,2024-01-01"],
            "valid_from=2024-01-02 is not before valid_to=2024-01-01",
        ),
        ([f"{HEAD},crop_box", "ab,W1,1,2,0 0 1"], "crop_box=0 0 1 is no box; write it as left top right"),
        ([f"{HEAD},crop_box", "ab,W1,1,2,0.5 0 0.2 1"], "crop_box=0.5 0 0.2 1 lies not within 0…1"),
        ([f"{HEAD},crop_box", "ab,W1,1,2,0 0 1 1;0 0 1 1"], "crop_box is one box"),
        ([f"{HEAD},masks", "ab,W1,1,2,0 0 2 1"], "masks=0 0 2 1 lies not within"),
        ([HEAD, "ab,W1,1,2", "AB,W2,1,2"], "node ab stands in two rows that hold at the same time"),
        ([HEAD, "ab,W1,1,2", "cd,W1,1,2"], "vsn W1 stands in two rows that hold at the same time"),
    ],
)
def test_a_bad_table_says_where(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        table(tmp_path, *lines)


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"data\.nodes=.*is not a file"):
        read_nodes(tmp_path / "nodes.csv")
