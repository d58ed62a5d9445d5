"""How many files and bytes an order still is, by node, position and month, before anything is written."""

import logging
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from threading import Event

import pandas as pd
from rich.filesize import decimal

from sage_lightning.progress import Transfers
from sage_lightning.sage.archive.asking import Asking
from sage_lightning.sage.archive.client import Client
from sage_lightning.sage.archive.credentials import credentials
from sage_lightning.sage.archive.kept import FOLDER, Failures, Lengths, iso
from sage_lightning.sage.archive.order import Order
from sage_lightning.sage.archive.patience import patience
from sage_lightning.sage.archive.pool import spread
from sage_lightning.sage.archive.protected import Protected
from sage_lightning.sage.archive.transfer import told_length
from sage_lightning.sage.archive.troubles import Failed
from sage_lightning.sage.archive.wanted import Wanted

log = logging.getLogger("sage_lightning")

NO_POSITION = "–"
COLUMNS = ("frames", "files", "bytes", "unknown", "there", "bytes_there")
Key = tuple[str, str, str]  # node, position, month


@dataclass(frozen=True)
class Survey:
    """What a call would bring.

    Attributes:
        table: a row a node, position and month, and one of all. `frames`, `files` and `bytes` are still to
            come; `bytes` of files whose size is told, `unknown` counts the others. `there` are files that are
            in the folder already, `bytes_there` their bytes.
        unanswered: days of which the archive did not say what there is; the table lacks them.
    """

    table: pd.DataFrame
    unanswered: int


@dataclass
class _Sum:
    """Of one node, position and month."""

    times: set[int] = field(default_factory=set)
    files: int = 0
    bytes: int = 0
    unknown: int = 0
    there: int = 0
    bytes_there: int = 0


@dataclass(frozen=True)
class _Sized:
    """A file, how long it is if that is told, and whether it is in the folder already."""

    file: Wanted
    length: int | None
    there: bool
    trouble: Failed | None = None


def survey(order: Order) -> Survey:
    """What a call with this order would bring, what failed in earlier calls included.

    Records tell no sizes, so the storage is asked for each file's, as many at once as files would be brought.

    Raises:
        UserError: the query is not answered, or credentials are not in order.
    """
    own = order.folder / FOLDER
    lengths = Lengths(own / "files.csv")
    client = Client(order.storage, credentials(order.storage), order.timeout, order.least_rate)
    protected = Protected(client)
    stop = Event()
    retrying = patience(order.retries, order.backoff, stop)
    sums: dict[Key, _Sum] = defaultdict(_Sum)
    refused: dict[str, None] = {}

    def size(file: Wanted) -> _Sized:
        path = order.folder / file.path
        has = path.stat().st_size if path.is_file() else None
        known = lengths.get(file.path)
        if has is not None and known == has:
            return _Sized(file, has, there=True)
        try:
            told = retrying(told_length, client, file.url)
        except Failed as trouble:
            return _Sized(file, None, there=False, trouble=trouble)
        # One that lay there before any call is kept if its length is right, or nobody tells it.
        kept = has is not None and known is None and told in (None, has)
        return _Sized(file, has if kept else told, there=kept)

    with Transfers("Asking for sizes") as progress:
        asking = Asking(order, Failures(own / "failures.csv"), stop, progress)

        def files() -> Iterator[Wanted]:
            asked: set[str] = set()
            for answer in asking.answers():
                refused.update(dict.fromkeys(url for url, _, _ in answer.refused))
                yield from (file for file in answer.files if file.path not in asked)
                asked.update(file.path for file in answer.files)
                progress.advance(asking.share, files=len(answer.files))

        with closing(spread(files(), size, order.workers, stop)) as sizes:
            for sized in sizes:
                file = sized.file
                _add(sums[file.label, file.position or NO_POSITION, iso(file.time_ns)[:7]], sized)
                if sized.trouble is not None:
                    protected.tell(file.label, sized.trouble, progress)
    asking.answered_at_all()
    if refused:
        log.warning("%d further uploads have addresses that are not followed", len(refused))
    if asking.unanswered:
        log.warning("%d queries had no answer: what they would bring is not counted", asking.unanswered)
    return Survey(_table(sums), asking.unanswered)


def _add(to: _Sum, sized: _Sized) -> None:
    if sized.there:
        to.there += 1
        to.bytes_there += sized.length or 0
        return
    to.times.add(sized.file.time_ns)
    to.files += 1
    to.bytes += sized.length or 0
    to.unknown += sized.length is None


def _table(sums: dict[Key, _Sum]) -> pd.DataFrame:
    rows = [
        (*key, len(of.times), of.files, of.bytes, of.unknown, of.there, of.bytes_there)
        for key, of in sorted(sums.items(), key=lambda item: _order(item[0]))
    ]
    table = pd.DataFrame(rows, columns=["node", "position", "month", *COLUMNS])
    total = {column: table[column].sum() for column in COLUMNS}
    return pd.concat(
        [table, pd.DataFrame([{"node": "all", "position": "", "month": ""} | total])], ignore_index=True
    )


def _order(key: Key) -> tuple[str, int, str, str]:
    """Presets by their numbers."""
    node, position, month = key
    return node, int(position) if position.isdecimal() else 0, position, month


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """For people: bytes in the unit that fits, and no column that says nothing."""
    units = {name: table[name].map(lambda number: decimal(int(number))) for name in ("bytes", "bytes_there")}
    idle = [name for name in ("unknown", "there", "bytes_there") if not table[name].any()]
    names = {"there": "there already", "bytes_there": "their bytes"}
    return table.assign(**units).drop(columns=idle).rename(columns=names)
