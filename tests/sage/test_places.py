"""Positions, nodes and the sun."""

import datetime
from pathlib import Path

import pytest

from sage_lightning.errors import UserError
from sage_lightning.sage.nodes import Node, read_nodes, write_nodes
from sage_lightning.sage.positions import azimuth, column_of, row_of
from sage_lightning.sage.sun import local_solar_time, sun_azimuth, sun_elevation

NS = 1_000_000_000


def ns(*moment: int) -> int:
    return int(datetime.datetime(*moment, tzinfo=datetime.UTC).timestamp()) * NS


def test_presets_are_eight_columns_of_four_rows() -> None:
    presets = [str(preset) for preset in range(1, 33)]
    assert [preset for preset in presets if row_of(preset) == "sky"] == [str(p) for p in range(1, 30, 4)]
    assert [column_of(preset) for preset in presets] == [column for column in range(8) for _ in range(4)]
    assert [azimuth(str(p)) for p in (1, 5, 9, 17, 25, 29)] == [180, 225, 270, 0, 90, 135]


@pytest.mark.parametrize(
    ("position", "row", "column"),
    [("NEH", "horizon", 5), ("SS", "sky", 0), ("WB", "below", 2), ("SEG", "ground", 7), ("4", "ground", 0)],
)
def test_directions(position: str, row: str, column: int) -> None:
    assert (row_of(position), column_of(position)) == (row, column)


@pytest.mark.parametrize("position", [None, "0", "33", "Pt3", "", "H", "NNH"])
def test_unknown_positions(position: str | None) -> None:
    assert row_of(position) is None
    assert column_of(position) is None
    assert azimuth(position) is None


def test_the_sun_at_equinox_and_solstice() -> None:
    # At the equator on the equinox it passes overhead; at 50° N on the solstice it reaches 90 − 50 + 23.44.
    assert sun_elevation(0.0, 0.0, ns(2024, 3, 20, 12, 7)) == pytest.approx(90, abs=0.5)
    assert sun_elevation(0.0, 50.0, ns(2024, 6, 20, 12, 2)) == pytest.approx(63.44, abs=0.1)
    assert sun_elevation(0.0, 50.0, ns(2024, 12, 21, 23, 58)) < -60
    assert sun_azimuth(0.0, 50.0, ns(2024, 6, 20, 12, 2)) == pytest.approx(180, abs=1)
    assert sun_azimuth(0.0, 50.0, ns(2024, 6, 20, 6, 0)) == pytest.approx(80, abs=10)


def test_local_solar_time_follows_longitude() -> None:
    noon = ns(2024, 1, 1, 12)
    assert local_solar_time(0.0, noon) == ("2024-01-01", 12.0)
    assert local_solar_time(-90.0, noon) == ("2024-01-01", 6.0)
    assert local_solar_time(180.0, noon) == ("2024-01-02", 0.0)
    assert local_solar_time(-180.0, noon - 1)[0] == "2023-12-31"


def test_nodes_read_back(tmp_path: Path) -> None:
    nodes = [Node("000048b02d15bc42", "W057", -87.9, 41.7), Node("0000000000000001", "S001", 2.5, -10.0)]
    write_nodes(tmp_path / "nodes.csv", nodes)
    assert read_nodes(tmp_path / "nodes.csv") == {node.node: node for node in nodes}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("node,vsn,longitude\n", "lacks latitude"),
        ("node,vsn,longitude,latitude\nab,W1,east,2\n", "line 2: coordinates are degrees"),
        ("node,vsn,longitude,latitude\nab,W1,1,2\ncd,W2,200,2\n", "line 3: longitude is within ±180"),
    ],
)
def test_a_bad_table_says_where(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "nodes.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        read_nodes(tmp_path / "nodes.csv")


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"data\.nodes=.*is not a file"):
        read_nodes(tmp_path / "nodes.csv")
