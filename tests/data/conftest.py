"""A small store on disk, written with the package's own writers."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sage_lightning.data.centikelvin import encode
from sage_lightning.data.shards import Frame, moments, write_json, write_shard
from sage_lightning.data.store import FORMAT, PairStore

SPLITS = {"train": 42, "val": 7, "test": 3}


def write_store(folder: Path, rgb_size: tuple[int, int], ir_size: tuple[int, int]) -> PairStore:
    """Random pixels, but pair i's first RGB pixel is i; one value in fifty is missing in every third pair."""
    rng = np.random.default_rng(0)
    n = sum(SPLITS.values())
    frames = []
    for pair in range(n):
        rgb = rng.integers(0, 256, (*rgb_size, 3), dtype=np.uint8)
        rgb[0, 0] = pair
        degrees = (rng.integers(-6000, 4000, ir_size) / 100).astype(np.float32)
        if pair % 3 == 0:
            degrees[rng.random(ir_size) < 0.02] = np.nan
        code = encode(degrees)
        assert code is not None
        frames.append(Frame(rgb, code, moments(rgb, degrees), np.full((2, 32), pair, np.uint8)))
    shards = [frames[: n // 2], frames[n // 2 :]]
    (folder / "decoded").mkdir()
    notes = [write_shard(folder / "decoded", number, shard, {}) for number, shard in enumerate(shards)]
    # Splits are interleaved: a row of a split is not a row of the store.
    split = np.repeat(list(SPLITS), list(SPLITS.values()))[rng.permutation(n)]
    index = pd.DataFrame(
        {"pair_id": [f"camera-{pair:03d}" for pair in range(n)], "split": split, "store_row": range(n)}
    )
    (folder / "store").mkdir()
    index.to_parquet(folder / "store" / "index.parquet")
    manifest = {
        "format": FORMAT,
        "decoded": "decoded",
        "shards": [{"pairs": note.pairs, "identity": note.identity} for note in notes],
        "rgb_kind": "raw",
        "encoding": "centikelvin",
        "rgb_size": rgb_size,
        "ir_size": ir_size,
    }
    write_json(folder / "store" / "manifest.json", manifest)
    return PairStore(folder / "store")


@pytest.fixture(scope="session")
def small_store(tmp_path_factory: pytest.TempPathFactory) -> PairStore:
    return write_store(tmp_path_factory.mktemp("small_store"), rgb_size=(12, 16), ir_size=(9, 12))
