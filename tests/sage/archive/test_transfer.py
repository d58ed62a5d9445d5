"""One file: whole under its own name, or not there."""

import email.utils
import json
import resource
import time
from collections import deque
from pathlib import Path
from threading import Event

import pytest

from sage_lightning.sage.archive.client import Client
from sage_lightning.sage.archive.transfer import fetch
from sage_lightning.sage.archive.troubles import Denied, Failed, Stopped, Transient

PATH = "sage/sage-x-1/000048b02d15bc42/1682899200000000007-6144x2048.jpg"
CONTENT = bytes(range(256)) * 4000  # about 1 MB
NEVER = Event()


@pytest.fixture
def file(archive, tmp_path):
    archive.add(PATH, CONTENT)
    return tmp_path / "file.jpg"


def bring(
    archive, target: Path, credentials=None, stop: Event = NEVER, timeout=10.0, least=1.0, **hooks
) -> int:
    client = Client(archive.storage, credentials, timeout, least)
    return fetch(client, f"{archive.storage}/{PATH}", target, stop, **hooks)


def ranges(archive) -> list[str | None]:
    return [headers.get("Range") for method, _, headers in archive.asked if method == "GET"]


def test_a_file_comes_whole_and_nothing_else_is_left(archive, file):
    counted = []
    assert bring(archive, file, count=counted.append) == len(CONTENT) == sum(counted)
    assert file.read_bytes() == CONTENT
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("habit", ["chunked", ""])
@pytest.mark.parametrize("heads", [True, False])
def test_a_storage_without_head_or_length_is_no_trouble(archive, file, habit, heads):
    archive.heads = heads
    archive.habits["*"] = deque([habit])
    assert bring(archive, file) == len(CONTENT)
    assert file.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("habit", "kind", "reason"),
    [
        ("cut", Transient, "cut"),
        ("long", Transient, "told in two ways: 1024000 and 1024100"),
        ("short", Transient, "told in two ways: 1024000 and 1023900"),
        ("half stall", Transient, "timeout: nothing for 0.3 s"),
        ("stall", Transient, "timeout: nothing for 0.3 s"),
        ("drip", Transient, "timeout: less than 1 kB/s for 0.3"),
        ("500", Transient, "HTTP 500"),
        ("429", Transient, "HTTP 429"),
        ("wait 7", Transient, "HTTP 503, asks to wait 7 s"),
        ("404", Failed, "HTTP 404"),
        ("410", Failed, "HTTP 410"),
        ("html", Failed, "a web page came"),
        ("redirect PATH", Failed, "more than 5 redirects"),
        ("redirect ftp://127.0.0.1/x", Failed, "not HTTP as it should be"),
        ("redirect http://127.0.0.1:1/x", Transient, "no connection"),
    ],
)
def test_what_goes_wrong_is_said_and_nothing_has_the_file_s_name(archive, file, habit, kind, reason):
    archive.habits["*"] = deque([f"{habit}!"])
    with pytest.raises(Failed, match=reason) as caught:
        bring(archive, file, timeout=0.3 if habit in ("stall", "half stall", "drip") else 10.0)
    assert type(caught.value) is kind
    assert not file.exists()


@pytest.mark.parametrize("habit", ["long", "cut"])
def test_a_cut_is_seen_without_a_second_witness(archive, file, habit):
    archive.heads = False
    archive.habits["*"] = deque([habit])
    with pytest.raises(Transient, match="cut"):
        bring(archive, file)
    assert not file.exists()


def test_a_length_that_no_one_tells_is_not_believed(archive, file):
    archive.heads = False
    archive.habits["*"] = deque(["untold", "untold"])
    with pytest.raises(Failed, match="length is not told"):
        bring(archive, file)
    archive.heads = True
    assert bring(archive, file) == len(CONTENT)


def test_a_head_that_lies_is_a_contradiction_too(archive, file):
    archive.heads = -1
    with pytest.raises(Transient, match="told in two ways: 1023999 and 1024000"):
        bring(archive, file)


def test_a_head_that_does_not_know_is_no_witness(archive, file):
    archive.heads = -len(CONTENT)  # "Content-Length: 0"
    assert bring(archive, file) == len(CONTENT)


def test_an_empty_file_is_a_file(archive, file):
    archive.files[PATH] = b""
    assert bring(archive, file) == 0
    assert file.read_bytes() == b""


def cut_half(archive, file) -> int:
    """Leaves a part; returns its length."""
    archive.habits["*"] = deque(["cut"])
    with pytest.raises(Transient, match="cut"):
        bring(archive, file)
    archive.asked.clear()
    length = file.with_name(f"{file.name}.part").stat().st_size
    assert 0 < length < len(CONTENT)
    return length


def test_a_cut_transfer_is_gone_on_with(archive, file):
    length = cut_half(archive, file)
    counted = []
    assert bring(archive, file, count=counted.append) == len(CONTENT)
    assert file.read_bytes() == CONTENT
    assert ranges(archive) == [f"bytes={length}-"]
    assert sum(counted) == len(CONTENT) - length
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize(
    ("habits", "asks"),
    [
        (["no range"], 1),  # answers with all of it
        (["other range"], 2),  # 206, of other bytes
        (["other etag"], 2),  # 206, of another file
        (["416"], 2),
    ],
)
def test_a_part_that_is_not_confirmed_is_begun_anew(archive, file, habits, asks):
    cut_half(archive, file)
    archive.habits["*"] = deque(habits)
    assert bring(archive, file) == len(CONTENT)
    assert file.read_bytes() == CONTENT
    assert len(ranges(archive)) == asks


def test_a_part_of_a_file_that_has_changed_is_not_used(archive, file):
    cut_half(archive, file)
    archive.files[PATH] = CONTENT[::-1]
    bring(archive, file)
    assert file.read_bytes() == CONTENT[::-1]


def test_without_a_validator_a_file_is_begun_anew(archive, file):
    archive.validators = False
    cut_half(archive, file)
    bring(archive, file)
    assert ranges(archive) == [None]
    assert file.read_bytes() == CONTENT


@pytest.mark.parametrize("mark", [None, "", "{", "[]", '{"validator": 3}', '{"total": 9, "validator": "x"}'])
def test_a_part_of_unknown_origin_is_not_used(archive, file, mark):
    file.with_name(f"{file.name}.part").write_bytes(b"x" * 1000)
    if mark is not None:
        file.with_name(f"{file.name}.part.json").write_text(mark)
    bring(archive, file)
    assert file.read_bytes() == CONTENT
    assert ranges(archive) == [None]


def test_a_mark_tells_of_the_file_and_of_nothing_else(archive, file):
    cut_half(archive, file)
    mark = json.loads(file.with_name(f"{file.name}.part.json").read_text())
    assert set(mark) == {"validator", "total"}
    assert mark["total"] == len(CONTENT)


def test_stopping_leaves_a_part_for_the_next_call(archive, file):
    stop = Event()
    with pytest.raises(Stopped):
        bring(archive, file, stop=stop, count=lambda _: stop.set())
    assert not file.exists()
    bring(archive, file)
    assert ranges(archive)[-1] is not None
    assert file.read_bytes() == CONTENT


def test_a_full_disk_is_an_error_of_the_disk(archive, file):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)  # stands for it: a write of more bytes fails as there
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            bring(archive, file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not file.exists()
    bring(archive, file)
    assert file.read_bytes() == CONTENT


def test_a_part_that_is_a_link_is_not_written_through(archive, file, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"mine")
    file.with_name(f"{file.name}.part").symlink_to(elsewhere)
    bring(archive, file)
    assert file.read_bytes() == CONTENT
    assert elsewhere.read_bytes() == b"mine"


def test_protected_files(archive, file):
    archive.users["000048b02d15bc42"] = "me:secret"
    for credentials in (None, ("me", "wrong")):
        with pytest.raises(Denied) as caught:
            bring(archive, file, credentials)
        assert caught.value.status == 401
    bring(archive, file, ("me", "secret"))
    assert file.read_bytes() == CONTENT


@pytest.mark.parametrize("same", [True, False])
def test_credentials_do_not_follow_to_another_host(archive, file, same):
    """`localhost` is this machine, and another host than `127.0.0.1`."""
    there = archive.address if same else archive.address.replace("127.0.0.1", "localhost")
    archive.habits["*"] = deque([f"redirect {there}/api/v1/data/elsewhere"])
    archive.files["elsewhere"] = CONTENT
    bring(archive, file, ("me", "secret"))
    told = ["Authorization" in headers for _, _, headers in archive.asked]
    assert told == [True, True, same]
    assert file.read_bytes() == CONTENT


def test_netrc_is_not_asked_behind_our_back(archive, file, monkeypatch, tmp_path):
    """requests would, and tell its `default` to any host."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    archive.habits["*"] = deque([f"redirect {archive.address}/api/v1/data/elsewhere"])
    archive.files["elsewhere"] = CONTENT
    bring(archive, file)
    assert len(archive.asked) == 3
    assert not any("Authorization" in headers for _, _, headers in archive.asked)


def test_a_server_may_ask_to_wait_until_a_date(archive, file):
    for seconds, asked in ((100, range(95, 101)), (-100, range(1))):
        date = email.utils.formatdate(time.time() + seconds, usegmt=True)
        archive.habits["*"] = deque([f"wait {date}"])
        with pytest.raises(Transient, match="HTTP 503") as caught:
            bring(archive, file)
        assert round(caught.value.after) in asked
    archive.habits["*"] = deque(["wait and see"])
    with pytest.raises(Transient, match=r"HTTP 503$"):
        bring(archive, file)


def test_silence_ends_soon(archive, file):
    archive.habits["*"] = deque(["half stall"])
    started = time.monotonic()
    with pytest.raises(Transient, match="timeout"):
        bring(archive, file, timeout=0.3)
    assert time.monotonic() - started < 5


def test_slow_is_borne_as_long_as_it_is_fast_enough(archive, file):
    archive.files[PATH] = CONTENT[:25]  # half a second of a byte now and then
    archive.habits["*"] = deque(["drip", "drip"])
    with pytest.raises(Transient, match=r"less than 0\.5 kB/s"):
        bring(archive, file, timeout=0.1, least=0.5)
    archive.habits["*"] = deque(["drip"])
    assert bring(archive, file, timeout=0.1, least=0) == 25


def test_what_came_too_slowly_is_gone_on_with(archive, file):
    archive.habits["*"] = deque(["drip"])
    with pytest.raises(Transient, match="timeout"):
        bring(archive, file, timeout=0.3)
    assert bring(archive, file) == len(CONTENT)
    assert file.read_bytes() == CONTENT
    assert ranges(archive)[-1] is not None
