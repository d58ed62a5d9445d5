"""The tables that describe a collection: where they lie, their columns, and what is amiss with them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from sage_lightning.data.index import IDENTIFIERS
from sage_lightning.data.split import SPLITS
from sage_lightning.errors import UserError

SPELLINGS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}
_PARQUET = b"PAR1"  # how such a file begins
ROLES = ("rgb", "ir", "split", "group", "node", "position", "time")


def read_table(root: Path, split: str | None, name: str, texts: Sequence[str]) -> pd.DataFrame:
    """The table `name` in `root`.

    Args:
        root: of the collection.
        split: whose table it is; None for that of all.
        name: CSV or Parquet.
        texts: columns that are texts, whatever they look like: a node "0012" keeps its zeros.

    Raises:
        UserError: it cannot be read.
    """
    try:
        if _is_parquet(root / name):
            found = pd.read_parquet(root / name)
            # A column by which the rows of the frame that was written were named.
            named = [column for column in found.index.names if column is not None]
            return found.reset_index(named) if named else found
        return pd.read_csv(root / name, dtype=dict.fromkeys(texts, "str"), low_memory=False)
    except (ValueError, OSError) as error:  # pyarrow's and pandas' own are of these
        problem = str(error).strip().splitlines()[-1]
        raise UserError(f"{_key(split)}={name}: cannot be read as a table ({problem})") from error


def splits_of(said: pd.Series) -> pd.Series:
    """What a column says of splits, as "train", "val" and "test"; other values as they are."""
    return said.str.strip().str.casefold().map(SPELLINGS).fillna(said)


def table_problems(
    root: str | Path,
    table: str | None,
    tables: Mapping[str, str | None],
    columns: Mapping[str, Any],
) -> list[str]:
    """A line for each thing that is amiss with root, tables and columns; no file but tables is opened."""
    if not Path(root).is_dir():
        return [f"data.root={root}: no such folder"]
    given = tables_of(table, tables)
    if table is not None and any(tables.values()):
        return ["data.table and data.tables are two truths: give one table, or one for each split"]
    if not given or (table is None and "train" not in given):
        return ["data.table has no value: give data.table=<table in data.root>, or data.tables.train=…"]
    if table is None and columns.get("split") is not None:
        return [f"data.columns.split={columns['split']}: data.tables say the split; leave it out"]
    if columns.get("rgb") is not None and columns.get("rgb") == columns.get("ir"):
        return [f"data.columns.rgb and data.columns.ir are both {columns['rgb']}: a pair has two files"]
    lines = []
    for split, name in given.items():
        key = _key(split)
        path = Path(root) / name
        if not path.is_file():
            lines.append(f"{key}={name}: no such file in data.root={root}")
            continue
        try:
            have = heads(path)
        except (ValueError, OSError) as error:  # pyarrow's and pandas' own are of these
            lines.append(f"{key}={name}: cannot be read as a table ({str(error).splitlines()[0]})")
            continue
        for role in ROLES:
            column = columns.get(role)
            if column is None and role in ("rgb", "ir"):
                lines.append(f"data.columns.{role} has no value: give one of {', '.join(have)}")
            elif column is not None and column not in have:
                lines.append(f"data.columns.{role}={column}: {name} has only {', '.join(have)}")
        lines += _label_problems(columns, name, have)
    return list(dict.fromkeys(lines))


def _label_problems(columns: Mapping[str, Any], name: str, have: Sequence[str]) -> Iterator[str]:
    labels = columns.get("labels")
    if labels is None:
        return
    shown = f"data.columns.labels=[{','.join(labels)}]"
    if unknown := [label for label in labels if label not in have]:
        yield f"{shown}: {name} has no column {', '.join(unknown)}; it has {', '.join(have)}"
    for role in ROLES:
        if columns.get(role) in labels:
            yield f"{shown}: {columns[role]} is data.columns.{role} already; leave it out of one"
    if own := [label for label in labels if f"{label}_label" in IDENTIFIERS and label in have]:
        yield f"{shown}: {', '.join(own)} is what an index calls a column of its own; rename it in {name}"


def tables_of(table: str | None, tables: Mapping[str, str | None]) -> dict[str | None, str]:
    """Split → table; one table for all is that of None."""
    if table is not None:
        return {None: table}
    return {split: name for split in SPLITS if (name := tables.get(split)) is not None}


def _key(split: str | None) -> str:
    return "data.table" if split is None else f"data.tables.{split}"


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_PARQUET)) == _PARQUET  # whatever it is called


def heads(path: Path) -> list[str]:
    """The names of a table's columns."""
    if _is_parquet(path):
        # Rows' names without a name of their own are no column.
        return [name for name in pq.read_schema(path).names if not name.startswith("__index_level_")]
    return [str(name) for name in pd.read_csv(path, nrows=0).columns]
