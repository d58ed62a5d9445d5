"""The records of a span, kept as newline-delimited JSON that `sage_data_client.load` reads back."""

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from sage_lightning.sage.archive.kept import reading
from sage_lightning.sage.archive.query import Span


def records_path(span: Span) -> str:
    """Where a span's records are kept, below the folder of records."""
    return f"{span.node}/{span.start:%Y-%m-%dT%H%M%S}_{span.end:%Y-%m-%dT%H%M%S}.ndjson.gz"


def keep(records: pd.DataFrame, path: Path) -> None:
    """Adds records to the file of their span: those that it has stay as they are, and none is there twice.

    Args:
        records: as `sage_data_client.query` gives them.
        path: the file; it is replaced as a whole, so that at any moment it can be read.
    """
    if records.empty:
        return
    with reading(path):
        before = gzip.decompress(path.read_bytes()).decode().splitlines() if path.exists() else []
    lines = dict.fromkeys(before)
    known = len(lines)
    lines |= dict.fromkeys(_lines(records))
    if len(lines) == known:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_name(f"{path.name}.new")
    with whole.open("wb") as file:
        file.write(gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0))
        file.flush()
        os.fsync(file.fileno())
    whole.replace(path)


def _lines(records: pd.DataFrame) -> Iterator[str]:
    for record in records.to_dict("records"):
        time = record["timestamp"]
        meta = {
            str(key).removeprefix("meta."): value
            for key, value in record.items()
            if str(key).startswith("meta.") and (isinstance(value, list | dict) or not pd.isna(value))
        }
        line = {"timestamp": None if pd.isna(time) else time.isoformat().replace("+00:00", "Z")}
        yield json.dumps(line | {"name": record["name"], "value": record["value"], "meta": meta})
