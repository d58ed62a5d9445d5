"""Decoded pairs on disk, in shards: plain .npy files, and a JSON that vouches for them.

Of n pairs: `rgb-00000.npy` (n, H, W, 3) uint8, or all JPEGs one after the other, uint8, and
`ends-00000.npy` (n,) int64, where each of them ends; `ir-00000.npy` (n, h, w) uint16 or float32;
`moments-00000.npy` (n, 9) float64; `contents-00000.npy` (n, 2, 32) uint8.
The JSON is written last: a shard without it, or with files of other lengths, does not exist.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sage_lightning.data import centikelvin
from sage_lightning.errors import UserError

_LEVELS = np.arange(256, dtype=np.float64)

ALL = "all"  # the writer who writes whatever is missing, and not a part of it


class Frame(NamedTuple):
    """One decoded pair.

    Attributes:
        rgb: (H, W, 3), or the bytes of a JPEG.
        ir: (h, w) uint16 hundredths of a kelvin where they hold it exactly, else float32.
        moments: (9,) float64, see `moments`.
        content: (2, 32) the sha256 of both files as they are on disk.
    """

    rgb: NDArray[np.uint8]
    ir: NDArray[np.uint16] | NDArray[np.float32]
    moments: NDArray[np.float64]
    content: NDArray[np.uint8]


@dataclass(frozen=True)
class Note:
    """What a shard's JSON says.

    Attributes:
        places: how many pairs of the plan the shard has been made for.
        failed: reasons of those that could not be decoded, by place; the others lie in the files, in order.
        files: of each part, its "dtype", "bytes" and "sha256"; none where all have failed.
    """

    places: int
    failed: Mapping[int, str]
    files: Mapping[str, Mapping[str, Any]]

    @property
    def pairs(self) -> int:
        """How many lie in the files."""
        return self.places - len(self.failed)

    @property
    def kept(self) -> list[int]:
        """The places of those that lie in the files, in their order."""
        return [place for place in range(self.places) if place not in self.failed]

    @property
    def identity(self) -> str:
        """The same wherever the same files have been decoded into the same order; "" of a shard of none."""
        return str(self.files["contents"]["sha256"]) if self.files else ""


def moments(rgb: NDArray[np.uint8], ir: NDArray[np.float32]) -> NDArray[np.float64]:
    """Sums from which a mean and a standard deviation over any set of pairs follow.

    Args:
        rgb: (H, W, 3).
        ir: (h, w), NaN where missing.

    Returns:
        (9,): sums of red, green, blue in 0…255, sums of their squares, the number of thermal values,
        their sum, the sum of their squares.
    """
    # Counts of levels give the same whole numbers as sums over pixels, in a tenth of the time.
    counts = np.reshape(Image.fromarray(rgb).histogram(), (3, 256)).astype(np.float64)
    degrees = ir[~np.isnan(ir)].astype(np.float64)
    thermal = [degrees.size, degrees.sum(), np.square(degrees).sum()]
    return np.concatenate([counts @ _LEVELS, counts @ np.square(_LEVELS), thermal])


def part_path(folder: Path, part: str, shard: int) -> Path:
    """Where a part of a shard lies."""
    return folder / f"{part}-{shard:05d}.npy"


def write_shard(
    folder: Path, shard: int, frames: Sequence[Frame], failed: Mapping[int, str], writer: str = ALL
) -> Note:
    """Writes a shard, which exists from the moment this returns and not before.

    Args:
        folder: of shards.
        shard: its number, from 0.
        frames: the pairs that could be decoded, in order; may be none.
        failed: reasons by place of those that could not.
        writer: who writes; others may write the same shard at the same time, and with it the same bytes.
    """
    path = _note_path(folder, shard)
    path.unlink(missing_ok=True)
    files = {}
    if frames:
        # Replaced, not removed: who reads a shard while pairs are added to it finds it at all times.
        arrays = _arrays(frames)
        files = {
            part: _write_array(part_path(folder, part, shard), array, writer)
            for part, array in arrays.items()
        }
    note = Note(len(frames) + len(failed), dict(failed), files)
    write_json(path, asdict(note), writer)
    return note


def _arrays(frames: Sequence[Frame]) -> dict[str, NDArray[Any]]:
    exact = all(frame.ir.dtype == np.uint16 for frame in frames)
    arrays: dict[str, NDArray[Any]] = {
        "ir": np.stack([frame.ir if exact else as_float(frame.ir) for frame in frames]),
        "moments": np.stack([frame.moments for frame in frames]),
        "contents": np.stack([frame.content for frame in frames]),
    }
    pictures = [frame.rgb for frame in frames]
    if pictures[0].ndim == 3:
        return {"rgb": np.stack(pictures), **arrays}
    ends = np.cumsum([len(picture) for picture in pictures], dtype=np.int64)
    return {"rgb": np.concatenate(pictures), "ends": ends, **arrays}


def read_note(folder: Path, shard: int) -> Note | None:
    """What the shard's JSON says; None unless it is whole and its files are there, of the lengths it says."""
    try:
        said = json.loads(_note_path(folder, shard).read_text())
        sizes = {part: part_path(folder, part, shard).stat().st_size for part in said["files"]}
        if any(sizes[part] != file["bytes"] for part, file in said["files"].items()):
            return None
        return Note(said["places"], {int(place): why for place, why in said["failed"].items()}, said["files"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError):  # damaged, and then the shard is made again
        return None


def note_of(folder: Path, shard: int) -> Note:
    """What the JSON of a shard says that has been made.

    Raises:
        UserError: it is not there now: another command, of a part or by another path, makes it again.
    """
    note = read_note(folder, shard)
    if note is None:
        line = f"{folder}: another command makes shard {shard} again; give this one again when it is done"
        raise UserError(line)
    return note


def is_sound(folder: Path, shard: int, note: Note) -> bool:
    """Whether the shard's bytes are those that were written."""
    return all(
        sha256_of(part_path(folder, part, shard)) == file["sha256"] for part, file in note.files.items()
    )


def read_frames(folder: Path, shard: int, note: Note) -> list[Frame]:
    """The shard's pairs, in order; they lie on disk until they are looked at."""
    if not note.pairs:
        return []
    load = partial(np.load, mmap_mode="r", allow_pickle=False)
    arrays = {part: load(part_path(folder, part, shard)) for part in note.files}
    pictures = arrays["rgb"]
    if "ends" in arrays:
        pictures = np.split(pictures, arrays["ends"][:-1])
    return [
        Frame(*row) for row in zip(pictures, arrays["ir"], arrays["moments"], arrays["contents"], strict=True)
    ]


def read_contents(folder: Path, shard: int, note: Note) -> list[tuple[bytes, bytes]]:
    """The digests of both files of each of the shard's pairs."""
    if not note.pairs:
        return []
    digests = np.load(part_path(folder, "contents", shard), allow_pickle=False)
    return [(picture.tobytes(), thermal.tobytes()) for picture, thermal in digests]


def give_up(folder: Path, shard: int) -> None:
    """The shard does not exist any more."""
    _note_path(folder, shard).unlink(missing_ok=True)


def write_json(path: Path, content: Mapping[str, Any], writer: str = ALL) -> None:
    """Writes the file whole or not at all."""
    with _whole(path, writer) as file:
        text = json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n"
        file.write(text.encode())


def remove_unfinished(folder: Path, writer: str = ALL) -> None:
    """Removes what this writer had begun to write when it was stopped."""
    for path in folder.glob(f"*.{writer}.partial"):
        path.unlink()


def _write_array(path: Path, array: NDArray[Any], writer: str) -> dict[str, Any]:
    with _whole(path, writer) as file:
        np.save(file, array, allow_pickle=False)
    return {"dtype": array.dtype.name, "bytes": path.stat().st_size, "sha256": sha256_of(path)}


@contextmanager
def _whole(path: Path, writer: str) -> Iterator[IO[bytes]]:
    unfinished = path.with_suffix(f".{writer}.partial")
    with unfinished.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def as_float(ir: NDArray[Any]) -> NDArray[np.float32]:
    """Thermal values as shards keep them, as float32 in the collection's unit."""
    return centikelvin.decode(ir) if ir.dtype == np.uint16 else ir


def sha256_of(path: Path) -> str:
    """Of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _note_path(folder: Path, shard: int) -> Path:
    return folder / f"shard-{shard:05d}.json"
