"""From an order to files in a folder: asked for span by span, brought in parallel, each at most once."""

import logging
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from rich.filesize import decimal

from sage_lightning.errors import UserError
from sage_lightning.progress import Transfers
from sage_lightning.sage.archive.again import told
from sage_lightning.sage.archive.asking import Asking
from sage_lightning.sage.archive.client import Client
from sage_lightning.sage.archive.credentials import credentials
from sage_lightning.sage.archive.kept import FOLDER, Failure, Failures, Lengths, iso, only_one, printable
from sage_lightning.sage.archive.order import Order
from sage_lightning.sage.archive.patience import patience
from sage_lightning.sage.archive.pool import spread
from sage_lightning.sage.archive.protected import Protected
from sage_lightning.sage.archive.records import keep, records_path
from sage_lightning.sage.archive.transfer import fetch, told_length
from sage_lightning.sage.archive.troubles import UNANSWERED, Failed, Transient
from sage_lightning.sage.archive.wanted import Wanted

log = logging.getLogger("sage_lightning")


@dataclass(frozen=True)
class Tally:
    """What a call came to.

    Attributes:
        files: that came.
        bytes: of them.
        there: files that had come before.
        failed: lines of the table of failures: files, and queries without an answer.
    """

    files: int
    bytes: int
    there: int
    failed: int


@dataclass(frozen=True)
class _Job:
    """One file, and which share of the whole it is."""

    file: Wanted
    share: float


@dataclass(frozen=True)
class _Outcome:
    """What became of a job: its length if it is there, or why it is not."""

    job: _Job
    length: int | None = None
    came: bool = False
    trouble: Failed | None = None


class _Unwritable(Exception):
    """A file cannot be written: none of the others could."""


def download(order: Order) -> Tally:
    """Brings what is wanted and not there yet, and what failed in earlier calls.

    Raises:
        UserError: the folder cannot be written or is in use, the query is not answered, or credentials are
            not in order. Files that are there stay, and the next call goes on.
    """
    own = order.folder / FOLDER
    try:
        own.mkdir(parents=True, exist_ok=True)
        with only_one(order.folder):
            call = _Call(order, own)
            try:
                return call.run()
            finally:
                call.failures.settle()
    except (_Unwritable, OSError) as error:
        reason = (error.strerror if isinstance(error, OSError) else "") or str(error)
        line = f"download.folder={order.folder}: {reason}; what is there is whole, and the next call goes on"
        raise UserError(line) from error


class _Call:
    """One call at work in its folder."""

    def __init__(self, order: Order, own: Path) -> None:
        self.failures = Failures(own / "failures.csv")
        self._order = order
        self._own = own
        self._lengths = Lengths(own / "files.csv")
        self._client = Client(order.storage, credentials(order.storage), order.timeout, order.least_rate)
        self._stop = Event()
        self._retrying = patience(order.retries, order.backoff, self._stop)
        self._protected = Protected(self._client)
        self._files = self._bytes = self._there = 0

    def run(self) -> Tally:
        started = time.monotonic()
        with Transfers("Downloading") as self._progress:
            self._asking = Asking(self._order, self.failures, self._stop, self._progress)
            outcomes = spread(self._jobs(), self._bring, self._order.workers, self._stop)
            with closing(outcomes):
                for outcome in outcomes:
                    self._note(outcome)
        if not self._asking.found and not self._asking.unanswered:
            text = (
                "The archive has no picture or thermal file of %s in this time; is download.plugin=%s right?"
            )
            log.warning(text, " or ".join(self._order.nodes), self._order.plugin)
        tally = Tally(self._files, self._bytes, self._there, len(self.failures))
        text = "%d files came, %s in %.1f s; %d were there already"
        log.info(text, tally.files, decimal(tally.bytes), time.monotonic() - started, tally.there)
        if tally.failed:
            log.warning(self._left())
        self._asking.answered_at_all()
        return tally

    def _left(self) -> str:
        """What did not come, and what becomes of it."""
        queries = sum(failure.reason.startswith(UNANSWERED) for failure in self.failures)
        files = len(self.failures) - queries
        parts = []
        if files:
            parts.append(f"{files} file{'' if files == 1 else 's'} did not come")
        if queries:
            parts.append(f"{queries} {'query' if queries == 1 else 'queries'} had no answer")
        table = self._own / "failures.csv"
        again = told(self.failures, self._order.storage)
        return f"{' and '.join(parts)}: {table} has addresses and reasons; {again}"

    def _jobs(self) -> Iterator[_Job]:
        """What is to be brought; asks the archive on the way."""
        asked: set[str] = set()
        for answer in self._asking.answers():
            if answer.settled is not None:
                self.failures.remove(answer.settled)
            if answer.failure is not None:
                self.failures.add(answer.failure)
            if answer.span is not None and answer.records is not None:
                keep(answer.records, self._own / "records" / records_path(answer.span))
            for url, node, reason in answer.refused:
                self.failures.add(Failure(printable(url), reason, node, "", ""))
            yield from self._missing(answer.files, self._asking.share, asked)

    def _missing(self, files: list[Wanted], share: float, asked: set[str]) -> Iterator[_Job]:
        """Those of a span that are not there, with their shares of the span's own."""
        for file in files:
            path = self._order.folder / file.path
            if file.path in asked:
                self._progress.advance(share / len(files))
            elif path.is_file() and path.stat().st_size == self._lengths.get(file.path):
                self._there += 1
                self.failures.remove(file.url)
                self._progress.advance(share / len(files))
            else:
                yield _Job(file, share / len(files))
            asked.add(file.path)
        if not files:
            self._progress.advance(share)

    def _bring(self, job: _Job) -> _Outcome:
        """In a thread of the pool."""
        target = self._order.folder / job.file.path
        try:
            if target.is_file() and self._lengths.get(job.file.path) is None:  # of unknown origin
                size = target.stat().st_size
                if self._told_length(job.file.url) in (None, size):
                    return _Outcome(job, size)
            target.parent.mkdir(parents=True, exist_ok=True)
            length = self._retrying(
                fetch, self._client, job.file.url, target, self._stop, self._progress.add_bytes
            )
        except Failed as trouble:
            return _Outcome(job, trouble=trouble)
        except OSError as error:
            raise _Unwritable(error.strerror or str(error)) from error
        return _Outcome(job, length, came=True)

    def _told_length(self, url: str) -> int | None:
        try:
            return self._retrying(told_length, self._client, url)
        except Transient:
            raise
        except Failed:
            return None  # a storage that does not tell it

    def _note(self, outcome: _Outcome) -> None:
        file, trouble = outcome.job.file, outcome.trouble
        self._progress.advance(outcome.job.share, files=int(outcome.came))
        if outcome.length is not None:
            self._lengths.add(file.path, outcome.length)
            self.failures.remove(file.url)
            self._files += outcome.came
            self._bytes += outcome.length if outcome.came else 0
            self._there += not outcome.came
        if trouble is not None:
            self.failures.add(
                Failure(file.url, trouble.reason, file.label, file.position or "", iso(file.time_ns))
            )
            self._protected.tell(file.label, trouble, self._progress)
