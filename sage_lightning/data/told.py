"""What lists and records of early users say: read once, and kept beside an index until one changes."""

import codecs
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from sage_lightning.data.files import UNKNOWN
from sage_lightning.data.listing import Folder
from sage_lightning.errors import UserError
from sage_lightning.sage.names import node_of
from sage_lightning.sage.records import RECORD_SUFFIXES, read_records

_LISTS = re.compile(r"(?P<base>(?:.*/)?)(?P<bad>bad_)?pairs(?:/.*)?")
_RECORDS = re.compile(r"(?:.*/)?sage_meta(?:/.*)?")
_VSN = re.compile(r"[A-Z][0-9A-F]{3}")


@dataclass(frozen=True)
class Told:
    """What they say.

    Attributes:
        lists: see `_table`.
        records: of the query API, joined; None where there is none.
        count: how many lists and files of records there are.
        digest: of what they hold, the same wherever the collection lies; "" where there is none.
    """

    lists: pd.DataFrame
    records: pd.DataFrame | None
    count: int
    digest: str


def told(root: Path, folders: Sequence[Folder], kept: Path | None = None) -> Told:
    """Reads all lists and records of a collection, or what was kept of them if they are as they were.

    Args:
        root: the collection's folder.
        folders: its listing.
        kept: a folder in which it is kept; None for not at all.

    Raises:
        UserError: a list or records cannot be read.
    """
    lists, records = list(_list_paths(folders)), list(_record_paths(folders))
    if not lists and not records:
        return Told(_table({}), None, 0, "")
    stamp = _stamp(root, [*lists, *records])
    if kept is not None and (found := _load(kept, stamp)) is not None:
        return found
    said = {path: data for path in lists if (data := _read(root, path)) is not None}
    tables = {path: _records(root, path) for path in records}
    held = {path: hashlib.sha256(data).hexdigest() for path, data in said.items()}
    held |= {path: digest for path, (_, digest) in tables.items()}
    new = Told(
        _table(said),
        pd.concat([table for table, _ in tables.values()], ignore_index=True) if tables else None,
        len(held),
        hashlib.sha256(json.dumps(held, sort_keys=True).encode()).hexdigest(),
    )
    if kept is not None:
        _save(new, kept, stamp)
    return new


def _stamp(root: Path, paths: Sequence[str]) -> str:
    """Of names, lengths and times of writing: another one, and they are read again."""
    facts = []
    for path in paths:
        try:
            stat = (root / path).stat()
        except OSError:
            continue  # it vanished since the folder was listed, or reading will say what is wrong
        facts.append((path, stat.st_size, stat.st_mtime_ns))
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _load(kept: Path, stamp: str) -> Told | None:
    try:
        tables = [pq.read_table(kept / f"{name}.parquet") for name in ("lists", "records")]
    except (pa.ArrowException, OSError):
        return None  # there is none, or it is damaged: all are read
    facts = [json.loads((table.schema.metadata or {}).get(b"told", b"{}")) for table in tables]
    if any(fact.get("stamp") != stamp for fact in facts):
        return None
    lists, records = (table.to_pandas() for table in tables)
    count, digest = facts[0]["count"], facts[0]["digest"]
    return Told(lists, records if facts[0]["records"] else None, count, digest)


def _save(said: Told, kept: Path, stamp: str) -> None:
    fact = {"stamp": stamp, "count": said.count, "digest": said.digest, "records": said.records is not None}
    for name, table in (("lists", said.lists), ("records", said.records)):
        arrow = pa.Table.from_pandas(pd.DataFrame() if table is None else table, preserve_index=False)
        metadata = (arrow.schema.metadata or {}) | {b"told": json.dumps(fact).encode()}
        partial = kept / f"{name}.partial"
        pq.write_table(arrow.replace_schema_metadata(metadata), partial)
        partial.replace(kept / f"{name}.parquet")


def _list_paths(folders: Sequence[Folder]) -> Iterator[str]:
    for folder in folders:
        if _LISTS.fullmatch(folder.path):
            yield from (f"{folder.path}/{name}" for name in folder.names.to_pylist() if name.endswith(".txt"))


def _record_paths(folders: Sequence[Folder]) -> Iterator[str]:
    for folder in folders:
        if _RECORDS.fullmatch(folder.path):
            paths = (str(PurePosixPath(folder.path) / name) for name in folder.names.to_pylist())
            yield from (path for path in paths if path.endswith(RECORD_SUFFIXES))


def _read(root: Path, path: str) -> bytes | None:
    try:
        return (root / path).read_bytes()
    except FileNotFoundError:
        return None  # it vanished since the folder was listed
    except OSError as error:
        raise UserError(f"data.root: the list {path} cannot be read ({error.strerror})") from error


def _table(lists: dict[str, bytes]) -> pd.DataFrame:
    """One row a list, the bad first: `list`, `base` of its paths, `picture`, `thermal`, `node`, `bad`.

    A list of other than two lines has nulls in their place.
    """
    rows = []
    for path, data in lists.items():
        folder = path.rpartition("/")[0]
        found = _LISTS.fullmatch(folder)
        assert found is not None
        named = [_path(line) for line in _text(data).split("\n") if line.strip()]
        sides = named if len(named) == 2 else [None, None]
        rows.append((path, found["base"], *sides, _node(folder), found["bad"] is not None))
    columns = ["list", "base", "picture", "thermal", "node", "bad"]
    table = pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[:-1], "str"))
    return table.sort_values(["bad", "list"], ascending=[False, True], ignore_index=True)


def _text(data: bytes) -> str:
    """What Windows' editors call Unicode is UTF-16; both kinds may begin with a byte order mark."""
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if wide else "utf-8-sig", errors="replace")


def _path(line: str) -> str:
    """Without `/` or `./` in front."""
    return str(PurePosixPath(line.strip().lstrip("/")))


def _node(folder: str) -> str:
    """Of the nearest folder that is a node's, by id or VSN."""
    names = reversed(PurePosixPath(folder).parts)
    nodes = (node_of(name) or (name if _VSN.fullmatch(name) else None) for name in names)
    return next((node for node in nodes if node is not None), UNKNOWN)


def _records(root: Path, path: str) -> tuple[pd.DataFrame, str]:
    """Records, and a hash of the file that holds them."""
    try:
        with (root / path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return read_records(root / path), digest
    except (ValueError, OSError) as error:
        raise UserError(f"data.root: {path} cannot be read as records of the query API ({error})") from error
