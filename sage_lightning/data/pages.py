"""The pages of an .npy file, in memory as long as the system has room for them."""

import mmap
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sage_lightning.errors import UserError


class Pages:
    """A memory-mapped .npy file.

    Args:
        path: of the file.

    Attributes:
        array: a plain one over the pages: np.memmap does bookkeeping at every indexing.

    Raises:
        UserError: it is not there, or not what a shard is made of.
    """

    def __init__(self, path: Path) -> None:
        try:
            mapped = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise changed(path) from error
        self.array: NDArray[Any] = np.asarray(mapped)
        self._map: mmap.mmap = mapped.base
        self._first = len(self._map) - mapped.nbytes

    def want(self, start: int, stop: int) -> None:
        """Says that these rows are read soon: the disk brings them at once, not a few pages at a time."""
        row = self.array[0].nbytes
        begin = (self._first + start * row) // mmap.PAGESIZE * mmap.PAGESIZE
        self._map.madvise(mmap.MADV_WILLNEED, begin, self._first + stop * row - begin)


def changed(path: Path) -> UserError:
    """What is said of a file that is not what the store was made of."""
    return UserError(
        f"{path}: is missing or another one than when this run began; `sage-lightning prepare` makes it again"
    )
