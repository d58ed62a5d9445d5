"""How many files and bytes an order is, by node, position and month, before anything is written."""

import logging
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from threading import Event

import pandas as pd
from rich.filesize import decimal

from sage_lightning.progress import Transfers
from sage_lightning.sage.archive.client import Client
from sage_lightning.sage.archive.credentials import credentials
from sage_lightning.sage.archive.kept import FOLDER, Lengths, iso
from sage_lightning.sage.archive.order import Order
from sage_lightning.sage.archive.patience import patience
from sage_lightning.sage.archive.pool import spread
from sage_lightning.sage.archive.protected import Protected
from sage_lightning.sage.archive.query import ask, spans
from sage_lightning.sage.archive.transfer import told_length
from sage_lightning.sage.archive.troubles import Failed
from sage_lightning.sage.archive.wanted import Wanted, select

log = logging.getLogger("sage_lightning")

NO_POSITION = "–"
Key = tuple[str, str, str]  # node, position, month


@dataclass
class _Sum:
    """Of one node, position and month."""

    times: set[int] = field(default_factory=set)
    files: int = 0
    bytes: int = 0
    unknown: int = 0
    there: int = 0


@dataclass(frozen=True)
class _Sized:
    """A file, how long it is if that is told, and whether it is in the folder already."""

    file: Wanted
    length: int | None
    there: bool
    trouble: Failed | None = None


def survey(order: Order) -> pd.DataFrame:
    """A row a node, position and month, and one of all: `frames`, `files`, `bytes`, `unknown`, `there`.

    Records tell no sizes, so the storage is asked for each file's, as many at once as files would be brought.
    `bytes` are of files whose size is told; `unknown` counts the others, `there` those in the folder already.

    Raises:
        UserError: the query is not answered, or credentials are not in order.
    """
    lengths = Lengths(order.folder / FOLDER / "files.csv")
    client = Client(order.storage, credentials(order.storage), order.timeout)
    protected = Protected(client)
    stop = Event()
    retrying = patience(order.retries, order.backoff, stop)
    sums: dict[Key, _Sum] = defaultdict(_Sum)
    refused: dict[str, None] = {}

    def size(file: Wanted) -> _Sized:
        path = order.folder / file.path
        length = path.stat().st_size if path.is_file() else -1
        if length >= 0 and lengths.get(file.path) in (None, length):
            return _Sized(file, length, there=True)
        try:
            return _Sized(file, retrying(told_length, client, file.url), there=False)
        except Failed as trouble:
            return _Sized(file, None, there=False, trouble=trouble)

    with Transfers("Asking for sizes") as progress:

        def files() -> Iterator[Wanted]:
            days = list(spans(order.nodes, order.start, order.end))
            asked: set[str] = set()
            for span in days:
                selection = select(ask(order, span, retrying), order.storage)
                refused.update(dict.fromkeys(url for url, _, _ in selection.refused))
                yield from (file for file in selection.files if file.path not in asked)
                asked.update(file.path for file in selection.files)
                progress.advance(1 / len(days), files=len(selection.files))

        with closing(spread(files(), size, order.workers, stop)) as sizes:
            for sized in sizes:
                file = sized.file
                _add(sums[file.label, file.position or NO_POSITION, iso(file.time_ns)[:7]], sized)
                if sized.trouble is not None:
                    protected.tell(file.label, sized.trouble, progress)
    if refused:
        log.warning("%d further uploads have addresses that are not followed", len(refused))
    return _table(sums)


def _add(to: _Sum, sized: _Sized) -> None:
    to.times.add(sized.file.time_ns)
    to.files += 1
    to.bytes += sized.length or 0
    to.unknown += sized.length is None
    to.there += sized.there


def _table(sums: dict[Key, _Sum]) -> pd.DataFrame:
    rows = [
        (*key, len(of.times), of.files, of.bytes, of.unknown, of.there)
        for key, of in sorted(sums.items(), key=lambda item: _order(item[0]))
    ]
    columns = ["node", "position", "month", "frames", "files", "bytes", "unknown", "there"]
    table = pd.DataFrame(rows, columns=columns)
    total = {column: table[column].sum() for column in columns[3:]}
    return pd.concat(
        [table, pd.DataFrame([{"node": "all", "position": "", "month": ""} | total])], ignore_index=True
    )


def _order(key: Key) -> tuple[str, int, str, str]:
    """Presets by their numbers."""
    node, position, month = key
    return node, int(position) if position.isdecimal() else 0, position, month


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """For people: bytes in the unit that fits, and no column that says nothing."""
    table = table.assign(bytes=table["bytes"].map(lambda number: decimal(int(number))))
    return table.drop(columns=[name for name in ("unknown", "there") if not table[name].any()])
