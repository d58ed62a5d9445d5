"""A question without an answer holds up no other, and is in the table until it has one."""

import dataclasses
from collections import deque
from pathlib import Path

import pandas as pd
import pytest

from sage_lightning.errors import UserError
from sage_lightning.sage.archive.download import download
from sage_lightning.sage.archive.kept import FOLDER
from sage_lightning.sage.archive.query import Span, span_of

HOUR = 3600 * 10**9
START = 1682899200 * 10**9


@pytest.fixture
def frames(archive) -> dict[int, list[str]]:
    """By day of May: its files."""
    return {
        1 + day: [
            path for hour in (1, 9) for path in archive.add_frame(START + (24 * day + hour) * HOUR, "1")
        ]
        for day in range(5)
    }


@pytest.fixture
def order(order):
    """Five days."""
    return dataclasses.replace(order, end=order.end.replace(day=6), retries=1)


def came(folder: Path) -> set[str]:
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return {name for name in found if not name.startswith(f"{FOLDER}/")}


def table_of(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / FOLDER / "failures.csv", dtype=str)


@pytest.mark.parametrize("bad", [1, 2, 5])
def test_the_other_days_come_and_the_next_call_asks_again(archive, order, frames, bad, caplog):
    archive.bad_days[f"2023-05-0{bad}"] = 500
    for _ in range(2):  # the second call fares no better
        tally = download(order)
        assert tally.failed == 1
        assert came(order.folder) == {path for day, paths in frames.items() if day != bad for path in paths}
        (line,) = table_of(order.folder).itertuples()
        assert (line.reason, line.node) == ("query: HTTP 500, 2 times", "W057")
        assert line.time == f"2023-05-0{bad}T00:00:00Z"
        first = order.start.replace(day=bad)
        assert span_of(line.url) == Span("W057", first, first.replace(day=bad + 1), ".*mobotix.*", None)
    assert "1 query had no answer: " in caplog.text

    # Whatever else the next one is asked for, and at whatever address the archive is now.
    archive.bad_days.clear()
    start = order.start.replace(month=6)
    moved = order.endpoint.replace("127.0.0.1", "localhost")
    other = dataclasses.replace(
        order, start=start, end=start.replace(day=2), plugin="none such", endpoint=moved
    )
    tally = download(other)
    assert (tally.files, tally.failed) == (4, 0)
    assert came(order.folder) == {path for paths in frames.values() for path in paths}
    assert not (order.folder / FOLDER / "failures.csv").exists()


def test_a_day_is_asked_for_once_a_call(archive, order, frames):
    archive.bad_days["2023-05-02"] = 400
    download(order)
    archive.asked.clear()
    download(order)
    assert sum(method == "POST" for method, _, _ in archive.asked) == 5


def test_many_days_without_an_answer_are_asked_for_once_each(archive, order, frames):
    archive.bad_days |= {f"2023-05-0{day}": 500 for day in (1, 2, 3, 4)}
    assert download(order).failed == 4
    assert sum(method == "POST" for method, _, _ in archive.asked) == 3 * 2 + 1 + 1
    assert came(order.folder) == set(frames[5])


def test_no_answer_at_all_is_one_line_and_what_failed_before_comes(archive, order, frames):
    archive.habits[frames[1][0]] = deque(["500!"])
    assert download(order).failed == 1
    archive.habits.clear()
    archive.query_habits = deque(["404!"])
    with pytest.raises(UserError) as caught:
        download(order)
    assert caught.value.lines == (
        f"download.endpoint={order.endpoint}: HTTP 404; asked for W057 on 2023-05-01",
    )
    assert frames[1][0] in came(order.folder)
    assert set(table_of(order.folder)["reason"]) == {"query: HTTP 404"}
    archive.query_habits.clear()
    assert download(order).failed == 0


def test_nobody_there_is_not_asked_about_every_day(archive, order, frames):
    nobody = dataclasses.replace(order, endpoint="http://127.0.0.1:1/query")
    with pytest.raises(UserError, match="no connection, 2 times; asked for W057 on 2023-05-01"):
        download(nobody)
    assert len(table_of(order.folder)) == 1
    assert download(order).failed == 0
    assert came(order.folder) == {path for paths in frames.values() for path in paths}


@pytest.mark.parametrize(
    "address", ["https://x/?node=W057", "", "x?node=W057&start=2023-05-02&end=2023-05-03&plugin="]
)
def test_a_line_of_the_table_that_was_tampered_with_does_no_harm(archive, order, frames, address):
    own = order.folder / FOLDER
    own.mkdir(parents=True)
    (own / "failures.csv").write_text(f"url,reason,node,position,time\n{address},query: HTTP 500,W057,,\n")
    download(order)
    assert came(order.folder) == {path for paths in frames.values() for path in paths}
