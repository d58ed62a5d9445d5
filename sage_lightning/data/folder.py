"""Any collection of aligned pairs that a table describes: a row a pair, both paths, labels beside.

Paths count from the collection's root, that of the table too. What the thermal numbers are is said once, by
unit, scale and offset; kelvin become degrees Celsius when they are decoded.
"""

import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.parquet as pq

from sage_lightning.data import quarantine
from sage_lightning.data.files import UNKNOWN
from sage_lightning.data.images import read_picture, read_thermal
from sage_lightning.data.index import COLUMNS, add_place_and_time
from sage_lightning.data.scan import Scan
from sage_lightning.data.sources import PairFiles
from sage_lightning.data.split import SPLITS, Split, dealt
from sage_lightning.errors import UserError
from sage_lightning.sage.nodes import NodeTable

ROLES = ("rgb", "ir", "split", "group", "node", "position", "time")
_KELVIN = 273.15
_DEGREES = (-_KELVIN, 5000.0)  # what a temperature can be; numbers beyond are marks for "no value"


class FolderSource:
    """Pairs from a table, or from one table a split.

    Args:
        root: the folder that paths start from.
        table: CSV or Parquet; null where `tables` are given.
        tables: "train", "val", "test" → such a table, or null.
        columns: "rgb" and "ir" → the columns of paths; "split", "group", "node", "position", "time" → columns
            that say so, or null. All others are labels.
        ir_size: (h, w) in pixels at which thermal pictures are kept.
        thermal_unit: what the thermal numbers are: "celsius", "kelvin", "counts" or "display".
        thermal_scale: a file's numbers are multiplied by it,
        thermal_offset: and this is added; the result is in `thermal_unit`.

    Raises:
        UserError: every problem of root, tables and columns, a line each.
    """

    def __init__(
        self,
        root: str | Path,
        table: str | None,
        tables: Mapping[str, str | None],
        columns: Mapping[str, str | None],
        ir_size: tuple[int, int],
        thermal_unit: str,
        thermal_scale: float = 1.0,
        thermal_offset: float = 0.0,
    ) -> None:
        if problems := table_problems(root, table, tables, columns):
            raise UserError(*problems)
        self.root = Path(root)
        self.tables = _tables(table, tables)
        self.columns = {role: columns.get(role) for role in ROLES}
        self.ir_size: tuple[int, int] | None = (int(ir_size[0]), int(ir_size[1]))
        self.thermal_unit = "celsius" if thermal_unit == "kelvin" else thermal_unit  # as `read` gives it
        self._scale = thermal_scale
        self._offset = thermal_offset - (_KELVIN if thermal_unit == "kelvin" else 0.0)
        self._bounds = _DEGREES if self.thermal_unit == "celsius" else (-np.inf, np.inf)
        self.recipe: dict[str, Any] = {
            "kind": "folder",
            "unit": thermal_unit,
            "scale": thermal_scale,
            "offset": thermal_offset,
        }
        self.nodes = NodeTable()  # none are known
        self.places: list[Any] = []

    def scan(self, cache_dir: Path | None = None) -> Scan:
        """Reads the tables and looks which files are there.

        Raises:
            UserError: a table cannot be read or holds no row, a time is none, or no row is for training.
        """
        parts = [
            self._read(split, name).assign(**({} if split is None else {"_split": split}))
            for split, name in self.tables.items()
        ]
        table = pd.concat(parts, ignore_index=True)
        if table.empty:
            raise UserError(f"data.table: no row in {', '.join(self.tables.values())}")
        index = self._index(table)
        digest, counts = hashlib.sha256(), dict.fromkeys(("rgb_path", "ir_path"), 0)
        for column in counts:
            for path in index[column].dropna():
                if (file := self.root / path).is_file():
                    digest.update(f"{path}\0{file.stat().st_size}\n".encode())
                    counts[column] += 1
        index = add_place_and_time(index, self.nodes)
        return Scan(index, counts["rgb_path"], counts["ir_path"], 0, digest.hexdigest())

    def _read(self, split: str | None, name: str) -> pd.DataFrame:
        path, key = self.root / name, _key(split)
        names = [column for column in self.columns.values() if column is not None]
        try:
            if _is_parquet(path):
                return pd.read_parquet(path)
            return pd.read_csv(path, dtype=dict.fromkeys(names, "str"))  # a node "0012" keeps its zeros
        except (ValueError, OSError) as error:
            problem = str(error).strip().splitlines()[-1]
            raise UserError(f"{key}={name}: cannot be read as a table ({problem})") from error

    def _times(self, said: pd.Series) -> pd.Series:
        times = pd.to_datetime(said, utc=True, errors="coerce", format="mixed")
        if len(wrong := said[times.isna() & said.notna()]):
            column, row = self.columns["time"], int(wrong.index[0])
            raise UserError(f"data.columns.time={column}: {wrong.iloc[0]!r} in row {row + 1} is no time")
        return times.astype("datetime64[ns, UTC]")

    def _index(self, table: pd.DataFrame) -> pd.DataFrame:
        said = {role: _text(table[name]) for role, name in self.columns.items() if name is not None}
        if "_split" in table:
            said["split"] = table["_split"].astype("str")
        elif "split" in said and not (said["split"] == "train").any():
            found = ", ".join(sorted(said["split"].dropna().unique())[:5])
            raise UserError(f"data.columns.split={self.columns['split']}: no row says train, but {found}")
        rgb, ir = said["rgb"], said["ir"]
        there = {
            name: paths.map(lambda path: (self.root / path).is_file()) & paths.notna()
            for name, paths in (("rgb", rgb), ("ir", ir))
        }
        reason = pd.Series("", index=table.index, dtype="str")
        reason[rgb.duplicated() | ir.duplicated()] = quarantine.DUPLICATE
        reason[~(there["rgb"] & there["ir"])] = quarantine.PARTNER_MISSING
        if "split" in said:
            reason[(reason == "") & ~said["split"].isin(SPLITS)] = quarantine.NO_SPLIT
        nothing = pd.Series(pd.NA, index=table.index)
        size = pd.Series(pd.NA, index=table.index, dtype="Int32")
        time = self._times(said.get("time", pd.Series(None, table.index, dtype="str")))
        index = pd.DataFrame(
            {
                "pair_id": rgb.where(~rgb.duplicated(), rgb + "#" + table.index.astype("str")),
                "node": said.get("node", nothing).astype("str").fillna(UNKNOWN),
                "position": said.get("position", nothing).astype("str"),
                "time": time,
                "rgb_path": rgb,
                "ir_path": ir,
                **dict.fromkeys(("rgb_width", "rgb_height", "ir_width", "ir_height"), size),
                "status": pd.Series("ok", table.index, dtype="str").where(reason == "", "quarantined"),
                "reason": reason,
            }
        )
        used = {"_split", *(name for name in self.columns.values() if name is not None)}
        labels = {name: table[name] for name in table.columns if name not in used}
        # A label of the collection's own that is called like a column of every index keeps its name's sense.
        own = (*COLUMNS, "given_split", "group")
        named = {f"{name}_label" if name in own else name: column for name, column in labels.items()}
        given = {"given_split": said["split"]} if "split" in said else {}
        groups = {"group": said["group"]} if "group" in said else {}
        index = index.assign(**named, **given, **groups)
        return index.sort_values(["pair_id", "rgb_path", "ir_path"], ignore_index=True)

    def split(self, index: pd.DataFrame, split: Split) -> pd.Series:
        """Given splits as they are; what has none of its own is dealt from the training rows, by hash."""
        groups = "group" if "group" in index else "pair_id"
        return dealt(index, dataclasses.replace(split, by=split.by or groups), index.get("given_split"))

    def read(
        self, pair: PairFiles, size: tuple[int, int]
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
        """See `PairSource.read`."""
        rgb = read_picture(self.root / pair.rgb_path, size)
        return rgb, self.read_thermal(pair.ir_path)

    def read_thermal(self, ir_path: str) -> npt.NDArray[np.float32]:
        """See `PairSource.read_thermal`."""
        assert self.ir_size is not None
        return read_thermal(self.root / ir_path, self.ir_size, self._scale, self._offset, self._bounds)


def table_problems(
    root: str | Path,
    table: str | None,
    tables: Mapping[str, str | None],
    columns: Mapping[str, str | None],
) -> list[str]:
    """A line for each thing that is amiss with root, tables and columns; no file but tables is opened."""
    if not Path(root).is_dir():
        return [f"data.root={root}: no such folder"]
    given = _tables(table, tables)
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
            have = _columns(path)
        except (ValueError, OSError) as error:  # pyarrow's and pandas' own are of these
            lines.append(f"{key}={name}: cannot be read as a table ({str(error).splitlines()[0]})")
            continue
        for role in ROLES:
            column = columns.get(role)
            if column is None and role in ("rgb", "ir"):
                lines.append(f"data.columns.{role} has no value: give one of {', '.join(have)}")
            elif column is not None and column not in have:
                lines.append(f"data.columns.{role}={column}: {name} has only {', '.join(have)}")
    return list(dict.fromkeys(lines))


def _tables(table: str | None, tables: Mapping[str, str | None]) -> dict[str | None, str]:
    """Split → table; one table for all is that of None."""
    if table is not None:
        return {None: table}
    return {split: name for split in SPLITS if (name := tables.get(split)) is not None}


def _key(split: str | None) -> str:
    return "data.table" if split is None else f"data.tables.{split}"


def _is_parquet(path: Path) -> bool:
    return path.suffix.lower() == ".parquet"


def _columns(path: Path) -> list[str]:
    if _is_parquet(path):
        return list(pq.read_schema(path).names)
    return [str(name) for name in pd.read_csv(path, nrows=0).columns]


def _text(column: pd.Series) -> pd.Series:
    """Names as texts; whole numbers that an empty cell has turned into 1.0, 2.0 … are 1, 2 … again."""
    if pd.api.types.is_float_dtype(column) and (column.dropna() % 1 == 0).all():
        column = column.astype("Int64")
    return column.astype("str")
