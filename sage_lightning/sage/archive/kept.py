"""What a folder of downloads keeps of itself, in `_download`: failures, lengths, who is at work."""

import csv
import gzip
import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from sage_lightning.errors import UserError

FOLDER = "_download"  # no name from the archive begins like this
LONGEST_URL = 2000  # characters that are kept of an address that is refused


@dataclass(frozen=True)
class Failure:
    """One line of the table: a file that did not come.

    Attributes:
        url: its address; of one that is refused, as far as it can be printed.
        reason: in a few words.
        node: VSN or id; "" where it is not known.
        position: "" where there is none.
        time: of the frame, UTC.
    """

    url: str
    reason: str
    node: str
    position: str
    time: str


class Failures:
    """The table of what did not come, by address; on disk as soon as something fails, gone when nothing has.

    Args:
        path: of the CSV.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._columns = [column.name for column in fields(Failure)]
        self._lines = {line[0]: Failure(*line) for line in _read(path, len(self._columns))}

    def __iter__(self) -> Iterator[Failure]:
        return iter(list(self._lines.values()))

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, failure: Failure) -> None:
        """Notes a failure, in place of an earlier one of the same address."""
        if self._lines.get(failure.url) != failure:
            self._lines[failure.url] = failure
            _append(self._path, self._columns, astuple(failure))

    def remove(self, url: str) -> None:
        """Forgets a file that has come."""
        self._lines.pop(url, None)

    def settle(self) -> None:
        """Writes the table as it is now; none if it is empty."""
        if self._lines:
            lines = sorted(self._lines.values(), key=lambda line: (line.node, line.time, line.url))
            _write(self._path, [self._columns, *map(astuple, lines)])
        else:
            self._path.unlink(missing_ok=True)


class Lengths:
    """How many bytes each file had when it came, by its path.

    Args:
        path: of the CSV.
    """

    _COLUMNS = ("path", "bytes")

    def __init__(self, path: Path) -> None:
        self._path = path
        lines = _read(path, len(self._COLUMNS))
        self._bytes = {name: int(length) for name, length in lines if length.isdecimal()}

    def get(self, path: str) -> int | None:
        """None for a file that this table does not know."""
        return self._bytes.get(path)

    def add(self, path: str, length: int) -> None:
        """Notes a file that is there, whole."""
        if self._bytes.get(path) != length:
            self._bytes[path] = length
            _append(self._path, self._COLUMNS, (path, length))


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Holds the folder for one call.

    Raises:
        UserError: another one is at work there.
    """
    lock = FileLock(folder / FOLDER / "lock", blocking=False)
    try:
        lock.acquire()
    except Timeout as error:
        line = "another download is at work there; wait for it, or give another folder"
        raise UserError(f"download.folder={folder}: {line}") from error
    try:
        yield
    finally:
        lock.release()


def printable(url: str) -> str:
    """An address from the network as it can be shown and kept, whatever it is."""
    shown = "".join(sign if sign.isprintable() else f"\\x{ord(sign):02x}" for sign in url[:LONGEST_URL])
    return shown if len(url) <= LONGEST_URL else f"{shown}…"


def iso(time_ns: int) -> str:
    """Nanoseconds since 1970 as a date and time, UTC, to the second."""
    return f"{datetime.fromtimestamp(time_ns // 10**9, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _read(path: Path, columns: int) -> list[list[str]]:
    """The lines below the header; one that was cut is left out."""
    if not path.is_file():
        return []
    with reading(path), path.open(newline="", encoding="utf-8") as file:
        return [line for line in csv.reader(file) if len(line) == columns][1:]


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Reads what an earlier call has kept.

    Raises:
        UserError: it holds something else.
    """
    try:
        yield
    except (ValueError, csv.Error, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UserError(f"{path}: damaged; move it away, and the next call writes it anew") from error


def _append(path: Path, columns: Sequence[str], line: Sequence[object]) -> None:
    with path.open("a+", newline="", encoding="utf-8") as file:
        new = file.tell() == 0
        if not new:
            file.seek(file.tell() - 1)
            if file.read() != "\n":  # a call was killed in mid-line
                file.write("\n")
        csv.writer(file, lineterminator="\n").writerows([columns, line] if new else [line])


def _write(path: Path, lines: Sequence[Sequence[object]]) -> None:
    """All at once or not at all."""
    whole = path.with_name(f"{path.name}.new")
    with whole.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(lines)
        file.flush()
        os.fsync(file.fileno())
    whole.replace(path)
