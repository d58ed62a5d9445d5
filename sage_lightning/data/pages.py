"""Rows of a .npy file, read straight into where they are wanted.

The system copies a row's bytes in one go. A memory map would bring them a few pages at a time, and stop for
each few that a process meets for the first time.
"""

import os
import weakref
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sage_lightning.errors import UserError


class Pages:
    """An open .npy file; threads and forked processes may read it at the same time.

    Args:
        path: of the file.

    Attributes:
        path: likewise.
        shape: of the whole array.
        dtype: of its numbers.

    Raises:
        UserError: it is not there, or not what a shard is made of.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            weakref.finalize(self, os.close, self._file)
            with open(self._file, "rb", closefd=False) as file:
                np.lib.format.read_magic(file)
                self.shape, _, self.dtype = np.lib.format.read_array_header_1_0(file)
                self._start = file.tell()
        except (OSError, ValueError) as error:
            raise changed(path) from error
        self._row_bytes = int(np.prod(self.shape[1:], dtype=np.int64)) * self.dtype.itemsize

    def read_into(self, out: NDArray[Any], row: int) -> None:
        """Fills `out`, which is contiguous and of this file's type, from this row on.

        Raises:
            UserError: the file has become shorter.
        """
        left = out.data.cast("B")
        at = self._start + row * self._row_bytes
        while len(left):
            if not (read := os.preadv(self._file, [left], at)):
                raise changed(self.path)
            left, at = left[read:], at + read


def changed(path: Path) -> UserError:
    """What is said of a file that is not what the store was made of."""
    return UserError(
        f"{path}: is missing or another one than when this run began; `sage-lightning prepare` makes it again"
    )
