"""From a query to files that pair, through the real client and a real server."""

import dataclasses
import json
import logging
import threading
import time
from collections import Counter, deque
from pathlib import Path

import pandas as pd
import pytest
import sage_data_client

from sage_lightning.data.scan import scan_folder
from sage_lightning.errors import UserError
from sage_lightning.sage.archive.download import download
from sage_lightning.sage.archive.kept import FOLDER, only_one

HOUR = 3600 * 10**9
START = 1682899200 * 10**9
EVIL = [
    "../../../../escaped/000048b02d15bc42/1682899200000000007-6144x2048.jpg",
    "%2e%2e/%2e%2e/000048b02d15bc42/1682899200000000007-6144x2048.jpg",
    "sage/sage-x-1/000048b02d15bc42/1682899200000000007-..%2f..%2f..%2f..%2f6144x2048.jpg",
    "_download/records/000048b02d15bc42/1682899200000000007-6144x2048.jpg",
]


@pytest.fixture
def frames(archive) -> list[str]:
    """The paths of twelve frames' files."""
    return [path for hour in range(12) for path in archive.add_frame(START + hour * HOUR + 7, str(hour + 1))]


def files_of(folder: Path) -> dict[str, bytes]:
    """By their paths, without what the folder keeps of itself."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if not name.startswith(f"{FOLDER}/")}


def failures_of(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / FOLDER / "failures.csv", dtype=str)


def test_both_files_of_each_frame_come_and_pair(archive, order, frames):
    tally = download(order)
    length = sum(len(archive.files[path]) for path in frames)
    assert dataclasses.asdict(tally) == {"files": 24, "bytes": length, "there": 0, "failed": 0}
    assert files_of(order.folder) == {path: archive.files[path] for path in frames}
    index = scan_folder(order.folder).index
    assert (index["status"] == "ok").all()
    assert set(index["position"]) == {str(hour + 1) for hour in range(12)}
    records = sage_data_client.load(next((order.folder / FOLDER / "records").rglob("*.gz")))
    assert len(records) == 48
    assert not (order.folder / FOLDER / "failures.csv").exists()


def test_nothing_comes_twice(archive, order, frames):
    archive.records += archive.records[:8]  # told twice
    download(order)
    assert {archive.gets(path) for path in frames} == {1}
    archive.asked.clear()
    tally = download(order)
    assert (tally.files, tally.there) == (0, 24)
    assert archive.gets() == archive.gets(method="HEAD") == 0
    by_id = dataclasses.replace(order, nodes=["000048b02d15bc42", "W057"])
    assert download(by_id).files == 0


def test_a_file_that_was_there_is_kept_if_its_length_is_right(archive, order, frames):
    picture, thermal, third = frames[:3]
    for path, content in ((picture, archive.files[picture]), (thermal, b"half of it")):
        (order.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (order.folder / path).write_bytes(content)
    tally = download(order)
    assert (tally.files, tally.there) == (23, 1)
    assert archive.gets(picture) == 0
    (order.folder / third).write_bytes(b"damaged since")
    assert download(order).files == 1
    assert files_of(order.folder) == {path: archive.files[path] for path in frames}


def test_workers_bound_what_is_under_way(archive, order, frames):
    archive.habits["*"] = deque(["trickle!"])
    download(dataclasses.replace(order, workers=3))
    assert archive.most_at_once == 3


@pytest.mark.parametrize("habit", ["500", "503", "cut", "long", "short", "half stall", "stall"])
def test_one_bad_habit_does_no_harm(archive, order, frames, habit):
    for path in frames[::7]:
        archive.habits[path] = deque([habit])
    order = dataclasses.replace(order, timeout=0.3 if "stall" in habit else order.timeout, retries=6)
    assert download(order).failed == 0
    assert files_of(order.folder) == {path: archive.files[path] for path in frames}


def test_everything_at_once_does_no_harm(archive, order, frames):
    archive.habits["*"] = deque(["500", "cut", "429", "long", "short", "503", "cut", "other range"] * 3)
    archive.query_habits = deque(["503", "cut after a line"])
    download(dataclasses.replace(order, retries=12))
    assert files_of(order.folder) == {path: archive.files[path] for path in frames}


def test_retry_after_is_waited_for(archive, order, frames):
    archive.habits[frames[0]] = deque(["wait 1"])
    assert download(order).failed == 0
    archive.habits[frames[1]] = deque(["wait 3600!"])
    (order.folder / frames[1]).unlink()
    assert download(order).failed == 1
    assert failures_of(order.folder)["reason"].tolist() == ["HTTP 503, asks to wait 3600 s"]


def test_what_failed_is_a_table_that_the_next_call_retries(archive, order, frames, caplog):
    archive.habits[frames[0]] = deque(["500!"])
    archive.habits[frames[5]] = deque(["cut!"])
    del archive.files[frames[7]]
    tally = download(order)
    assert (tally.files, tally.failed) == (21, 3)
    assert archive.gets(frames[0]) == 1 + order.retries
    assert archive.gets(frames[7]) == 1
    table = failures_of(order.folder).set_index("url").sort_index()
    assert list(table.index) == sorted(f"{archive.storage}/{frames[number]}" for number in (0, 5, 7))
    assert table["reason"].str.partition(" after")[0].tolist() == [
        {0: "HTTP 500", 5: "cut: the connection ended too early", 7: "HTTP 404"}[number]
        for number in sorted((0, 5, 7), key=lambda number: frames[number])
    ]
    assert set(table["node"]) == {"W057"}
    assert f"3 files did not come: {order.folder / FOLDER / 'failures.csv'}" in caplog.text

    # Another query altogether: an empty day.
    archive.habits.clear()
    other = dataclasses.replace(order, start=order.end, end=order.end.replace(day=3))
    tally = download(other)
    assert (tally.files, tally.failed) == (2, 1)
    assert failures_of(order.folder)["reason"].tolist() == ["HTTP 404"]
    archive.files[frames[7]] = b"found again"
    assert download(other).failed == 0
    assert not (order.folder / FOLDER / "failures.csv").exists()
    assert files_of(order.folder) == {path: archive.files[path] for path in frames}


def test_names_do_not_escape(archive, order, frames):
    archive.records += [archive.records[0] | {"value": f"{archive.storage}/{path}"} for path in EVIL]
    lie = archive.records[0] | {"meta": archive.records[0]["meta"] | {"filename": "../../x.jpg"}}
    archive.records.append(lie | {"value": lie["value"].replace("position1", "position31")})
    archive.files[frames[0].replace("position1", "position31")] = b"x"
    tally = download(order)
    assert tally.failed == len(EVIL) + 1
    assert set(files_of(order.folder)) == set(frames)
    beside = {path.name for path in order.folder.parent.iterdir()}
    assert beside == {order.folder.name}
    table = failures_of(order.folder)
    assert table["reason"].str.startswith("refused: ").all()
    assert set(table["url"]) >= {f"{archive.storage}/{path}" for path in EVIL}
    assert download(order).failed == len(EVIL) + 1  # and not by way of the table
    assert set(files_of(order.folder)) == set(frames)
    assert archive.gets() == len(frames)


def test_a_protected_node_is_told_of_once_and_the_rest_goes_on(archive, order, frames, caplog, monkeypatch):
    for hour in range(4):
        archive.add_frame(START + hour * HOUR, vsn="W056")
    archive.users["000048b02d05a0a4"] = "me:secret"
    order = dataclasses.replace(order, nodes=["W056", "W057"])
    tally = download(order)
    assert (tally.files, tally.failed) == (24, 8)
    assert set(failures_of(order.folder)["reason"]) == {"HTTP 401, protected"}
    lines = [record.getMessage() for record in caplog.records if "are protected" in record.getMessage()]
    ways = "set SAGE_USER and SAGE_TOKEN, or write a line for 127.0.0.1 into ~/.netrc"
    assert lines == [f"W056: files are protected (HTTP 401); {ways}"]

    monkeypatch.setenv("SAGE_USER", "me")
    monkeypatch.setenv("SAGE_TOKEN", "wrong")
    caplog.clear()
    assert download(order).failed == 8
    assert "W056: files are protected (HTTP 401); user and token are not accepted" in caplog.text
    archive.users["000048b02d05a0a4"] = ""
    caplog.clear()
    assert download(order).failed == 8
    assert caplog.text.count("W056: files are protected (HTTP 403); your account may not read them") == 1
    archive.users["000048b02d05a0a4"] = "me:secret"
    monkeypatch.setenv("SAGE_TOKEN", "secret\n")
    assert dataclasses.asdict(download(order))["failed"] == 0


def test_credentials_of_netrc(archive, order, frames, monkeypatch):
    archive.users["000048b02d15bc42"] = "me:secret"
    (Path.home() / ".netrc").write_text("machine 127.0.0.1 login me password secret\n")
    (Path.home() / ".netrc").chmod(0o600)
    assert download(order).failed == 0
    monkeypatch.setenv("SAGE_USER", "another")
    with pytest.raises(UserError, match="SAGE_USER is set and SAGE_TOKEN is not"):
        download(order)
    monkeypatch.delenv("SAGE_USER")
    (Path.home() / ".netrc").write_text("machine 127.0.0.1 login me password secret oops\n")
    with pytest.raises(UserError, match=r"^~/\.netrc cannot be read") as caught:
        download(order)
    assert "secret" not in str(caught.value)


def test_the_archive_is_asked_without_credentials(archive, order, frames, monkeypatch):
    monkeypatch.setenv("SAGE_USER", "me")
    monkeypatch.setenv("SAGE_TOKEN", "secret")
    download(order)
    told = Counter((method, "Authorization" in headers) for method, _, headers in archive.asked)
    assert told == {("POST", False): 1, ("HEAD", True): 24, ("GET", True): 24}


def test_no_secret_over_a_line_that_all_can_read(order, monkeypatch):
    monkeypatch.setenv("SAGE_USER", "me")
    monkeypatch.setenv("SAGE_TOKEN", "secret")
    with pytest.raises(UserError, match="credentials go over https only"):
        download(dataclasses.replace(order, storage="http://storage.example.org/api/v1/data"))


def test_another_call_in_the_folder_is_told_of(archive, order, frames):
    (order.folder / FOLDER).mkdir(parents=True)
    with only_one(order.folder), pytest.raises(UserError) as caught:
        download(order)
    assert caught.value.lines == (
        f"download.folder={order.folder}: another download is at work there; "
        "wait for it, or give another folder",
    )
    assert download(order).files == 24


@pytest.mark.parametrize("place", ["/proc/no/such", "/sys/files"])
def test_a_folder_that_cannot_be_written_is_one_line(order, place):
    with pytest.raises(UserError, match=rf"^download.folder={place}: ") as caught:
        download(dataclasses.replace(order, folder=Path(place)))
    assert len(caught.value.lines) == 1


def test_a_trickling_file_holds_up_none_of_the_others(archive, order, frames):
    archive.habits[frames[1]] = deque(["drip!"])
    started = time.monotonic()
    tally = download(dataclasses.replace(order, workers=1, timeout=0.3, retries=1))
    assert time.monotonic() - started < 10
    assert (tally.files, tally.failed) == (23, 1)
    assert failures_of(order.folder)["reason"].str.startswith("timeout: less than 1 kB/s for ").all()
    archive.habits.clear()
    assert download(order).failed == 0
    assert files_of(order.folder) == {path: archive.files[path] for path in frames}


def test_what_the_next_call_does_not_try_is_said(archive, order, frames, caplog):
    own = order.folder / FOLDER
    own.mkdir(parents=True)
    address = f"https://elsewhere.example.org/{frames[0]}"
    (own / "failures.csv").write_text(f"url,reason,node,position,time\n{address},HTTP 500,W057,,\n")
    archive.habits[frames[0]] = deque(["500!"])
    archive.records.append(archive.records[0] | {"value": f"{archive.storage}/{EVIL[0]}"})
    assert download(order).failed == 3
    left = "1 of another download.storage; 1 refused, until the archive gives another record"
    assert f"3 files did not come: {own / 'failures.csv'}" in caplog.text
    assert f"the next call tries 1 of them again, but not: {left}\n" in caplog.text
    archive.habits.clear()
    assert download(order).failed == 2
    assert f"the next call tries none of them again, but not: {left}\n" in caplog.text


def test_progress_says_rate_and_time_left(archive, order, frames, caplog, monkeypatch):
    monkeypatch.setattr("sage_lightning.progress.SECONDS_BETWEEN_LINES", 0.0)
    caplog.set_level(logging.INFO, "sage_lightning")
    download(order)
    lines = [record.getMessage() for record in caplog.records]
    told = [line for line in lines if line.startswith("Downloading: ")]
    assert all("/s, " in line and line.endswith(" s left") for line in told)
    done = [int(line.split()[1]) for line in told]
    assert done == pytest.approx([100 * (number + 1) / 24 for number in range(24)], abs=0.6)
    assert lines[-1].startswith("24 files came, ")


def test_nothing_at_all_is_said(order, caplog):
    assert download(order).files == 0
    assert (
        "no picture or thermal file of W057 in this time; is download.plugin=.*mobotix.* right?"
        in caplog.text
    )


def test_threads_are_gone_afterwards(archive, order, frames):
    download(order)
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("download-")] == []


def test_everything_that_is_kept_can_be_read(order, archive, frames):
    download(order)
    lengths = pd.read_csv(order.folder / FOLDER / "files.csv").set_index("path")["bytes"]
    assert lengths.to_dict() == {path: len(archive.files[path]) for path in frames}
    assert json.loads(archive.asked[0][2]["body"])["filter"]["vsn"] == "W057"
