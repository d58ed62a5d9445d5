"""The store: decoded pairs in shards, read in any order by any number of processes.

A store is a folder with `index.parquet` and `manifest.json`; its pixels lie in the folder of shards that the
manifest names, which stores of other splits share.
"""

import io
import json
import resource
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from sage_lightning.data.rows import RowFile, changed, first_rows
from sage_lightning.data.select import selected
from sage_lightning.data.shards import as_float, part_path
from sage_lightning.errors import UserError

FORMAT = 5  # of what is written; another number makes every store again

_FILES = 2  # that an open shard holds
_AHEAD = 64  # rows that are asked of the disk at a time
_OTHER_FILES = 512  # that the rest of a process may want to open


class _Shard(NamedTuple):
    """An open shard.

    Attributes:
        rgb: (n, H, W, 3), or all JPEGs one after the other.
        ends: (n + 1,) where each JPEG starts and the last one ends; None of raw pixels.
        ir: (n, h, w) uint16 or float32.
    """

    rgb: RowFile
    ends: NDArray[np.int64] | None
    ir: RowFile

    def want(self, row: int) -> None:
        """Says that this row is read soon."""
        start, stop = (row, row + 1) if self.ends is None else self.ends[row : row + 2].tolist()
        self.rgb.want(start, stop)
        self.ir.want(row, row + 1)

    def read_into(self, rgb: NDArray[np.uint8], ir: NDArray[Any], row: int) -> None:
        """Copies a row to where it is wanted, once; JPEGs and what is kept otherwise than `ir` come twice."""
        if self.ends is None:
            self.rgb.read_into(rgb, row)
        else:
            start, stop = self.ends[row : row + 2].tolist()
            file = np.empty(stop - start, np.uint8)
            self.rgb.read_into(file, start)
            rgb[:] = np.asarray(Image.open(io.BytesIO(file.data), formats=["JPEG"]))
        if self.ir.dtype == ir.dtype:
            self.ir.read_into(ir, row)
        else:
            thermal = np.empty(ir.shape, self.ir.dtype)
            self.ir.read_into(thermal, row)
            ir[:] = as_float(thermal)


class PairStore:
    """A collection as training reads it. It pickles as its folder's name; files are opened when first read.

    Args:
        folder: what `prepare` has made.
        select: which pairs are used, see `sage_lightning.data.select`; None for all.

    Raises:
        UserError: another version has made it.
    """

    def __init__(self, folder: Path, select: str | None = None) -> None:
        self.folder = Path(folder)
        self.select = select
        self.manifest: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text())
        if (found := self.manifest.get("format")) != FORMAT:
            raise UserError(
                f"{self.folder} is a store of format {found}, and this version reads {FORMAT}: "
                "`sage-lightning prepare` makes it anew from the raw files"
            )
        self.shard_folder = self.folder.parent / self.manifest["decoded"]
        self._ends = np.cumsum([shard["pairs"] for shard in self.manifest["shards"]], dtype=np.int64)
        self._open: dict[int, _Shard] = {}
        self._most_open = _allowed(len(self._ends))

    def __reduce__(self) -> tuple[type["PairStore"], tuple[Path, str | None]]:
        return PairStore, (self.folder, self.select)

    def __len__(self) -> int:
        """How many pairs can be read; rows of quarantined files are in the index alone."""
        return int(self._ends[-1])

    @cached_property
    def index(self) -> pd.DataFrame:
        """The pair index, quarantine included, sorted by pair id; see `sage_lightning.data.index`."""
        index = pd.read_parquet(self.folder / "index.parquet")
        return index if self.select is None else selected(self.select, index)

    @property
    def files(self) -> list[Path]:
        """All that the store is made of."""
        parts = [
            "rgb",
            "ir",
            "moments",
            "contents",
            *(["ends"] if self.manifest["rgb_kind"] == "jpeg" else []),
        ]
        shards = [shard for shard, said in enumerate(self.manifest["shards"]) if said["pairs"]]
        pages = [part_path(self.shard_folder, part, shard) for shard in shards for part in parts]
        return [self.folder / "manifest.json", self.folder / "index.parquet", *pages]

    @property
    def index_hash(self) -> str:
        """The hash of the index that checkpoints carry."""
        return self.manifest["index_hash"]

    @property
    def encoding(self) -> str:
        """How thermal values are kept: "centikelvin" (uint16, 0 is missing) or "float32" (NaN is missing)."""
        return self.manifest["encoding"]

    @property
    def thermal_unit(self) -> str:
        """What a thermal value, once decoded, means: "celsius", "kelvin", "counts" or "display"."""
        return self.manifest["thermal_unit"]

    @property
    def rgb_size(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        height, width = self.manifest["rgb_size"]
        return height, width

    @property
    def ir_size(self) -> tuple[int, int]:
        """(h, w) in pixels."""
        height, width = self.manifest["ir_size"]
        return height, width

    @cached_property
    def statistics(self) -> dict[str, dict[str, list[float]]]:
        """`["rgb"|"ir"]["mean"|"std"]` over all pixels of the train split as selected, one number a channel.

        RGB is in 0…1, thermal in `thermal_unit`, its missing values left out.
        """
        kept = [
            first_rows(part_path(self.shard_folder, "moments", shard), said["pairs"])
            for shard, said in enumerate(self.manifest["shards"])
            if said["pairs"]
        ]
        rows = self.rows("train")
        sums = np.concatenate(kept)[rows].sum(0)
        pixels = len(rows) * self.rgb_size[0] * self.rgb_size[1]
        means = {"rgb": sums[:3] / pixels / 255, "ir": sums[7:8] / sums[6]}
        squares = {"rgb": sums[3:6] / pixels / 255**2, "ir": sums[8:9] / sums[6]}
        return {
            sensor: {"mean": mean.tolist(), "std": np.sqrt(np.maximum(squares[sensor] - mean**2, 0)).tolist()}
            for sensor, mean in means.items()
        }

    def split_index(self, split: str) -> pd.DataFrame:
        """The index of the usable pairs of a split; row i is the pair at `rows(split)[i]`."""
        return self.index[self.index["split"] == split].reset_index(drop=True)

    def rows(self, split: str) -> NDArray[np.int64]:
        """The store rows of a split, in the order of `split_index`."""
        return self.split_index(split)["store_row"].to_numpy(dtype=np.int64)

    @property
    def ir_dtype(self) -> type[np.uint16] | type[np.float32]:
        """Of a thermal value as `read` gives it; see `encoding`."""
        return np.uint16 if self.encoding == "centikelvin" else np.float32

    def read(
        self, rows: Sequence[int] | NDArray[np.int64]
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint16] | NDArray[np.float32]]:
        """Copies of these pairs, in this order; a row may be named twice.

        Returns:
            rgb: (B, H, W, 3).
            ir: (B, h, w), as `encoding` says.

        Raises:
            IndexError: there is no such row.
        """
        rgb = np.empty((len(rows), *self.rgb_size, 3), np.uint8)
        ir: NDArray[Any] = np.empty((len(rows), *self.ir_size), self.ir_dtype)
        self.read_into(rgb, ir, rows)
        return rgb, ir

    def read_into(
        self, rgb: NDArray[np.uint8], ir: NDArray[Any], rows: Sequence[int] | NDArray[np.int64]
    ) -> None:
        """As `read`, into arrays that are there: raw pixels and thermal values are copied once on their way.

        Args:
            rgb: (B, H, W, 3), its values side by side.
            ir: (B, h, w) of `ir_dtype`, likewise.
            rows: (B,).

        Raises:
            IndexError: there is no such row.
        """
        wanted = np.asarray(rows, dtype=np.int64)
        if wanted.size and not (wanted.min() >= 0 and wanted.max() < len(self)):
            raise IndexError(f"rows {wanted.min()}…{wanted.max()} of a store of {len(self)} pairs")
        shards = np.searchsorted(self._ends, wanted, side="right")
        inside = wanted - np.append(0, self._ends)[shards]
        # In the order of the disk: neighbouring rows share pages.
        order = np.argsort(wanted, kind="stable")
        for at in range(0, wanted.size, _AHEAD):
            places = order[at : at + _AHEAD]
            rows_of = [
                (self._shard(shard), row)
                for shard, row in zip(shards[places].tolist(), inside[places].tolist(), strict=True)
            ]
            for files, row in rows_of:
                files.want(row)
            for place, (files, row) in zip(places.tolist(), rows_of, strict=True):
                files.read_into(rgb[place], ir[place], row)

    def _shard(self, shard: int) -> _Shard:
        if shard not in self._open:
            if len(self._open) >= self._most_open:
                del self._open[next(iter(self._open))]
            self._open[shard] = self._opened(shard)
        return self._open[shard]

    def _opened(self, shard: int) -> _Shard:
        rgb, ir = (RowFile(part_path(self.shard_folder, part, shard)) for part in ("rgb", "ir"))
        raw = self.manifest["rgb_kind"] == "raw"
        shapes = ((*self.rgb_size, 3) if raw else (), self.ir_size)
        for part, file, shape in zip(("rgb", "ir"), (rgb, ir), shapes, strict=True):
            exact = part == "rgb" or self.encoding != "centikelvin" or file.dtype == np.uint16
            if file.row_shape != shape or not exact:
                raise changed(part_path(self.shard_folder, part, shard))
        if raw:
            return _Shard(rgb, None, ir)
        pairs = self.manifest["shards"][shard]["pairs"]
        ends = first_rows(part_path(self.shard_folder, "ends", shard), pairs)
        return _Shard(rgb, np.append(0, ends), ir)


def _allowed(shards: int) -> int:
    """How many shards may be open at a time; asks the system for as many files as that takes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = shards * _FILES + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return shards if soft == resource.RLIM_INFINITY else max(1, (soft - _OTHER_FILES) // _FILES)
