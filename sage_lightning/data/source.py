"""What a collection of pairs is to the rest of the package: it lists its pairs, and decodes one at a time."""

from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from sage_lightning.data.facts import Facts
from sage_lightning.data.scan import Scan
from sage_lightning.data.split import Split
from sage_lightning.sage.nodes import NodeTable


class PairFiles(NamedTuple):
    """What a source needs to decode a pair: its row of the index, in part.

    Attributes:
        rgb_path: from the collection's root.
        ir_path: likewise.
        node: as in the index.
        time_ns: nanoseconds since 1970, UTC; `NO_TIME` where it is not known.
    """

    rgb_path: str
    ir_path: str
    node: str
    time_ns: int


class PairSource(Protocol):
    """A collection of pairs. It is sent to the processes that decode, so it must pickle, and be small.

    Attributes:
        root: the folder that an index's paths start from.
        dated: whether a file that was modified at another time is another one, even of the same length.
        thermal_unit: what a thermal value means: "celsius", "kelvin", "counts" or "display".
        ir_size: (h, w) of every thermal picture that `read` gives; None where the index tells.
        thermal_size: (h, w) that the user wants, of a collection whose index tells; None where it is to tell.
        nodes: where the nodes stood, as far as anyone knows; of a simulated camera once it has been scanned.
        recipe: everything but the files that decides what `read` gives; plain values, ready for JSON.
        places: everything but the files that decides an index's places and times, likewise.
    """

    root: Path
    dated: bool
    thermal_unit: str
    ir_size: tuple[int, int] | None
    thermal_size: tuple[int, int] | None
    nodes: NodeTable
    recipe: dict[str, Any]
    places: list[Any]

    def columns(self) -> list[str]:
        """The columns that an index has once all is done, said before any file of a pair is looked at."""
        ...

    def scan(self, cache_dir: Path | None = None) -> Scan:
        """Lists and pairs the files; the index has place, time and, where there are any, label columns.

        Args:
            cache_dir: where a listing may be kept, so that what has not changed is not looked at again.
        """
        ...

    def facts(self, cache_dir: Path) -> Facts:
        """Where what decoding tells of the collection's files is kept."""
        ...

    def split(self, index: pd.DataFrame, split: Split) -> pd.Series:
        """The split of every row of the index, see `dealt`; each kind of source has groups of its own."""
        ...

    def read(
        self, pair: PairFiles, size: tuple[int, int]
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
        """Decodes one pair.

        Args:
            pair: its files.
            size: (H, W) of the RGB picture wanted.

        Returns:
            rgb: (H, W, 3), the field of view that the thermal picture has.
            ir: (h, w) in `thermal_unit`, NaN where missing.

        Raises:
            Unusable: a file is damaged, or cannot be read now.
        """
        ...

    def read_picture(self, rgb_path: str, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
        """(H, W, 3): a picture alone, whoever took it; see `read`."""
        ...

    def read_thermal(self, ir_path: str) -> npt.NDArray[np.float32]:
        """The thermal picture alone; see `read`."""
        ...
