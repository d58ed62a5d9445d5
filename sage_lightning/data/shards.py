"""Decoded pairs on disk, in shards: each is three plain .npy files, and a JSON that vouches for them.

Of n pairs: `rgb-00000.npy` (n, H, W, 3) uint8; `ir-00000.npy` (n, h, w) uint16 or float32;
`moments-00000.npy` (n, 9) float64.
The JSON is written last: a shard without it, or with files of other lengths, does not exist.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sage_lightning.data import centikelvin

SHARD_PAIRS = 512
PARTS = ("rgb", "ir", "moments")


class Frame(NamedTuple):
    """One decoded pair.

    Attributes:
        rgb: (H, W, 3).
        ir: (h, w) uint16 hundredths of a kelvin where they hold it exactly, else float32.
        moments: (9,) float64, see `moments`.
        content: hashes of both files as they are on disk.
    """

    rgb: NDArray[np.uint8]
    ir: NDArray[np.uint16] | NDArray[np.float32]
    moments: NDArray[np.float64]
    content: tuple[str, str]


def moments(rgb: NDArray[np.uint8], ir: NDArray[np.float32]) -> NDArray[np.float64]:
    """Sums from which a mean and a standard deviation over any set of pairs follow.

    Args:
        rgb: (H, W, 3).
        ir: (h, w), NaN where missing.

    Returns:
        (9,): sums of red, green, blue in 0…255, sums of their squares, the number of thermal values,
        their sum, the sum of their squares.
    """
    colours = rgb.reshape(-1, 3).astype(np.float64)
    degrees = ir[~np.isnan(ir)].astype(np.float64)
    thermal = [degrees.size, degrees.sum(), np.square(degrees).sum()]
    return np.concatenate([colours.sum(0), np.square(colours).sum(0), thermal])


def part_path(folder: Path, part: str, shard: int) -> Path:
    """Where a part of a shard lies."""
    return folder / f"{part}-{shard:05d}.npy"


def write_shard(
    folder: Path,
    shard: int,
    frames: list[Frame],
    failed: dict[str, str],
    contents: dict[str, tuple[str, str]],
) -> None:
    """Writes a shard, which exists from the moment this returns and not before.

    Args:
        folder: the store.
        shard: its number, from 0.
        frames: the pairs that could be decoded, in order; may be none.
        failed: reasons by pair id of those that could not.
        contents: hashes of both files by pair id of those that could, in the same order.
    """
    note = _note_path(folder, shard)
    note.unlink(missing_ok=True)
    for part in PARTS:
        part_path(folder, part, shard).unlink(missing_ok=True)
    files = {}
    if frames:
        exact = all(frame.ir.dtype == np.uint16 for frame in frames)
        thermal = [frame.ir if exact else _as_float(frame.ir) for frame in frames]
        arrays = {
            "rgb": np.stack([frame.rgb for frame in frames]),
            "ir": np.stack(thermal),
            "moments": np.stack([frame.moments for frame in frames]),
        }
        files = {part: _write_array(part_path(folder, part, shard), array) for part, array in arrays.items()}
    write_json(note, {"pairs": len(frames), "failed": failed, "contents": contents, "files": files})


def read_note(folder: Path, shard: int) -> dict[str, Any] | None:
    """What the shard's JSON says: `pairs`, `failed`, `contents`, `files`. None unless all of it is there."""
    note = _note_path(folder, shard)
    if not note.is_file():
        return None
    said: dict[str, Any] = json.loads(note.read_text())
    for part, file in said["files"].items():
        path = part_path(folder, part, shard)
        if not path.is_file() or path.stat().st_size != file["bytes"]:
            return None
    return said


def forget_otherwise(folder: Path, failed: Mapping[str, str], contents: Mapping[str, Sequence[str]]) -> int:
    """Gives up shards of which a later look has told otherwise, so that they are decoded again.

    Args:
        folder: of shards; may be missing.
        failed: reasons by pair id of pairs that cannot be used, as of now.
        contents: hashes of both files by pair id of the others.

    Returns:
        How many shards are given up.
    """
    given_up = 0
    for path in sorted(folder.glob("shard-*.json")):
        said = json.loads(path.read_text())
        ids = said["failed"].keys() | said["contents"].keys()
        same = said["failed"] == {name: failed[name] for name in ids if name in failed} and all(
            list(contents.get(name, ())) == list(files) for name, files in said["contents"].items()
        )
        if not same:
            path.unlink()
            given_up += 1
    return given_up


def is_sound(folder: Path, shard: int) -> bool:
    """Whether the shard is there and its bytes are those that were written."""
    note = read_note(folder, shard)
    return note is not None and all(
        sha256_of(part_path(folder, part, shard)) == file["sha256"] for part, file in note["files"].items()
    )


def in_one_encoding(folder: Path, count: int) -> list[dict[str, Any]]:
    """The notes of all shards, once their thermal parts are of one type: float32 if any shard needs it."""
    notes = [note for shard in range(count) if (note := read_note(folder, shard)) is not None]
    assert len(notes) == count
    types = {note["files"]["ir"]["dtype"] for note in notes if note["pairs"]}
    if len(types) > 1:
        for shard, note in enumerate(notes):
            if note["pairs"] and note["files"]["ir"]["dtype"] == "uint16":
                path = part_path(folder, "ir", shard)
                note["files"]["ir"] = _write_array(path, _as_float(np.load(path, allow_pickle=False)))
                write_json(_note_path(folder, shard), note)
    return notes


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Writes the file whole or not at all."""
    partial = path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8") as file:
        file.write(json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _write_array(path: Path, array: NDArray[Any]) -> dict[str, Any]:
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        np.save(file, array, allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    return {"dtype": array.dtype.name, "bytes": path.stat().st_size, "sha256": sha256_of(path)}


def _as_float(ir: NDArray[Any]) -> NDArray[np.float32]:
    return centikelvin.decode(ir) if ir.dtype == np.uint16 else ir


def sha256_of(path: Path) -> str:
    """Of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _note_path(folder: Path, shard: int) -> Path:
    return folder / f"shard-{shard:05d}.json"
