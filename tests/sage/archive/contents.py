"""What a small archive holds, its bad habits, and what it was asked."""

import io
import tempfile
import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

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
        bad_days: by a day on which a query begins: with what status it is answered.
        heads: whether HEAD is answered; or a number that it adds to the length.
        users: node → user and token; "" for a node that nobody may read.
        asked: method, path and headers of each request.
        validators: whether files have an ETag.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)
    habits: dict[str, deque[str]] = field(default_factory=dict)
    query_habits: deque[str] = field(default_factory=deque)
    bad_days: dict[str, int] = field(default_factory=dict)
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
