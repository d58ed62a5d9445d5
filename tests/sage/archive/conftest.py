"""A small archive on 127.0.0.1: the query API and the storage, with authentication and every bad habit."""

import base64
import contextlib
import gzip
import io
import json
import re
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image

from sage_lightning.sage.archive.order import Order
from sage_lightning.sage.celsius import write_celsius
from sage_lightning.sage.names import archive_path, picture_name, thermal_name

NODES = {"W057": "000048b02d15bc42", "W056": "000048b02d05a0a4"}
START = int(datetime(2023, 5, 1, tzinfo=UTC).timestamp()) * 10**9
HOUR = 3600 * 10**9
DATA, QUERY = "/api/v1/data/", "/api/v1/query"


@dataclass
class Archive:
    """The archive's contents, its habits, and what it was asked.

    Attributes:
        files: contents by path below `/api/v1/data/`.
        records: what the query API knows.
        habits: by path (or "*"): what happens to the next GETs, one each; one that ends in "!" stays.
        query_habits: likewise of the query API.
        heads: whether HEAD is answered; or a number that it adds to the length.
        users: node → user and token; "" for a node that nobody may read.
        asked: method, path and headers of each request.
        validators: whether files have an ETag.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)
    habits: dict[str, deque[str]] = field(default_factory=dict)
    query_habits: deque[str] = field(default_factory=deque)
    heads: Any = True
    users: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    validators: bool = True
    address: str = ""
    elsewhere: str = ""
    most_at_once: int = 0
    at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def storage(self) -> str:
        return f"{self.address}{DATA}".rstrip("/")

    def add(self, path: str, content: bytes, vsn: str = "W057", **changes: Any) -> str:
        """An upload, with its record; `changes` are what the record says otherwise."""
        self.files[path] = content
        job, _, node, name = path.split("/")
        time_ns, _, filename = name.partition("-")
        second, nanosecond = divmod(int(time_ns), 10**9)
        meta = {"filename": filename, "job": job, "node": node, "vsn": vsn, "plugin": "x/mobotix-scan:1.2.3"}
        record = {
            "timestamp": f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}.{nanosecond:09d}Z",
            "name": "upload",
            "value": f"{self.storage}/{path}",
            "meta": meta | changes.pop("meta", {}),
        }
        self.records.append(record | changes)
        return path

    def add_frame(self, time_ns: int, position: str | None = "10", vsn: str = "W057") -> tuple[str, str]:
        """Picture and thermal file of a frame, and the two uploads beside them that nobody wants."""
        rng = np.random.default_rng(time_ns % 2**32)
        thermal = thermal_name("right", 20, 15, position)
        plot, cube = thermal.replace("celsius", "celsius_plot")[:-3] + "jpg", thermal[:-3] + "nc"
        names = (picture_name(192, 64, position), thermal, plot, cube)
        contents = (jpeg(rng), celsius(rng), jpeg(rng), b"CDF")
        paths = [archive_path("sage", "mobotix-scan", "1.2.3", NODES[vsn], time_ns, name) for name in names]
        for path, content in zip(paths, contents, strict=True):
            self.add(path, content, vsn)
        return paths[0], paths[1]

    def gets(self, path: str | None = None, method: str = "GET") -> int:
        """How often a file, or any, was asked for."""
        return sum(
            how == method and (path is None or where == DATA + path)
            for how, where, _ in self.asked
            if where.startswith(DATA)
        )

    def habit(self, path: str) -> str:
        with self.lock:
            queue = self.habits.get(path) or self.habits.get("*")
            if not queue:
                return ""
            return queue[0][:-1] if queue[0].endswith("!") else queue.popleft()


def jpeg(rng: np.random.Generator) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (64, 192, 3), dtype=np.uint8)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def celsius(rng: np.random.Generator) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frame.csv"
        write_celsius(path, rng.normal(5, 20, (15, 20)).round(2).astype(np.float32))
        return path.read_bytes()


class Server(ThreadingHTTPServer):
    """Serves one archive."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, archive: Archive) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.archive = archive

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is none."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def do_POST(self) -> None:
        archive, body = self.server.archive, self.rfile.read(int(self.headers["Content-Length"]))
        archive.asked.append(("POST", self.path, dict(self.headers) | {"body": body.decode()}))
        habit = archive.query_habits
        habit = "" if not habit else habit[0][:-1] if habit[0].endswith("!") else habit.popleft()
        if habit.isdecimal():
            self._short(int(habit))
        elif habit == "stall":
            archive.closing.wait(30)
        else:
            lines = [
                f"{json.dumps(record)}\n".encode() for record in _matching(archive.records, json.loads(body))
            ]
            answer = b"".join(lines) if habit != "nonsense" else b"<html>\n"
            whole = len(answer)
            packed = "gzip" in self.headers.get("Accept-Encoding", "") and habit == ""
            answer = gzip.compress(answer) if packed else answer
            if habit == "cut after a line":
                answer = b"".join(lines[:-1])
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer) if packed else whole))
            if packed:
                self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            self.wfile.write(answer)
            self.close_connection = habit != ""

    def do_HEAD(self) -> None:
        self._file(head=True)

    def do_GET(self) -> None:
        archive = self.server.archive
        with archive.lock:
            archive.at_once += 1
            archive.most_at_once = max(archive.most_at_once, archive.at_once)
        try:
            self._file(head=False)
        finally:
            with archive.lock:
                archive.at_once -= 1

    def _file(self, head: bool) -> None:
        archive, path = self.server.archive, unquote(self.path.partition("?")[0].removeprefix(DATA))
        archive.asked.append((self.command, self.path, dict(self.headers)))
        if head and archive.heads is False:
            return self._short(405)
        if status := self._denied(path):
            return self._short(status)
        habit = "" if head else archive.habit(path)
        if habit.isdecimal() or habit.startswith("wait"):
            wait = {"Retry-After": habit.partition(" ")[2]} if habit.startswith("wait") else {}
            return self._short(503 if wait else int(habit), wait)
        if habit.startswith("redirect "):
            return self._short(302, {"Location": habit.removeprefix("redirect ").replace("PATH", self.path)})
        if path not in archive.files:
            return self._short(404)
        if habit == "stall":
            archive.closing.wait(30)
            self.close_connection = True
            return None
        return self._send(archive.files[path], habit, head)

    def _denied(self, path: str) -> int | None:
        users, node = self.server.archive.users, path.split("/")[2] if path.count("/") == 3 else ""
        if node not in users:
            return None
        given = self.headers.get("Authorization", "").removeprefix("Basic ")
        if not given:
            return 401
        if users[node] == "":
            return 403
        return None if base64.b64decode(given).decode() == users[node] else 401

    def _send(self, content: bytes, habit: str, head: bool) -> None:
        archive = self.server.archive
        etag = f'"{len(content)}-{hash(content) & 0xFFFF}"' if habit != "other etag" else '"other"'
        first, wanted = 0, re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        fits = self.headers.get("If-Range") == etag or habit in ("other etag", "other range")
        if wanted and fits and habit != "no range":
            first = int(wanted[1])
        sent = content[first:]
        told = len(sent) + {"long": 100, "short": -100}.get(habit, 0)
        if head and archive.heads is not True:
            told += archive.heads
        self.send_response(206 if first else 200)
        if first:
            shift = 3 if habit == "other range" else 0
            self.send_header("Content-Range", f"bytes {first - shift}-{len(content) - 1}/{len(content)}")
        if habit == "html":
            self.send_header("Content-Type", "text/html")
        if habit == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
        elif habit == "untold":
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(told))
        if archive.validators:
            self.send_header("ETag", etag)
        self.end_headers()
        if head:
            return
        if habit == "chunked":
            sent = b"%x\r\n%s\r\n0\r\n\r\n" % (len(sent), sent)
        if habit.startswith("cut"):
            sent = sent[: len(sent) // 2]
        if habit == "trickle":
            for start in range(0, len(sent), 4096):
                self.wfile.write(sent[start : start + 4096])
                time.sleep(0.05)
            return
        if habit == "half stall":
            self.wfile.write(sent[: len(sent) // 2])
            archive.closing.wait(30)
        elif habit:
            self.close_connection = True
            self.wfile.write(sent)
        else:
            self.wfile.write(sent)

    def _short(self, status: int, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", "0")
        self.end_headers()


def _matching(records: list[dict[str, Any]], asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
    start, end = (asked[key].rstrip("Z") for key in ("start", "end"))
    for record in records:
        facts = record["meta"] | {"name": record["name"]}
        wanted = asked["filter"].items()
        if start <= record["timestamp"].rstrip("Z") < end and all(
            re.fullmatch(value, str(facts.get(key))) if set("*|") & set(value) else facts.get(key) == value
            for key, value in wanted
        ):
            yield record


@contextlib.contextmanager
def serving(archive: Archive) -> Iterator[Archive]:
    """Runs the archive for a while."""
    with Server(archive) as server:
        archive.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield archive
        archive.closing.set()
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No credentials and no proxy of the machine that the tests run on."""
    for name in ("SAGE_USER", "SAGE_TOKEN", "NETRC"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


@pytest.fixture
def archive() -> Iterator[Archive]:
    with serving(Archive()) as made:
        yield made


@pytest.fixture
def order(archive: Archive, tmp_path: Path) -> Order:
    """Of the archive's first day."""
    day = datetime(2023, 5, 1, tzinfo=UTC)
    return Order(
        nodes=["W057"],
        start=day,
        end=day.replace(day=2),
        folder=tmp_path / "files",
        plugin=".*mobotix.*",
        task=None,
        endpoint=f"{archive.address}{QUERY}",
        storage=archive.storage,
        workers=4,
        timeout=10.0,
        retries=3,
        backoff=0.01,
    )


def brought(folder: Path) -> dict[str, bytes]:
    """The files of a folder by their paths, what it keeps of itself left out."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    names = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    return {name: content for name, content in names.items() if not name.startswith("_download/")}
