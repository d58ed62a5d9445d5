"""A small archive on 127.0.0.1: the query API and the storage, with authentication and every bad habit."""

import base64
import contextlib
import gzip
import json
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from .contents import DATA, Archive


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
        if status := archive.bad_days.get(json.loads(body)["start"][:10]):
            return self._short(status)
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
            self.close_connection = habit != ""
            if habit == "drip":
                return self._drip(answer)
            self.wfile.write(answer)
        return None

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
            return None
        if habit == "chunked":
            sent = b"%x\r\n%s\r\n0\r\n\r\n" % (len(sent), sent)
        if habit.startswith("cut"):
            sent = sent[: len(sent) // 2]
        if habit == "trickle":
            for start in range(0, len(sent), 4096):
                self.wfile.write(sent[start : start + 4096])
                time.sleep(0.05)
            return None
        if habit == "drip":
            return self._drip(sent)
        if habit == "half stall":
            self.wfile.write(sent[: len(sent) // 2])
            archive.closing.wait(30)
        elif habit:
            self.close_connection = True
            self.wfile.write(sent)
        else:
            self.wfile.write(sent)
        return None

    def _drip(self, content: bytes) -> None:
        """A byte now and then: the line is never silent for long."""
        for place in range(len(content)):
            if self.server.archive.closing.wait(0.02):
                break
            self.wfile.write(content[place : place + 1])
        self.close_connection = True

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
