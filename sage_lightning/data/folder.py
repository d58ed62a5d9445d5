"""Any collection of aligned pairs that a table describes: a row a pair, both paths, labels beside.

Paths count from the collection's root, that of the table too. What the thermal numbers are is said once, by
unit, scale and offset; kelvin become degrees Celsius when they are decoded.
"""

import dataclasses
import hashlib
import logging
import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from sage_lightning.data import quarantine
from sage_lightning.data.facts import Facts
from sage_lightning.data.files import UNKNOWN
from sage_lightning.data.images import read_picture, read_thermal
from sage_lightning.data.index import COLUMNS, GIVEN, add_place_and_time
from sage_lightning.data.scan import Scan
from sage_lightning.data.source import PairFiles
from sage_lightning.data.split import HELD_OUT, SPLITS, Split, dealt, unsaid
from sage_lightning.data.tables import ROLES, heads, read_table, splits_of, table_problems, tables_of
from sage_lightning.errors import UserError
from sage_lightning.sage.nodes import NodeTable

log = logging.getLogger("sage_lightning")

_MOST_VALUES = 5  # of a column that are told of
_KELVIN = 273.15
_READING = 2  # another number where files give other numbers than before: what was decoded then is left
_DEGREES = (-_KELVIN, 5000.0)  # what a temperature can be; numbers beyond are marks for "no value"


class FolderSource:
    """Pairs from a table, or from one table a split.

    Args:
        root: the folder that paths start from.
        table: CSV or Parquet; null where `tables` are given.
        tables: "train", "val", "test" → such a table, or null.
        columns: "rgb" and "ir" → the columns of paths; "split", "group", "node", "position", "time" → columns
            that say so, or null; "labels" → columns that are kept as labels, null for all others.
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
        columns: Mapping[str, Any],
        ir_size: tuple[int, int],
        thermal_unit: str,
        thermal_scale: float = 1.0,
        thermal_offset: float = 0.0,
    ) -> None:
        self.thermal_size: tuple[int, int] | None = None  # all are brought to `ir_size`
        self.dated = True  # an array that is written anew is often as long as it was
        if problems := table_problems(root, table, tables, columns):
            raise UserError(*problems)
        self.root = Path(root)
        self.tables = tables_of(table, tables)
        self._roles = {role: columns.get(role) for role in ROLES}
        given = columns.get("labels")
        self.labels: list[str] | None = None if given is None else list(given)
        self.ir_size: tuple[int, int] | None = (int(ir_size[0]), int(ir_size[1]))
        self.thermal_unit = "celsius" if thermal_unit == "kelvin" else thermal_unit  # as `read` gives it
        self._scale = thermal_scale
        self._offset = thermal_offset - (_KELVIN if thermal_unit == "kelvin" else 0.0)
        self._bounds = _DEGREES if self.thermal_unit == "celsius" else (-np.inf, np.inf)
        self.recipe: dict[str, Any] = {
            "kind": "folder",
            "reading": _READING,
            "unit": thermal_unit,
            "scale": thermal_scale,
            "offset": thermal_offset,
        }
        self.nodes = NodeTable()  # none are known
        self.places: list[Any] = []

    def columns(self) -> list[str]:
        """See `PairSource.columns`."""
        given = ["given_split"] if "train" in self.tables or self._roles["split"] is not None else []
        groups = ["group"] if self._roles["group"] is not None else []
        found = dict.fromkeys(name for table in self.tables.values() for name in heads(self.root / table))
        return [*COLUMNS, *self._labels(found), *given, *groups]

    def scan(self, cache_dir: Path | None = None) -> Scan:
        """Reads the tables and looks which files are there.

        Raises:
            UserError: a table cannot be read or holds no row, a time is none, or no row is for training.
        """
        texts = [column for column in self._roles.values() if column is not None]
        parts = {split: read_table(self.root, split, name, texts) for split, name in self.tables.items()}
        table = pd.concat(parts.values(), ignore_index=True)
        if table.empty:
            raise UserError(f"data.table: no row in {', '.join(self.tables.values())}")
        of_tables = [split for split, part in parts.items() for _ in range(len(part))]
        given = pd.Series(None if None in parts else of_tables, table.index, dtype="str")
        index = self._index(table, given)
        digest, counts = hashlib.sha256(), dict.fromkeys(("rgb_path", "ir_path"), 0)
        for column in counts:
            for path in index[column]:
                if (file := self._file(path)) is not None:
                    # An array that is written anew is often as long as it was: its time tells.
                    digest.update(f"{path}\0{file.st_size}\0{file.st_mtime_ns}\n".encode())
                    counts[column] += 1
        # A table's positions 1, 2 … are its own, and no presets of a Sage camera that say a view.
        index = add_place_and_time(index, self.nodes).assign(view=pd.Series(None, index.index, dtype="str"))
        return Scan(index, counts["rgb_path"], counts["ir_path"], 0, digest.hexdigest())

    def _times(self, said: pd.Series) -> pd.Series:
        times = pd.to_datetime(said, utc=True, errors="coerce", format="mixed")
        if len(wrong := said[times.isna() & said.notna()]):
            column, row = self._roles["time"], int(wrong.index[0])
            raise UserError(f"data.columns.time={column}: {wrong.iloc[0]!r} in row {row + 1} is no time")
        return times.astype("datetime64[ns, UTC]")

    def _splits(self, column: pd.Series) -> pd.Series:
        """ "train", "val" and "test"; what else is said is told, and kept."""
        splits = splits_of(column)
        left = splits[~splits.isin(SPLITS)].fillna("").value_counts()
        counts = [f"{count} {value!r}" for value, count in left.head(_MOST_VALUES).items()]
        others = ", ".join(counts) + (" and others" if len(left) > _MOST_VALUES else "")
        if not (splits == "train").any():
            raise UserError(f"data.columns.split={self._roles['split']}: no row says train, but {others}")
        if others:
            text = "data.columns.split=%s: left out are %d rows that say neither train, val nor test: %s"
            log.info(text, self._roles["split"], int(left.sum()), others)
        return splits

    def _file(self, path: object) -> os.stat_result | None:
        """The file of a cell; None where it is empty, or has a name that no file has, or can have."""
        if not isinstance(path, str):
            return None
        try:
            file = (self.root / path).stat()
        except (OSError, ValueError):  # not there; too long; a NUL in it
            return None
        return file if stat.S_ISREG(file.st_mode) else None

    def _is_there(self, path: object) -> bool:
        return self._file(path) is not None

    def _index(self, table: pd.DataFrame, of_tables: pd.Series) -> pd.DataFrame:
        """The index without place and time; `of_tables` is the split whose table a row stands in, or null."""
        said = {role: _text(table[name]) for role, name in self._roles.items() if name is not None}
        if of_tables.notna().any():
            said["split"] = of_tables
        elif "split" in said:
            said["split"] = self._splits(said["split"])
        rgb, ir = said["rgb"], said["ir"]
        there = rgb.map(self._is_there) & ir.map(self._is_there)
        reason = pd.Series("", index=table.index, dtype="str")
        if "split" in said:
            reason[~said["split"].isin(SPLITS)] = quarantine.NO_SPLIT
        reason[~there] = quarantine.PARTNER_MISSING
        fit = reason == ""  # a row that cannot be used takes its files from no other
        reason[fit & (_again(rgb, fit) | _again(ir, fit))] = quarantine.DUPLICATE
        named = rgb.notna() & ~rgb.loc[(reason != "").sort_values(kind="stable").index].duplicated()
        row = pd.Series(table.index, table.index).astype("str")
        nothing = pd.Series(pd.NA, index=table.index)
        size = pd.Series(pd.NA, index=table.index, dtype="Int32")
        time = self._times(said.get("time", pd.Series(None, table.index, dtype="str")))
        index = pd.DataFrame(
            {
                "pair_id": rgb.where(named, rgb.fillna("") + "#" + row),
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
        labels = {label: _plain(table[name]) for label, name in self._labels(table.columns).items()}
        given = {"given_split": said["split"]} if "split" in said else {}
        groups = {"group": said["group"]} if "group" in said else {}
        index = index.assign(**labels, **given, **groups)
        return index.sort_values(["pair_id", "rgb_path", "ir_path"], ignore_index=True)

    def _labels(self, names: Iterable[str]) -> dict[str, str]:
        """Column of the index → column of the table, of labels."""
        used = self._roles.values()
        kept = [name for name in (names if self.labels is None else self.labels) if name not in used]
        # A label of the collection's own that is called like a column of every index keeps its name's sense.
        return {f"{name}_label" if name in (*COLUMNS, *GIVEN) else name: name for name in kept}

    def facts(self, cache_dir: Path) -> Facts:
        """See `PairSource.facts`; what a number means decides whether it can be a temperature."""
        return Facts(cache_dir, self.root, self.recipe)

    def split(self, index: pd.DataFrame, split: Split) -> pd.Series:
        """Given splits as they are; what the config, the tables or the rows leave open is dealt, by hash."""
        groups = "group" if "group" in index else "pair_id"
        given, deal = index.get("given_split"), split.deal
        if deal is None and (column := self._roles["split"]) is not None:
            deal = unsaid(given, split, column)
        elif deal is None and given is not None:
            deal = tuple(name for name in HELD_OUT if name not in self.tables)
        return dealt(index, dataclasses.replace(split, by=split.by or groups, deal=deal), given)

    def read(
        self, pair: PairFiles, size: tuple[int, int]
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
        """See `PairSource.read`."""
        return self.read_picture(pair.rgb_path, size), self.read_thermal(pair.ir_path)

    def read_picture(self, rgb_path: str, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
        """See `PairSource.read_picture`."""
        return read_picture(self.root / rgb_path, size)

    def read_thermal(self, ir_path: str) -> npt.NDArray[np.float32]:
        """See `PairSource.read_thermal`."""
        assert self.ir_size is not None
        return read_thermal(self.root / ir_path, self.ir_size, self._scale, self._offset, self._bounds)


def _again(paths: pd.Series, fit: pd.Series) -> pd.Series:
    """Whether an earlier one of the fit rows names the file, too."""
    return paths[fit].duplicated().reindex(paths.index, fill_value=False)


def _text(column: pd.Series) -> pd.Series:
    """Names as texts; whole numbers that an empty cell has turned into 1.0, 2.0 … are 1, 2 … again."""
    if pd.api.types.is_float_dtype(column) and (column.dropna() % 1 == 0).all():
        column = column.astype("Int64")
    return column.astype("str")


def _plain(column: pd.Series) -> pd.Series:
    """A label as an index can hold and compare it: lists, and kinds that are mixed, as texts."""
    if pd.api.types.infer_dtype(column, skipna=True) not in ("mixed", "mixed-integer"):
        return column
    values = (value.tolist() if isinstance(value, np.ndarray) else value for value in column)
    texts = [None if pd.api.types.is_scalar(value) and pd.isna(value) else str(value) for value in values]
    return pd.Series(texts, column.index, dtype="str")
