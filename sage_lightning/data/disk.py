"""What a disk refuses, said in one line: full, read-only, a quota, a file where a folder should be."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sage_lightning.errors import UserError

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


@contextmanager
def writing_below(folder: Path) -> Iterator[None]:
    """Whatever is written in this block lies below `paths.data_dir`.

    Raises:
        UserError: it could not be. What was there is whole: files are written under another name first.
    """
    try:
        yield
    except OSError as error:
        what = error.strerror or f"no room: {error}"  # NumPy says only how much it could write
        raise UserError(f"paths.data_dir={folder}: cannot be written ({what}); name another") from error


@contextmanager
def writing_run(folder: Path) -> Iterator[None]:
    """What is written in this block, if nothing else is said of it, lies in a run's own folder.

    Raises:
        UserError: there is no room, or no right to write.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        what = os.strerror(error.errno)  # Arrow's own text is longer, and says no more
        raise UserError(f"paths.output_dir: {folder} cannot be written ({what}); name another") from error
