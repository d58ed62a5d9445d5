"""A dry run: what it counts, that it writes nothing, and that it says what is not known."""

import dataclasses
from collections import deque

import pytest

from sage_lightning.errors import UserError
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
    table = survey(order).table
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
    twice = survey(dataclasses.replace(order, nodes=["W057", "000048b02d15bc42", "W056"])).table
    assert twice["files"].tolist() == table["files"].tolist()
    assert table["bytes"].tolist()[3] == lengths(archive, frames[:4])
    assert archive.gets() == 0
    assert archive.gets(method="HEAD") == 2 * 12
    assert not order.folder.exists()
    print_table(shown(table))
    printed = capsys.readouterr().out
    assert "W057" in printed
    assert "unknown" not in printed


def test_what_is_there_already_is_counted_apart(archive, order, frames):
    download(order)
    archive.asked.clear()
    table = survey(order).table
    total = table.iloc[-1]
    assert total[["frames", "files", "bytes", "unknown", "there"]].tolist() == [0, 0, 0, 0, 12]
    assert total["bytes_there"] == lengths(archive, frames)
    assert archive.gets(method="HEAD") == 0
    (order.folder / frames[0]).write_bytes(b"damaged")
    total = survey(order).table.iloc[-1]
    assert total[["frames", "files", "bytes", "there"]].tolist() == [1, 1, lengths(archive, frames[:1]), 11]


def test_a_file_of_unknown_origin_is_there_if_its_length_is_right(archive, order, frames):
    for path, content in ((frames[0], archive.files[frames[0]]), (frames[1], b"half of it")):
        (order.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (order.folder / path).write_bytes(content)
    total = survey(order).table.iloc[-1]
    assert total[["files", "bytes", "there"]].tolist() == [11, lengths(archive, frames[1:]), 1]
    tally = download(order)
    assert (tally.files, tally.bytes, tally.there) == (11, lengths(archive, frames[1:]), 1)


def test_what_failed_before_is_to_come_too_whatever_is_asked_for(archive, order, frames):
    """A dry run says what the very same call then brings, and leaves the table as it is."""
    archive.habits[frames[0]] = deque(["500!"])
    archive.bad_days["2023-04-30"] = 500
    first = download(order)
    archive.habits.clear()
    archive.bad_days.clear()
    assert (first.files, first.failed) == (9, 3)  # two nodes' first days were not answered
    june = dataclasses.replace(order, start=order.start.replace(month=6), end=order.start.replace(month=7))
    before = (order.folder / "_download/failures.csv").read_bytes()
    found = survey(june)
    keys = found.table[["node", "position", "month", "files"]].itertuples(index=False, name=None)
    assert list(keys) == [("W057", "2", "2023-04", 2), ("W057", "2", "2023-05", 1), ("all", "", "", 3)]
    assert (order.folder / "_download/failures.csv").read_bytes() == before
    tally = download(june)
    assert (tally.files, tally.bytes) == tuple(found.table.iloc[-1][["files", "bytes"]])
    assert tally.failed == 0


def test_a_day_without_an_answer_is_said_and_nothing_is_written(archive, order, frames, caplog):
    archive.bad_days["2023-04-30"] = 500
    found = survey(order)
    assert found.unanswered == 2
    assert found.table["files"].tolist()[-1] == 10
    assert "2 queries had no answer: what they would bring is not counted" in caplog.text
    assert not order.folder.exists()
    archive.bad_days |= {"2023-05-01": 503}
    with pytest.raises(UserError, match=r"HTTP 500, 4 times; asked for W057 on 2023-04-30$"):
        survey(order)


def test_what_is_not_told_is_unknown(archive, order, frames, caplog):
    archive.heads = False
    table = survey(order).table
    assert table["unknown"].tolist()[-1] == 12
    assert table["bytes"].tolist()[-1] == 0
    assert "unknown" in shown(table)
    archive.heads = True
    archive.users["000048b02d05a0a4"] = "me:secret"
    table = survey(order).table.set_index("node")
    assert table.loc["W056", "unknown"] == 2
    assert table.loc["all", "unknown"] == 2
    assert caplog.text.count("W056: files are protected (HTTP 401)") == 1


def test_nothing_is_a_table_too(archive, order):
    archive.query_habits = deque(["500"])
    table = survey(order).table
    assert table["files"].tolist() == [0]
    assert shown(table)["bytes"].tolist() == ["0 bytes"]
