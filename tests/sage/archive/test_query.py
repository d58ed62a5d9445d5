"""Records come whole or not at all, through the real client, and can be read again."""

import dataclasses
import gzip
import json
import time
import urllib.request
from collections import deque
from datetime import UTC, datetime, timedelta
from threading import Event

import pandas as pd
import pytest
import sage_data_client

from sage_lightning.sage.archive.patience import patience
from sage_lightning.sage.archive.query import Span, ask, span_of, spans
from sage_lightning.sage.archive.records import keep, records_path
from sage_lightning.sage.archive.troubles import Unanswered

HOUR = 3600 * 10**9
START = 1682899200 * 10**9
DAY = datetime(2023, 5, 1, tzinfo=UTC)
SPAN = Span("W057", DAY, DAY + timedelta(days=1), ".*mobotix.*", None)


def asked(order, span=SPAN) -> pd.DataFrame:
    return ask(order, span, patience(order.retries, order.backoff, Event()))


def patient(order, habit):
    return dataclasses.replace(order, timeout=0.5 if habit == "stall" else order.timeout)


def test_spans_are_days_and_cover_the_time_once(order):
    start, end = DAY.replace(hour=5), DAY.replace(day=3, hour=7, minute=30)
    made = spans(dataclasses.replace(order, nodes=["W057", "W056"], start=start, end=end))
    for node in ("W057", "W056"):
        own = [span for span in made if span.node == node]
        assert [span.start for span in own] == [start, DAY.replace(day=2), DAY.replace(day=3)]
        assert [span.end for span in own] == [DAY.replace(day=2), DAY.replace(day=3), end]
    assert {(span.plugin, span.task) for span in made} == {(".*mobotix.*", None)}
    assert spans(dataclasses.replace(order, start=DAY, end=DAY)) == []


def test_a_query_says_what_is_wanted(archive, order):
    archive.add_frame(START)
    assert len(asked(order, dataclasses.replace(SPAN, task="mobotix"))) == 0  # records have none
    assert len(asked(order)) == 4
    assert len(asked(order, dataclasses.replace(SPAN, node="000048b02d15bc42"))) == 4
    assert len(asked(order, dataclasses.replace(SPAN, node="W056"))) == 0
    bodies = [json.loads(headers["body"]) for _, _, headers in archive.asked]
    upload = {"name": "upload", "plugin": ".*mobotix.*"}
    assert bodies[1]["filter"] == upload | {"vsn": "W057"}
    assert bodies[2]["filter"] == upload | {"node": "000048b02d15bc42"}
    assert bodies[1]["start"] == "2023-05-01T00:00:00.000000Z"
    assert bodies[1]["end"] == "2023-05-02T00:00:00.000000Z"


@pytest.mark.parametrize("habit", ["500", "503", "429", "nonsense", "cut after a line", "stall"])
def test_an_answer_that_fails_is_asked_for_again(archive, order, habit):
    """Of an answer that is cut where a line ends urllib says nothing: a record would be missing."""
    archive.add_frame(START)
    archive.query_habits = deque([habit, habit])
    assert len(asked(patient(order, habit))) == 4
    assert len(archive.asked) == 3


@pytest.mark.parametrize(
    ("habit", "reason", "times"),
    [
        ("500", "HTTP 500, 4 times", 4),
        ("stall", "no answer in time, 4 times", 4),
        ("cut after a line", "an answer that was cut, 4 times", 4),
        ("nonsense", "an answer that is not records, 4 times", 4),
        ("400", "HTTP 400", 1),
        ("404", "HTTP 404", 1),
    ],
)
def test_no_answer_has_its_reason(archive, order, habit, reason, times):
    archive.add_frame(START)
    archive.query_habits = deque([f"{habit}!"])
    with pytest.raises(Unanswered) as caught:
        asked(patient(order, habit))
    assert (caught.value.reason, caught.value.reached) == (reason, True)
    assert len(archive.asked) == times


def test_nobody_at_the_endpoint_is_something_else(order):
    with pytest.raises(Unanswered, match="no connection, 2 times") as caught:
        asked(dataclasses.replace(order, endpoint="http://127.0.0.1:1/query", retries=1))
    assert not caught.value.reached


@pytest.mark.parametrize("task", [None, "a b&c=d*"])
def test_a_question_is_an_address_and_back(order, task):
    span = dataclasses.replace(SPAN, plugin=".*mobotix-scan.*|x", task=task, start=DAY.replace(hour=5))
    assert span_of(span.address(order.endpoint)) == span
    assert span_of(span.address("https://elsewhere.example.org/q")) == span


@pytest.mark.parametrize(
    "address",
    ["", "https://x/", "https://x/?node=W057", "https://x/?node=W057&start=x&end=y"]
    + [
        f"https://x/?node={node}&start=2023-05-02T00:00:00Z&end=2023-05-0{day}T00:00:00Z"
        for node, day in (("../x", 3), ("W057", 2))
    ],
)
def test_what_is_no_question_is_none(address):
    assert span_of(address) is None


def test_an_answer_that_trickles_is_none(archive, order):
    archive.add_frame(START)
    archive.query_habits = deque(["drip"])
    started = time.monotonic()
    with pytest.raises(Unanswered, match="no answer in time"):
        asked(dataclasses.replace(order, timeout=0.3, retries=0))
    assert time.monotonic() - started < 5
    assert len(asked(order)) == 4


def test_records_without_what_a_record_has_are_none(archive, order):
    archive.add_frame(START)
    del archive.records[2]["value"]
    with pytest.raises(Unanswered, match="an answer that is not records"):
        asked(order)


def test_waiting_grows_and_ends_with_the_call(archive, order):
    archive.query_habits = deque(["500!"])
    started = time.monotonic()
    with pytest.raises(Unanswered):
        asked(dataclasses.replace(order, backoff=0.05, retries=3))
    assert 0.05 + 0.1 + 0.2 < time.monotonic() - started < 10
    stop = Event()
    stop.set()
    started = time.monotonic()
    with pytest.raises(Unanswered):
        ask(order, SPAN, patience(50, 60.0, stop))
    assert time.monotonic() - started < 10


def test_urllib_is_left_as_it_was(archive, order):
    asked(order)
    assert urllib.request._opener is None


def test_records_are_read_back_as_they_came(archive, order, tmp_path):
    archive.add_frame(START + 123456789)
    archive.add_frame(START + HOUR, None)
    archive.records[1]["meta"]["zone"] = "core"  # only one has it
    records = asked(order)
    path = tmp_path / "records" / records_path(SPAN)
    assert path.name == "2023-05-01T000000_2023-05-02T000000.ndjson.gz"
    keep(records, path)
    again = sage_data_client.load(path)
    assert [str(time) for time in again["timestamp"]] == [str(time) for time in records["timestamp"]]
    pd.testing.assert_frame_equal(again[records.columns], records, check_dtype=False)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_records_are_added_to_those_that_are_kept(archive, order, tmp_path):
    path = tmp_path / "records.ndjson.gz"
    archive.add_frame(START)
    keep(asked(order), path)
    before = path.read_bytes()
    keep(asked(order), path)
    assert path.read_bytes() == before
    archive.records.clear()
    archive.add_frame(START + HOUR)
    keep(asked(order), path)
    assert len(sage_data_client.load(path)) == 8
    assert gzip.decompress(path.read_bytes()).startswith(gzip.decompress(before))


@pytest.mark.parametrize("timestamp", [None, "3000-01-01T00:00:00Z", "2023-05-01T00:00:00Z"])
def test_an_odd_record_is_kept_as_it_is(archive, order, tmp_path, timestamp):
    archive.add_frame(START)
    archive.add_frame(START + HOUR + 1)
    records = asked(order)
    odd = records.head(1).assign(timestamp=pd.to_datetime([timestamp], utc=True), value=[None])
    records = pd.concat([records.astype({"timestamp": object}), odd.astype({"timestamp": object})])
    records["meta.tags"] = [["a", 1]] * len(records)
    keep(records, tmp_path / "records.ndjson.gz")
    again = sage_data_client.load(tmp_path / "records.ndjson.gz")
    assert [str(time) for time in again["timestamp"]] == [str(time) for time in records["timestamp"]]
    assert again["meta.tags"].tolist() == records["meta.tags"].tolist()


def test_no_records_leave_no_file(archive, order, tmp_path):
    keep(asked(order), tmp_path / "records.ndjson.gz")
    assert list(tmp_path.iterdir()) == []
