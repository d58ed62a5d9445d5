"""The node table: rows by node and time, cells that make sense, and what it says where they do not."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sage_lightning.errors import UserError
from sage_lightning.sage.nodes import Node, NodeTable, read_nodes, write_nodes

HEAD = "node,vsn,longitude,latitude"
AB, CD = "00000000000000ab,W0AB", "00000000000000cd,W0CD"
CALIFORNIA_LAST = ("America/Chicago", "America/Los_Angeles")
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


def test_a_row_holds_from_its_first_nanosecond_to_before_its_last(tmp_path: Path) -> None:
    nodes = table(tmp_path, f"{HEAD},valid_from,valid_to", f"{AB},1,2,2023-12-31T12:00Z,2024-01-01")
    begins, ends = (pd.Timestamp(text).value for text in ("2023-12-31T12:00Z", "2024-01-01T00:00Z"))
    times = [begins - 1, begins, ends - 1, ends, ends + 1]
    assert [nodes.at("W0AB", time) is not None for time in times] == [False, True, True, False, False]
    assert nodes.places(pd.Series(["W0AB"] * 5), np.array(times)).tolist() == [-1, 0, 0, -1, -1]


def test_cells_are_trimmed_and_an_editors_mark_is_no_part_of_the_table(tmp_path: Path) -> None:
    line = "00000000000000AB , W0AB,1, 2 , 0 0 1 0.1 ; 0 0.9 1 1 "
    [row] = table(tmp_path, f"\ufeff{HEAD},masks", line).rows
    assert (row.node, row.vsn) == ("00000000000000ab", "W0AB")
    assert row.masks == ((0, 0, 1, 0.1), (0, 0.9, 1, 1))


@pytest.mark.parametrize("vsn", ["S001", "S010", "W0BB", ""])
def test_short_names_are_those_of_boxes_or_of_the_simulated_camera(tmp_path: Path, vsn: str) -> None:
    [row] = table(tmp_path, HEAD, f"00000000000000ab,{vsn},1,2").rows
    assert row.vsn == vsn


@pytest.mark.parametrize(
    ("zone", "date", "instant"),
    [
        ("", "2023-05-20", "2023-05-20T00:00Z"),
        ("America/Chicago", "2023-05-20", "2023-05-20T05:00Z"),
        ("America/Chicago", "2023-05-20T06:00-04:00", "2023-05-20T10:00Z"),
        ("America/Santiago", "2022-09-11", "2022-09-11T04:00Z"),  # no midnight: clocks went on to 1 o'clock
        ("America/Havana", "2023-11-05", "2023-11-05T04:00Z"),  # two of them: at 1 clocks went back to 0
    ],
)
def test_a_date_begins_when_its_time_zone_says(tmp_path: Path, zone: str, date: str, instant: str) -> None:
    [row] = table(tmp_path, f"{HEAD},time_zone,valid_from", f"{AB},1,2,{zone},{date}").rows
    assert row.valid_from == pd.Timestamp(instant).value


@pytest.mark.parametrize("zone", ["", "America/Chicago", "Asia/Tokyo"])
def test_the_last_of_all_dates_is_for_ever(tmp_path: Path, zone: str) -> None:
    line = f"{AB},1,2,{zone},0001-01-01,9999-12-31"
    [row] = table(tmp_path, f"{HEAD},time_zone,valid_from,valid_to", line).rows
    [other] = table(tmp_path, f"{HEAD},time_zone", f"{AB},1,2,{zone}").rows
    assert row == other


@pytest.mark.parametrize("zones", [CALIFORNIA_LAST, CALIFORNIA_LAST[::-1]], ids=["west", "east"])
@pytest.mark.parametrize("order", [1, -1])
def test_a_date_that_ends_one_row_and_begins_the_next_is_one_instant(
    tmp_path: Path, zones: tuple[str, str], order: int
) -> None:
    lines = [f"{AB},1,2,{zones[0]},,2023-05-20", f"{AB.upper()},3,4,{zones[1]},2023-05-20,"][::order]
    one, other = table(tmp_path, f"{HEAD},time_zone,valid_from,valid_to", *lines).rows
    assert one.valid_to == other.valid_from == pd.Timestamp("2023-05-20", tz=zones[0]).value


def test_a_date_that_ends_a_row_of_another_node_is_no_concern(tmp_path: Path) -> None:
    lines = [f"{AB},1,2,America/Chicago,,2023-05-20", f"{CD},3,4,America/Los_Angeles,2023-05-20,"]
    _, other = table(tmp_path, f"{HEAD},time_zone,valid_from,valid_to", *lines).rows
    assert other.valid_from == pd.Timestamp("2023-05-20", tz="America/Los_Angeles").value


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["node,vsn,longitude"], "lacks latitude"),
        ([f"{HEAD},crop"], "has the column crop; its columns are node, .*crop_box"),
        ([HEAD, f"{AB},east,2"], "line 2: longitude=east is no number of degrees"),
        ([HEAD, f"{AB},1,2", f"{CD},200,2"], "line 3: longitude=200 is not within ±180 degrees"),
        ([HEAD, "", f"{AB},200,2"], "line 3: longitude=200 is not within ±180 degrees"),
        ([HEAD, AB], "line 2: longitude= is no number"),
        (
            [HEAD, "4812345678E+9,W056,1,2"],
            r"line 2: node=4812345678E\+9 is no node's id, which is 16 hexadecimal digits; a spreadsheet may",
        ),
        ([HEAD, "481234567890,W056,1,2"], "node=481234567890 is no node's id, which is 16 hexadecimal"),
        ([HEAD, ",W056,1,2"], "node= is no node's id"),
        ([HEAD, "00000000000000ab,56,1,2"], "line 2: vsn=56 is none; write it as W057"),
        ([f"{HEAD},time_zone", f"{AB},1,2,Chicago"], "time_zone=Chicago is none; write it as America/"),
        *(
            ([f"{HEAD},valid_from", f"{AB},1,2,{text}"], f"valid_from={text} is no date or time")
            for text in ("soon", "now", "today", "nan", "2023-02-30", "1/2/2023", "2023")
        ),
        (
            [f"{HEAD},valid_from,valid_to", f"{AB},1,2,2024-01-02,2024-01-01"],
            "valid_from=2024-01-02 is not before valid_to=2024-01-01",
        ),
        (
            [f"{HEAD},valid_from,valid_to", f"{AB},1,2,2024-01-02,2024-01-02"],
            "valid_from=2024-01-02 is not before valid_to=2024-01-02",
        ),
        ([f"{HEAD},crop_box", f"{AB},1,2,0 0 1"], "crop_box=0 0 1 is no box; write it as left top right"),
        ([f"{HEAD},crop_box", f"{AB},1,2,0.5 0 0.2 1"], "crop_box=0.5 0 0.2 1 lies not within 0…1"),
        ([f"{HEAD},crop_box", f"{AB},1,2,0 0 1 1;0 0 1 1"], "crop_box is one box"),
        ([f"{HEAD},masks", f"{AB},1,2,0 0 2 1"], "masks=0 0 2 1 lies not within"),
        (
            [HEAD, f"{AB},1,2", "00000000000000AB,W0CD,1,2"],
            "node 00000000000000ab stands in two rows that hold at the same time",
        ),
        (
            [HEAD, f"{AB},1,2", "00000000000000cd,W0AB,1,2"],
            "vsn W0AB stands in two rows that hold at the same time",
        ),
    ],
)
def test_a_bad_table_says_where(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        table(tmp_path, *lines)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"{HEAD}\n{AB},1,2\n".encode("utf-16"), "is not in UTF-8; save it as a CSV in UTF-8"),
        (f"{HEAD},time_zone\n{AB},1,2,Zürich\n".encode("latin-1"), "is not in UTF-8"),
        (f"{HEAD}\n{AB},1,2\n".encode("utf-16-le"), "holds a NUL"),
        (f'{HEAD}\n"{"0" * 200_000},W0AB,1,2\n'.encode(), "is no CSV: field larger than field limit"),
    ],
    ids=["UTF-16", "Latin-1", "NUL", "a quote that does not end"],
)
def test_a_file_that_is_no_table_is_said_in_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "nodes.csv").write_bytes(content)
    with pytest.raises(UserError, match=rf"data\.nodes=.*nodes\.csv {message}") as caught:
        read_nodes(tmp_path / "nodes.csv")
    assert len(caught.value.lines) == 1


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"data\.nodes=.*is not a file"):
        read_nodes(tmp_path / "nodes.csv")
