"""Rows of an .npy file, read by the kernel straight to where they are wanted.

Not by a memory map: each 64 kB of it that a process meets for the first time is an interruption, which makes
a pair of a million dearer than one of a thousand; and who looks at a map of a file that has been cut short is
killed.
"""

import os
import sys
import weakref
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from sage_lightning.errors import UserError


class RowFile:
    """An .npy file, open as long as this lives; any number of threads and forked processes may read at once.

    Args:
        path: of the file.

    Attributes:
        dtype: of a value.
        row_shape: of a row; () where rows are single values.

    Raises:
        UserError: it is not there, or not what a shard is made of.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with path.open("rb") as file:
                if npy.read_magic(file) != (1, 0):
                    raise changed(path)
                shape, by_columns, dtype = npy.read_array_header_1_0(file)
                self._first = file.tell()
                self._file = os.dup(file.fileno())
        except (OSError, ValueError) as error:
            raise changed(path) from error
        weakref.finalize(self, os.close, self._file)
        if not shape:  # a number, without rows
            raise changed(path)
        self.dtype: np.dtype[Any] = dtype
        self.row_shape: tuple[int, ...] = shape[1:]
        self._row = dtype.itemsize * int(np.prod(self.row_shape))
        if by_columns or os.fstat(self._file).st_size != self._first + shape[0] * self._row:
            raise changed(path)

    def want(self, start: int, stop: int) -> None:
        """Says that these rows are read soon: the disk brings them at once, beside others that are wanted."""
        if sys.platform == "linux":  # macOS has no such call, and reads on without it
            begin, length = self._first + start * self._row, (stop - start) * self._row
            os.posix_fadvise(self._file, begin, length, os.POSIX_FADV_WILLNEED)

    def read_into(self, rows: NDArray[Any], start: int) -> None:
        """Fills an array with the rows from `start` on: one copy, from the system's cache of the file.

        Args:
            rows: (n, *row_shape), or (*row_shape) for one; of the file's dtype, its values side by side.
            start: the first row.

        Raises:
            UserError: the file ends before.
        """
        left = memoryview(rows.data).cast("B")
        at = self._first + start * self._row
        while left:
            got = os.preadv(self._file, [left], at)
            if not got:
                raise changed(self._path)
            left, at = left[got:], at + got


def first_rows(path: Path, count: int) -> NDArray[Any]:
    """The first rows of a small file, all at once.

    Raises:
        UserError: it is not there, or another one, with fewer rows.
    """
    try:
        found: NDArray[Any] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise changed(path) from error
    if not found.ndim or len(found) < count:
        raise changed(path)
    return found[:count]


def changed(path: Path) -> UserError:
    """What is said of a file that is not what the store was made of."""
    return UserError(
        f"{path}: is missing or another one than when this run began; `sage-lightning prepare` makes it again"
    )
