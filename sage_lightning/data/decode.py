"""Files → shards: decodes what is not there yet; the number of processes that do it changes no byte."""

import multiprocessing
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from sage_lightning.data import centikelvin, quarantine
from sage_lightning.data.files import NO_TIME
from sage_lightning.data.shards import SHARD_PAIRS, Frame, is_sound, moments, sha256_of, write_shard
from sage_lightning.data.source import PairFiles, PairSource
from sage_lightning.progress import track

POOL_PAYS_FROM = 256  # pairs: starting a pool takes as long as decoding a few hundred small ones

Decode = Callable[[PairFiles], Frame | str]


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
        pairs: what is to be decoded, rows of an index.
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
    if missing:
        with _pool(workers, total) as pool:
            for _ in track(_write_shards(missing, folder, decode, pool), "Decoding pairs", total):
                pass
    return len(parts)


def decoded_again(
    source: PairSource, pairs: pd.DataFrame, rgb_size: tuple[int, int], ir_size: tuple[int, int], workers: int
) -> tuple[dict[str, str], dict[str, tuple[str, str]]]:
    """Decodes pairs and keeps nothing but what it tells of them; arguments as for `decode_pairs`.

    Returns:
        failed: reasons by pair id of those that cannot be used.
        contents: hashes of both files by pair id of the others.
    """
    decode = partial(_decode, source, rgb_size, ir_size)
    failed: dict[str, str] = {}
    contents: dict[str, tuple[str, str]] = {}
    with _pool(workers, len(pairs)) as pool:
        results = _mapped(pool, decode, pair_files_of(pairs))
        named = zip(pairs["pair_id"], track(results, "Looking at files", len(pairs)), strict=True)
        for pair_id, result in named:
            if isinstance(result, str):
                failed[pair_id] = result
            else:
                contents[pair_id] = result.content
    return failed, contents


def _pool(workers: int, pairs: int) -> AbstractContextManager[ProcessPoolExecutor | None]:
    """Processes that decode; none where they would not pay."""
    if workers <= 1 or pairs < POOL_PAYS_FROM:
        return nullcontext()
    # Spawned, not forked: PyTorch's threads may run here, and a fork takes their locks along but not them.
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"))


def _mapped(
    pool: ProcessPoolExecutor | None, decode: Decode, pairs: list[PairFiles]
) -> Iterator[Frame | str]:
    return map(decode, pairs) if pool is None else pool.map(decode, pairs, chunksize=8)


def _write_shards(
    parts: Mapping[int, pd.DataFrame], folder: Path, decode: Decode, pool: ProcessPoolExecutor | None
) -> Iterator[None]:
    """Writes shard after shard; yields once a pair, so that progress can be shown."""
    for shard, part in parts.items():
        results = _mapped(pool, decode, pair_files_of(part))
        frames: list[Frame] = []
        contents: dict[str, tuple[str, str]] = {}
        failed: dict[str, str] = {}
        for pair_id, result in zip(part["pair_id"], results, strict=True):
            if isinstance(result, str):
                failed[pair_id] = result
            else:
                frames.append(result)
                contents[pair_id] = result.content
            yield
        write_shard(folder, shard, frames, failed, contents)


def pair_files_of(pairs: pd.DataFrame) -> list[PairFiles]:
    """What a source needs to decode these rows of an index."""
    times = pairs["time"].dt.as_unit("ns").astype("int64").where(pairs["time"].notna(), NO_TIME)
    columns = (pairs["rgb_path"], pairs["ir_path"], pairs["node"], times)
    return [PairFiles(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def _decode(
    source: PairSource, rgb_size: tuple[int, int], ir_size: tuple[int, int], pair: PairFiles
) -> Frame | str:
    """The decoded pair, or the reason why there is none."""
    try:
        rgb, ir = source.read(pair, rgb_size)
    except quarantine.Unusable as error:
        return error.reason
    if ir.shape != ir_size:
        return quarantine.WRONG_SIZE
    if np.isnan(ir).all():
        return quarantine.ALL_NAN
    if np.nanmin(ir) == np.nanmax(ir):
        return quarantine.FLAT
    exact = centikelvin.encode(ir) if source.thermal_unit == "celsius" else None
    content = (sha256_of(source.root / pair.rgb_path), sha256_of(source.root / pair.ir_path))
    return Frame(rgb, ir if exact is None else exact, moments(rgb, ir), content)
