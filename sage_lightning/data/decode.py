"""Files → shards: decodes what is not there yet; the number of processes that do it changes no byte."""

import multiprocessing
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from sage_lightning.data import centikelvin, quarantine
from sage_lightning.data.shards import SHARD_PAIRS, Frame, is_sound, moments, write_shard
from sage_lightning.data.sources import PairSource
from sage_lightning.progress import track

POOL_PAYS_FROM = 256  # pairs: starting a pool takes as long as decoding a few hundred small ones

Decode = Callable[[tuple[str, str]], Frame | str]


def decode_pairs(
    source: PairSource,
    pairs: pd.DataFrame,
    folder: Path,
    rgb_size: tuple[int, int],
    ir_size: tuple[int, int],
    workers: int,
) -> int:
    """Fills `folder` with shards of these pairs, in their order, and keeps the sound ones that it holds.

    Args:
        source: decodes one pair.
        pairs: `pair_id`, `rgb_path` and `ir_path` of what is to be decoded.
        folder: made if it is not there.
        rgb_size: (H, W) wanted.
        ir_size: (h, w); a thermal picture of another size is not used.
        workers: processes; 0 and 1 decode in this one.

    Returns:
        The number of shards.
    """
    folder.mkdir(exist_ok=True)
    parts = [pairs[start : start + SHARD_PAIRS] for start in range(0, len(pairs), SHARD_PAIRS)]
    missing = {shard: part for shard, part in enumerate(parts) if not is_sound(folder, shard)}
    total = sum(len(part) for part in missing.values())
    decode = partial(_decode, source, rgb_size, ir_size)
    # Spawned, not forked: PyTorch's threads may run here, and a fork takes their locks along but not them.
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, spawn) if workers > 1 and total >= POOL_PAYS_FROM else None
    if missing:
        with pool or nullcontext():
            for _ in track(_write_shards(missing, folder, decode, pool), "Decoding pairs", total):
                pass
    return len(parts)


def _write_shards(
    parts: Mapping[int, pd.DataFrame], folder: Path, decode: Decode, pool: ProcessPoolExecutor | None
) -> Iterator[None]:
    """Writes shard after shard; yields once a pair, so that progress can be shown."""
    for shard, part in parts.items():
        paths = zip(part["rgb_path"], part["ir_path"], strict=True)
        results = map(decode, paths) if pool is None else pool.map(decode, paths, chunksize=8)
        frames: list[Frame] = []
        failed: dict[str, str] = {}
        for pair_id, result in zip(part["pair_id"], results, strict=True):
            if isinstance(result, str):
                failed[pair_id] = result
            else:
                frames.append(result)
            yield
        write_shard(folder, shard, frames, failed)


def _decode(
    source: PairSource, rgb_size: tuple[int, int], ir_size: tuple[int, int], paths: tuple[str, str]
) -> Frame | str:
    """The decoded pair, or the reason why there is none."""
    try:
        rgb, ir = source.read(*paths, rgb_size)
    except quarantine.Unusable as error:
        return error.reason
    if ir.shape != ir_size:
        return quarantine.WRONG_SIZE
    if np.isnan(ir).all():
        return quarantine.ALL_NAN
    exact = centikelvin.encode(ir) if source.thermal_unit == "celsius" else None
    return Frame(rgb, ir if exact is None else exact, moments(rgb, ir))
