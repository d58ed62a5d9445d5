"""Noise in the place of decoded pairs: what a step needs does not depend on what they show."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sage_lightning.data.store import PairStore

_PICTURES = 16  # different ones


class SyntheticStore(PairStore):
    """A store that is nowhere; all of its pairs are for training.

    Args:
        pairs: how many.
        rgb_size: (H, W) in pixels.
        ir_size: (h, w) likewise.
        thermal_unit: of the collection that it stands for.
    """

    def __init__(
        self, pairs: int, rgb_size: tuple[int, int], ir_size: tuple[int, int], thermal_unit: str
    ) -> None:
        self.pairs = pairs
        self.select = None
        self.manifest: dict[str, Any] = {
            "rgb_size": rgb_size,
            "ir_size": ir_size,
            "encoding": "centikelvin" if thermal_unit == "celsius" else "float32",
            "thermal_unit": thermal_unit,
            "index_hash": "",
        }

    def __len__(self) -> int:
        return self.pairs

    @cached_property
    def index(self) -> pd.DataFrame:
        """All pairs, by number."""
        numbers = np.arange(self.pairs)
        return pd.DataFrame({"pair_id": numbers.astype(str), "split": "train", "store_row": numbers})

    @cached_property
    def statistics(self) -> dict[str, dict[str, list[float]]]:
        """Of no collection."""
        return {"rgb": {"mean": [0.5] * 3, "std": [0.25] * 3}, "ir": {"mean": [10.0], "std": [10.0]}}

    def read_into(
        self, rgb: NDArray[np.uint8], ir: NDArray[Any], rows: Sequence[int] | NDArray[np.int64]
    ) -> None:
        """See `PairStore.read_into`."""
        pictures, frames = self._noise
        wanted = np.asarray(rows, dtype=np.int64) % _PICTURES
        rgb[:], ir[:] = pictures[wanted], frames[wanted]

    @cached_property
    def _noise(self) -> tuple[NDArray[np.uint8], NDArray[Any]]:
        rng = np.random.default_rng(0)
        rgb = rng.integers(0, 256, (_PICTURES, *self.rgb_size, 3), dtype=np.uint8)
        ir = rng.uniform(27_000, 30_000, (_PICTURES, *self.ir_size))
        if self.encoding == "centikelvin":
            return rgb, ir.astype(np.uint16)
        return rgb, ir.astype(np.float32)
