"""What a disk refuses, said in one line: full, read-only, a quota, a file where a folder should be."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sage_lightning.errors import UserError


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
