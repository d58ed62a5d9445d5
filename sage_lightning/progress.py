"""Progress of long steps: a rich bar on a terminal, anywhere else a line of the log every few seconds."""

import logging
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Lock
from types import TracebackType
from typing import TypeVar

from rich.console import Console
from rich.filesize import decimal
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

log = logging.getLogger("sage_lightning")

T = TypeVar("T")

SECONDS_BETWEEN_LINES = 5.0
SECONDS_OF_A_RATE = 10.0  # over which bytes a second are counted


def bar(console: Console, count: ProgressColumn | None = None) -> Progress:
    """The one look of all bars: what, how far, how many (or what `count` says), how long still."""
    return Progress(
        TextColumn("{task.description:<28}"),
        BarColumn(bar_width=32),
        count or MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=console,
    )


def track(items: Iterable[T], what: str, total: int) -> Iterator[T]:
    """Yields the items and shows how far along they are.

    Args:
        items: what is worked through.
        what: the step's name, as in "Decoding pairs".
        total: how many items there are.
    """
    console = Console(stderr=True)
    if console.is_terminal:
        with bar(console) as progress:
            yield from progress.track(items, total=total, description=what)
        return
    started = spoken = first = time.monotonic()
    done = 0
    for item in items:
        yield item
        done += 1
        now = time.monotonic()
        if done == 1:
            first = now  # what comes before it, such as starting processes, says nothing of the rate
        elif now - spoken >= SECONDS_BETWEEN_LINES and done < total:
            log.info("%s: %d/%d, %.0f s left", what, done, total, (now - first) / (done - 1) * (total - done))
            spoken = now
    log.info("%s: %d in %.1f s", what, done, time.monotonic() - started)


class Transfers:
    """Progress of files that come over a line: how many, bytes, rate, time left. Any thread may tell it.

    How many files there will be is not known before the end, so how far it is comes as shares of the whole.

    Args:
        what: the step's name, as in "Downloading".
    """

    def __init__(self, what: str) -> None:
        self.files = self.bytes = 0
        self._what = what
        self._share = 0.0
        self._lock = Lock()
        self._started = self._spoken = time.monotonic()
        self._samples = deque([(self._started, 0)])
        console = Console(stderr=True)
        self._bar = bar(console, TextColumn("{task.fields[count]}")) if console.is_terminal else None
        self._shown: AbstractContextManager[object] = self._bar or nullcontext()

    def __enter__(self) -> "Transfers":
        self._shown.__enter__()
        if self._bar is not None:
            self._task = self._bar.add_task(self._what, total=1.0, count="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None and error is None:
            self._bar.update(self._task, completed=1.0, count=self._count())
        self._shown.__exit__(kind, error, trace)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """A place for lines of the log, which would otherwise be written into the bar."""
        if self._bar is None:
            yield
            return
        self._bar.stop()
        yield
        self._bar.start()

    def add_bytes(self, number: int) -> None:
        """Bytes have come."""
        now = time.monotonic()
        with self._lock:
            self.bytes += number
            self._samples.append((now, self.bytes))
            while now - self._samples[0][0] > SECONDS_OF_A_RATE:
                self._samples.popleft()

    def advance(self, share: float, files: int = 0) -> None:
        """A share of the whole is done, of 1, and with it so many files."""
        with self._lock:
            self._share += share
            self.files += files
        now = time.monotonic()
        if self._bar is not None:
            self._bar.update(self._task, completed=min(self._share, 1.0), count=self._count())
        elif now - self._spoken >= SECONDS_BETWEEN_LINES:
            self._spoken = now
            left = (now - self._started) * (1 - self._share) / max(self._share, 1e-9)
            percent = 100 * min(self._share, 1.0)
            log.info("%s: %.0f %%, %s, %.0f s left", self._what, percent, self._count(), max(left, 0.0))

    def _count(self) -> str:
        since, before = self._samples[0]
        rate = (self.bytes - before) / max(time.monotonic() - since, 1e-3)
        return f"{self.files} files, {decimal(self.bytes)}, {decimal(int(rate))}/s"
