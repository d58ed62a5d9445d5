"""A dry run: what it counts, that it writes nothing, and that it says what is not known."""

import dataclasses
from collections import deque

import pytest

from sage_lightning.evaluation.headline import print_table
from sage_lightning.sage.archive.download import download
from sage_lightning.sage.archive.survey import shown, survey

HOUR = 3600 * 10**9
START = 1682899200 * 10**9


@pytest.fixture
def frames(archive) -> list[str]:
    """Two nodes; positions 2, 10 and none; April and May."""
    places = [("2", 0, "W057"), ("2", 1, "W057"), ("10", 2, "W057"), (None, 3, "W057"), ("2", -24, "W057")]
    places.append(("2", 0, "W056"))
    return [
        path
        for position, hour, vsn in places
        for path in archive.add_frame(START + hour * HOUR, position, vsn)
    ]


@pytest.fixture
def order(order):
    start = order.start.replace(month=4, day=30)
    return dataclasses.replace(order, nodes=["W057", "W056"], start=start)


def lengths(archive, paths) -> int:
    return sum(len(archive.files[path]) for path in paths)


def test_files_and_bytes_by_node_position_and_month(archive, order, frames, capsys):
    table = survey(order)
    keys = list(table[["node", "position", "month", "frames", "files"]].itertuples(index=False, name=None))
    assert keys == [
        ("W056", "2", "2023-05", 1, 2),
        ("W057", "–", "2023-05", 1, 2),
        ("W057", "2", "2023-04", 1, 2),
        ("W057", "2", "2023-05", 2, 4),
        ("W057", "10", "2023-05", 1, 2),
        ("all", "", "", 6, 12),
    ]
    assert table["bytes"].tolist()[-1] == lengths(archive, frames)
    twice = survey(dataclasses.replace(order, nodes=["W057", "000048b02d15bc42", "W056"]))
    assert twice["files"].tolist() == table["files"].tolist()
    assert table["bytes"].tolist()[3] == lengths(archive, frames[:4])
    assert archive.gets() == 0
    assert archive.gets(method="HEAD") == 2 * 12
    assert not order.folder.exists()
    print_table(shown(table))
    printed = capsys.readouterr().out
    assert "W057" in printed
    assert "unknown" not in printed


def test_what_is_there_already_is_not_asked_for(archive, order, frames):
    download(order)
    archive.asked.clear()
    table = survey(order)
    assert table["there"].tolist()[-1] == 12
    assert table["bytes"].tolist()[-1] == lengths(archive, frames)
    assert archive.gets(method="HEAD") == 0
    (order.folder / frames[0]).write_bytes(b"damaged")
    assert survey(order)["there"].tolist()[-1] == 11


def test_what_is_not_told_is_unknown(archive, order, frames, caplog):
    archive.heads = False
    table = survey(order)
    assert table["unknown"].tolist()[-1] == 12
    assert table["bytes"].tolist()[-1] == 0
    assert "unknown" in shown(table)
    archive.heads = True
    archive.users["000048b02d05a0a4"] = "me:secret"
    table = survey(order).set_index("node")
    assert table.loc["W056", "unknown"] == 2
    assert table.loc["all", "unknown"] == 2
    assert caplog.text.count("W056: files are protected (HTTP 401)") == 1


def test_nothing_is_a_table_too(archive, order):
    archive.query_habits = deque(["500"])
    table = survey(order)
    assert table["files"].tolist() == [0]
    assert shown(table)["bytes"].tolist() == ["0 bytes"]
