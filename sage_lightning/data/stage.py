"""A store on a disk of the node's own: copied there once, and read from there."""

import os
import shutil
from pathlib import Path

from filelock import FileLock

from sage_lightning.data.store import PairStore
from sage_lightning.errors import UserError
from sage_lightning.progress import track

_ROOM = 1.02  # of what is copied: a disk that is full to the last byte serves no one


def staged(store: PairStore, stage: Path) -> PairStore:
    """The store as it lies below `stage`, copied first if it is not there.

    Of the processes of a node, which may all ask at the same time, one copies and the others wait. Only whole
    files have their names; a copy that was stopped goes on where it was.

    Args:
        store: what is copied.
        stage: a folder on the node's own disk; made if it is not there.

    Raises:
        UserError: it cannot be written, or has no room.
    """
    try:
        stage.mkdir(parents=True, exist_ok=True)
        with FileLock(stage / f"{store.folder.name}.lock"):
            _copy(store, stage)
    except OSError as error:
        raise UserError(
            f"paths.stage={stage}: cannot be written ({error.strerror or error}); name another"
        ) from error
    return PairStore(stage / store.folder.name, store.select)


def _copy(store: PairStore, stage: Path) -> None:
    origin = store.folder.parent
    # What says that the store is there comes last.
    files = [*reversed(store.files)]
    missing = [path for path in files if not _same(path, stage / path.relative_to(origin))]
    wanted, free = sum(path.stat().st_size for path in missing), shutil.disk_usage(stage).free
    if wanted * _ROOM > free:
        raise UserError(
            f"paths.stage={stage} has {free / 1e9:.2f} GB free, and the store takes {wanted / 1e9:.2f} more"
        )
    for path in track(missing, "Copying the store", len(missing)):
        copy = stage / path.relative_to(origin)
        copy.parent.mkdir(exist_ok=True)
        partial = copy.with_suffix(".partial")
        shutil.copyfile(path, partial)
        os.utime(partial, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
        partial.replace(copy)


def _same(path: Path, copy: Path) -> bool:
    """Whether the copy is of the file as it is now."""
    try:
        there = copy.stat()
    except FileNotFoundError:
        return False
    now = path.stat()
    return (now.st_size, now.st_mtime_ns) == (there.st_size, there.st_mtime_ns)
