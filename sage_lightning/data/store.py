"""The store: decoded pairs in memory-mapped shards, read in any order by any number of processes.

A store is a folder with `index.parquet` and `manifest.json`; its pixels lie in the folder of shards that the
manifest names, which stores of other splits share.
"""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sage_lightning.data.select import selected
from sage_lightning.data.shards import part_path

# Each open shard holds two file descriptors, of which a process often has no more than 1024.
OPEN_SHARDS = 256


class PairStore:
    """A collection as training reads it. It pickles as its folder's name; files are opened when first read.

    Args:
        folder: what `prepare` has made.
        select: which pairs are used, see `sage_lightning.data.select`; None for all.
    """

    def __init__(self, folder: Path, select: str | None = None) -> None:
        self.folder = Path(folder)
        self.select = select
        self.manifest: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text())
        self.shard_folder = self.folder.parent / self.manifest["decoded"]
        self._ends = np.cumsum(self.manifest["shard_pairs"])
        self._open: dict[int, tuple[NDArray[Any], NDArray[Any]]] = {}

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
            np.load(part_path(self.shard_folder, "moments", shard), allow_pickle=False)
            for shard, pairs in enumerate(self.manifest["shard_pairs"])
            if pairs
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
        wanted = np.asarray(rows, dtype=np.int64)
        if wanted.size and not (wanted.min() >= 0 and wanted.max() < len(self)):
            raise IndexError(f"rows {wanted.min()}…{wanted.max()} of a store of {len(self)} pairs")
        rgb = np.empty((wanted.size, *self.rgb_size, 3), np.uint8)
        ir = np.empty(
            (wanted.size, *self.ir_size), np.uint16 if self.encoding == "centikelvin" else np.float32
        )
        shards = np.searchsorted(self._ends, wanted, side="right")
        # In the order of the disk: neighbouring rows share pages.
        for place in np.argsort(wanted, kind="stable").tolist():
            shard = int(shards[place])
            shard_rgb, shard_ir = self._shard(shard)
            row = int(wanted[place]) - (int(self._ends[shard - 1]) if shard else 0)
            rgb[place] = shard_rgb[row]
            ir[place] = shard_ir[row]
        return rgb, ir

    def _shard(self, shard: int) -> tuple[NDArray[Any], NDArray[Any]]:
        if shard not in self._open:
            if len(self._open) >= OPEN_SHARDS:
                del self._open[next(iter(self._open))]
            rgb, ir = (
                np.load(part_path(self.shard_folder, part, shard), mmap_mode="r", allow_pickle=False)
                for part in ("rgb", "ir")
            )
            # Plain arrays over the same pages: np.memmap does bookkeeping at every indexing.
            self._open[shard] = (np.asarray(rgb), np.asarray(ir))
        return self._open[shard]
