"""One file: streamed to `<name>.part`, its length checked, synced, renamed. Under its own name it is whole.

A part that was begun is gone on with only if the storage confirms that it is the same file: 206, the same
ETag (or time of change), the same whole length, from the very byte. Otherwise the file is begun anew.
"""

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import requests

from sage_lightning.sage.archive.client import Client, check_status, whole_number
from sage_lightning.sage.archive.troubles import Failed, Stopped, Transient

PART = ".part"
MARK = ".part.json"  # beside a part: of which file it is

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


@dataclass(frozen=True)
class _Mark:
    """What tells a file from another one at the same address.

    Attributes:
        validator: a strong ETag, or the time of its last change.
        total: bytes of the whole file.
    """

    validator: str
    total: int


def told_length(client: Client, url: str) -> int | None:
    """Bytes, as the storage tells without sending them; None where it does not.

    Raises:
        Failed: it has no such file, or does not answer.
    """
    with client.ask("HEAD", url) as response:
        check_status(response, 200)
        return _length(response)


def fetch(
    client: Client, url: str, target: Path, stop: Event, count: Callable[[int], None] = lambda _: None
) -> int:
    """Brings one file, in one try.

    Args:
        client: asks the storage.
        url: the file's address.
        target: where it goes; its folder is there.
        stop: ends the transfer when it is set.
        count: is told the bytes that arrive.

    Returns:
        Its length in bytes.

    Raises:
        Failed: it did not come; `Transient`, if the next try may do better.
        Stopped: `stop` was set.
        OSError: it cannot be written.
    """
    part, mark = (target.with_name(target.name + ending) for ending in (PART, MARK))
    # A second witness of its length; not every storage, nor every place that one redirects to, knows HEAD.
    with client.ask("HEAD", url) as head:
        told = _length(head) if head.status_code == 200 else None
    response, offset = _opened(client, url, part, mark)
    with response:
        length = whole_number(response.headers.get("Content-Length"))
        total = None if length is None else offset + length
        if told is not None and total is not None and told != total:
            raise Transient(f"its length is told in two ways: {told} and {total} bytes")
        total = told if total is None else total
        if total is None and response.headers.get("Transfer-Encoding", "").lower() != "chunked":
            raise Failed("its length is not told, so that a cut would not be seen")
        if offset == 0:
            part.unlink(missing_ok=True)  # before its mark: no part ever has another's
            _write_mark(mark, response, total)
        with part.open("ab" if offset else "wb") as file:
            length = offset
            for chunk in client.body(response):
                if stop.is_set():
                    raise Stopped
                file.write(chunk)
                length += len(chunk)
                count(len(chunk))
            if total is not None and length != total:
                raise Transient(f"cut after {length} of {total} bytes")
            file.flush()
            os.fsync(file.fileno())
    mark.unlink(missing_ok=True)
    part.replace(target)
    return length


def _opened(client: Client, url: str, part: Path, mark: Path) -> tuple[requests.Response, int]:
    """The answer, and the byte of the file that it begins with."""
    if (begun := _begun(part, mark)) is not None:
        of, offset = begun
        response = client.ask("GET", url, {"Range": f"bytes={offset}-", "If-Range": of.validator})
        if response.status_code == 206 and _goes_on(response, of, offset):
            return response, offset
        if response.status_code not in (200, 206, 416):
            check_status(response)
        if response.status_code == 200:
            return _as_it_is(response), 0
        response.close()  # another part, or of another file
    response = client.ask("GET", url)
    check_status(response, 200)
    return _as_it_is(response), 0


def _begun(part: Path, mark: Path) -> tuple[_Mark, int] | None:
    """Of which file there is a part, and how many bytes of it."""
    try:
        of = _Mark(**json.loads(mark.read_text()))
        offset = part.stat().st_size
    except (FileNotFoundError, ValueError, TypeError):  # none, or one that was cut itself
        return None
    return (of, offset) if 0 < offset < of.total else None


def _goes_on(response: requests.Response, of: _Mark, offset: int) -> bool:
    place = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    return (
        place is not None
        and [int(number) for number in place.groups()] == [offset, of.total - 1, of.total]
        and _validator(response) == of.validator
        and "Content-Encoding" not in response.headers
    )


def _as_it_is(response: requests.Response) -> requests.Response:
    """Refuses what is not the file itself."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        response.close()
        raise Failed("sent compressed, which was not asked for")
    if _kind(response) == "text/html":
        response.close()
        raise Failed("a web page came instead of the file")
    return response


def _length(head: requests.Response) -> int | None:
    head.content  # noqa: B018 - there is none; once read, the connection can be used again
    if _kind(head) == "text/html" or "Content-Encoding" in head.headers:
        return None  # not of the file
    return whole_number(head.headers.get("Content-Length")) or None  # 0 is what some say who do not know


def _kind(response: requests.Response) -> str:
    return response.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _write_mark(mark: Path, response: requests.Response, total: int | None) -> None:
    validator = _validator(response)
    if validator is None or total is None:
        mark.unlink(missing_ok=True)
    else:
        mark.write_text(json.dumps({"validator": validator, "total": total}))


def _validator(response: requests.Response) -> str | None:
    etag = response.headers.get("ETag", "")
    return etag if etag.startswith('"') else response.headers.get("Last-Modified")
