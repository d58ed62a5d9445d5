"""What lies in a folder: names and sizes of all files below it, and nothing read of any of them.

A listing of two million files takes a few hundred megabytes: names are kept in Arrow arrays, by folder.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sage_lightning.errors import UserError


@dataclass(frozen=True)
class Folder:
    """The files of one folder, sorted by name.

    Attributes:
        path: from the collection's root, `/` between parts; "" for the root itself.
        names: large strings.
        sizes: bytes, as many as names.
        digest: of path, names and sizes: the same wherever the collection lies.
    """

    path: str
    names: pa.LargeStringArray
    sizes: NDArray[np.int64]
    digest: str

    def paths(self) -> pa.LargeStringArray:
        """From the collection's root."""
        if not self.path:
            return self.names
        text = pa.large_string()
        return pc.binary_join_element_wise(pa.scalar(self.path, text), self.names, pa.scalar("/", text))

    def only(self, rows: NDArray[np.int64]) -> "Folder":
        """Some of its files; the digest stays the whole folder's."""
        return replace(self, names=self.names.take(pa.array(rows)), sizes=self.sizes[rows])


def list_folders(root: Path) -> list[Folder]:
    """Every folder below `root` that holds a file, links included, sorted by path; see `folders_of`."""
    return sorted(folders_of(root), key=lambda folder: folder.path)


def folders_of(root: Path) -> Iterator[Folder]:
    """One folder after the other, as they are found.

    A folder that links lead to twice, or in a circle, is entered once.

    Raises:
        UserError: a folder cannot be listed; a listing without it would call its files gone.
    """
    start = str(root)
    for folder, names, sizes in _walk(start):
        if names:
            path = os.path.relpath(folder, start)
            yield _folder("" if path == "." else _text(path.replace(os.sep, "/")), names, sizes)


def _folder(path: str, names: list[str], sizes: list[int]) -> Folder:
    try:
        texts = pa.array(names, pa.large_string())
    except UnicodeEncodeError:  # a name that is no Unicode cannot stand in a table; its bytes are spelt out
        texts = pa.array(
            [name.encode(errors="backslashreplace").decode() for name in names], pa.large_string()
        )
    order = pc.sort_indices(texts)
    texts, lengths = texts.take(order), np.array(sizes, dtype="<i8")[order.to_numpy()]
    digest = hashlib.sha256(path.encode())
    _, ends, letters = texts.buffers()
    for part in (ends, letters, lengths):
        digest.update(part)
    return Folder(path, texts, lengths, digest.hexdigest())


def _text(name: str) -> str:
    """A name that can stand in a table: where it is no Unicode, its bytes are spelt out."""
    return name.encode(errors="backslashreplace").decode()


def names_of(root: Path) -> Iterator[tuple[str, str]]:
    """(folder, name) of each file, as the disk gives them, for who needs to see a few of millions."""
    for folder, descriptor, below in _folders(str(root)):
        name = folder.rpartition("/")[2]
        with os.scandir(descriptor) as entries:
            for entry in entries:
                if entry.is_file():
                    yield name, entry.name
                elif entry.is_dir():
                    below(entry)


def _walk(start: str) -> Iterator[tuple[str, list[str], list[int]]]:
    """Each folder with the names and sizes of its files, unsorted."""
    for folder, descriptor, below in _folders(start):
        names: list[str] = []
        sizes: list[int] = []
        with os.scandir(descriptor) as entries:
            for entry in entries:
                if entry.is_file():
                    try:
                        sizes.append(entry.stat().st_size)
                    except FileNotFoundError:
                        continue  # it vanished while the folder was read
                    names.append(entry.name)
                elif entry.is_dir():
                    below(entry)
        yield folder, names, sizes


def _folders(start: str) -> Iterator[tuple[str, int, Callable[[os.DirEntry[str]], None]]]:
    """Each folder, open, and what takes the folders in it; those that links lead to come last."""
    folders = [start]
    links: list[str] = []
    entered = set()
    while folders or links:
        if not folders:
            links.sort(reverse=True)
            folders.append(links.pop())
        folder = folders.pop()

        def below(entry: os.DirEntry[str], folder: str = folder) -> None:
            (links if entry.is_symlink() else folders).append(f"{folder}/{entry.name}")

        try:
            with _opened(folder) as descriptor:
                status = os.fstat(descriptor)
                if (status.st_dev, status.st_ino) not in entered:
                    entered.add((status.st_dev, status.st_ino))
                    yield folder, descriptor, below
        except FileNotFoundError:
            if folder == start:
                raise UserError(f"data.root={start}: no such folder") from None
            # It vanished while the others were read, and its files with it.
        except OSError as error:
            raise UserError(f"data.root: {folder} cannot be listed ({error.strerror})") from error


@contextmanager
def _opened(folder: str) -> Iterator[int]:
    """A folder's descriptor: asked of it, a file's size takes half as long as by the file's whole path."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
