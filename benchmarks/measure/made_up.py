"""Stores of made-up pairs: noise of real sizes, in the files that `prepare` writes, any number of pairs.

Beyond a few shards the files are links to those: a million pairs take no more room than a thousand, and a
reader opens and reads each of them as if it were its own.
"""

import os
from pathlib import Path

import numpy as np

from sage_lightning.data.plan import SHARD_PAIRS
from sage_lightning.data.shards import Frame, Note, moments, part_path, write_json, write_shard
from sage_lightning.data.store import FORMAT, PairStore

RGB_SIZE, IR_SIZE = (288, 384), (252, 336)
PARTS = ("rgb", "ir", "moments", "contents")


def frame(number: int) -> Frame:
    """Noise that does not compress, as pixels of real pictures hardly do."""
    random = np.random.default_rng(number)
    rgb = np.frombuffer(random.bytes(RGB_SIZE[0] * RGB_SIZE[1] * 3), np.uint8).reshape(*RGB_SIZE, 3)
    ir = random.integers(25000, 31000, IR_SIZE, dtype=np.uint16)
    content = np.frombuffer(random.bytes(64), np.uint8).reshape(2, 32)
    return Frame(rgb, ir, moments(rgb, ir.astype(np.float32)), content)


def write_shards(folder: Path, own: int) -> list[Note]:
    """So many shards with pixels of their own, in `folder`/decoded."""
    (folder / "decoded").mkdir(parents=True)
    return [
        write_shard(
            folder / "decoded",
            shard,
            [frame(shard * SHARD_PAIRS + place) for place in range(SHARD_PAIRS)],
            {},
        )
        for shard in range(own)
    ]


def link_shards(folder: Path, notes: list[Note], pairs: int) -> None:
    """Links to the first shards, until there are so many pairs."""
    shards = folder / "decoded"
    for shard in range(len(notes), -(-pairs // SHARD_PAIRS)):
        for part in PARTS:
            os.link(part_path(shards, part, shard % len(notes)), part_path(shards, part, shard))
        os.link(shards / f"shard-{shard % len(notes):05d}.json", shards / f"shard-{shard:05d}.json")


def store_of(folder: Path, notes: list[Note], pairs: int) -> PairStore:
    """The first shards, whole ones, of at least so many pairs; it has no index."""
    said = [{"pairs": note.pairs, "identity": note.identity} for note in notes]
    store = folder / f"store-{pairs}"
    store.mkdir()
    manifest = {
        "format": FORMAT,
        "decoded": "decoded",
        "shards": [said[shard % len(said)] for shard in range(-(-pairs // SHARD_PAIRS))],
        "encoding": "centikelvin",
        "thermal_unit": "celsius",
        "rgb_size": RGB_SIZE,
        "rgb_kind": "raw",
        "ir_size": IR_SIZE,
    }
    write_json(store / "manifest.json", manifest)
    return PairStore(store)
