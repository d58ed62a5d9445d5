"""What a folder keeps of itself: it survives a kill in mid-line, and says nothing that is not so."""

import multiprocessing
from pathlib import Path

import pandas as pd
import pytest

from sage_lightning.errors import UserError
from sage_lightning.sage.archive.kept import FOLDER, Failure, Failures, Lengths, iso, only_one, printable
from sage_lightning.sage.archive.records import keep

A = Failure("https://x/a", "HTTP 500", "W057", "10", "2023-05-01T00:00:00Z")
B = Failure("https://x/b", 'timeout, "odd"', "W056", "", "2023-05-01T00:00:00Z")


def test_failures_are_on_disk_at_once_and_gone_when_done(tmp_path):
    path = tmp_path / "failures.csv"
    failures = Failures(path)
    assert len(failures) == 0
    failures.add(A)
    failures.add(B)
    assert list(Failures(path)) == [A, B]
    failures.remove(A.url)
    failures.remove("https://x/unknown")
    failures.settle()
    assert list(Failures(path)) == [B]
    failures.remove(B.url)
    failures.settle()
    assert list(tmp_path.iterdir()) == []


def test_a_later_reason_takes_the_place_of_an_earlier_one(tmp_path):
    failures = Failures(tmp_path / "failures.csv")
    later = Failure(A.url, "HTTP 404", A.node, A.position, A.time)
    for failure in (A, later, later):
        failures.add(failure)
    assert list(Failures(tmp_path / "failures.csv")) == [later]
    assert len((tmp_path / "failures.csv").read_text().splitlines()) == 3


@pytest.mark.parametrize("lost", range(1, 30))
def test_a_line_that_was_cut_costs_no_other(tmp_path, lost):
    path = tmp_path / "failures.csv"
    failures = Failures(path)
    failures.add(B)
    failures.add(A)
    path.write_bytes(path.read_bytes()[:-lost])
    again = Failures(path)
    assert B in list(again)
    c = Failure("https://x/c", "HTTP 500", "W057", "", "")
    again.add(c)
    found = {failure.url: failure for failure in Failures(path)}
    assert found[B.url] == B
    assert found[c.url] == c


def test_lengths(tmp_path):
    path = tmp_path / "files.csv"
    lengths = Lengths(path)
    lengths.add("a, b/c", 7)
    lengths.add("d", 0)
    path.write_bytes(path.read_bytes() + b"e,1")
    again = Lengths(path)
    again.add("f", 2)
    assert [Lengths(path).get(name) for name in ("a, b/c", "d", "f", "g")] == [7, 0, 2, None]


def _take(folder: Path, answers) -> None:
    try:
        with only_one(folder):
            answers.put("taken")
    except UserError as error:
        answers.put(str(error))


def test_two_calls_do_not_share_a_folder(tmp_path):
    (tmp_path / FOLDER).mkdir()
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    with only_one(tmp_path):
        other = context.Process(target=_take, args=(tmp_path, answers))
        other.start()
        assert "another download is at work there" in answers.get(timeout=10)
        other.join()
    with only_one(tmp_path):  # free again
        pass


def test_what_comes_from_the_network_can_be_shown():
    assert printable("https://x/a") == "https://x/a"
    assert printable("a\x1b[2J\nb") == "a\\x1b[2J\\x0ab"
    assert len(printable("x" * 10**6)) < 3000


def test_times_are_utc_and_whole_seconds():
    assert iso(1682899200999999999) == "2023-05-01T00:00:00Z"


@pytest.mark.parametrize("table", [Failures, Lengths])
def test_a_damaged_table_is_one_line(tmp_path, table):
    path = tmp_path / "table.csv"
    path.write_bytes(bytes(range(256)) * 20)
    with pytest.raises(UserError, match=r"table\.csv: damaged; move it away"):
        table(path)


@pytest.mark.parametrize("lost", [1, 20, 60])
def test_damaged_records_are_one_line_and_stay(tmp_path, lost):
    path = tmp_path / "records.ndjson.gz"
    records = pd.DataFrame(
        {"timestamp": pd.to_datetime(["2023-05-01T00:00:00Z"]), "name": ["upload"], "value": ["http://x"]}
    )
    keep(records, path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-lost])
    with pytest.raises(UserError, match=r"records\.ndjson\.gz: damaged; move it away"):
        keep(records, path)
    assert path.read_bytes() == whole[:-lost]
