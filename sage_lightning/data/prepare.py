"""Collection → store: every file is decoded once, on first use, and never again.

    decoded-<hash of files, recipe and sizes>/   shards of decoded pairs; kept when work is interrupted
    store-<hash of that, index and split>/       index.parquet and manifest.json, written last

So another split, other labels or another node table decode nothing again.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock

from sage_lightning.data.decode import decode_pairs
from sage_lightning.data.disk import writing_below
from sage_lightning.data.index import COLUMNS, index_hash, label_columns, place_hash, summary
from sage_lightning.data.scan import Scan
from sage_lightning.data.select import check_columns
from sage_lightning.data.shards import in_one_encoding, read_note, write_json
from sage_lightning.data.source import PairSource
from sage_lightning.data.split import Split
from sage_lightning.data.store import PairStore
from sage_lightning.data.strata import check_strata
from sage_lightning.data.verdicts import settled
from sage_lightning.errors import UserError
from sage_lightning.sage.celsius import CelsiusError, header_size

FORMAT = 3  # of what is written; another number makes every store again


def prepare(
    source: PairSource,
    cache_dir: Path,
    rgb_store_size: tuple[int, int],
    split: Split,
    workers: int,
    select: str | None = None,
    balance: Sequence[str] | None = None,
) -> PairStore:
    """The store of a collection, made first if it is not there or not whole.

    Any number of processes may ask for one store at the same time: the first makes it and the others wait.

    Args:
        source: the collection.
        cache_dir: where stores are kept.
        rgb_store_size: (H, W) in pixels at which RGB is kept.
        split: how pairs are dealt to training, validation and test.
        workers: processes that decode; 0 and 1 decode in this one. They change no byte.
        select: which pairs of the store are used; the store holds them all.
        balance: columns that training is to be balanced by, which must be there before hours of decoding.

    Raises:
        UserError: there is no usable pair, the split is impossible, or a column is not there.
    """
    cache_dir = Path(cache_dir)
    scan = source.scan(cache_dir)
    pairs = _usable(scan.index, source)
    rgb_size = (int(rgb_store_size[0]), int(rgb_store_size[1]))
    ir_size = source.ir_size or thermal_size(source.root, pairs)
    decoded = decoded_name(source, scan, pairs, rgb_size, ir_size)
    listed = [index_hash(scan.index), place_hash(scan.index)]
    store = _name("store", decoded, listed, source.places, asdict(split))
    with writing_below(cache_dir), _one_at_a_time(cache_dir / f"{decoded}.lock"):
        if _is_whole(cache_dir / store):
            return PairStore(cache_dir / store, select)
        index = scan.index
        whole = index.assign(**dict.fromkeys(set(COLUMNS) - set(index.columns)))
        if select is not None:
            check_columns(select, whole)
        if balance is not None:
            check_strata(balance, whole)
        source.split(index, split)  # an impossible split is refused before hours of decoding
        count = decode_pairs(source, pairs, cache_dir / decoded, rgb_size, ir_size, workers)
        notes = in_one_encoding(cache_dir / decoded, count)
        failed = {pair_id: reason for note in notes for pair_id, reason in note["failed"].items()}
        contents = {pair_id: files for note in notes for pair_id, files in note["contents"].items()}
        index = settled(index, failed, contents)
        source.catalogue(cache_dir, scan).learn(index[index["pair_id"].isin(pairs["pair_id"])])
        _usable(index, source)
        index["split"] = source.split(index, split)
        dtype = next(note["files"]["ir"]["dtype"] for note in notes if note["pairs"])
        manifest = {
            "format": FORMAT,
            "decoded": decoded,
            "shard_pairs": [note["pairs"] for note in notes],
            "encoding": "centikelvin" if dtype == "uint16" else dtype,
            "thermal_unit": source.thermal_unit,
            "rgb_size": rgb_size,
            "ir_size": ir_size,
            "index_hash": index_hash(index),
            "source": source.recipe,
            "split": asdict(split),
            "other_files": scan.others,
        }
        _write(cache_dir / store, index[[*COLUMNS, *label_columns(index)]], manifest)
    return PairStore(cache_dir / store, select)


@contextmanager
def _one_at_a_time(lock: Path) -> Iterator[None]:
    lock.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(lock):
        yield


def _usable(index: pd.DataFrame, source: PairSource) -> pd.DataFrame:
    usable = index[index["status"] == "ok"]
    if usable.empty:
        raise UserError(f"data.root={source.root} holds no usable pair: {summary(index.assign(split=''))}")
    return usable


def _asked(pairs: pd.DataFrame) -> str:
    """A hash of which files are to be decoded, in which order."""
    names = "\n".join([*pairs["pair_id"], *pairs["rgb_path"], *pairs["ir_path"]])
    return hashlib.sha256(names.encode()).hexdigest()


def decoded_name(
    source: PairSource, scan: Scan, pairs: pd.DataFrame, rgb_size: tuple[int, int], ir_size: tuple[int, int]
) -> str:
    """The folder of a collection's shards: another one wherever other pixels would be in them."""
    return _name("decoded", FORMAT, scan.content, _asked(pairs), source.recipe, rgb_size, ir_size)


def thermal_size(root: Path, pairs: pd.DataFrame) -> tuple[int, int]:
    """(h, w) that most pairs have by their names; the larger of two as common. One store holds one size.

    Where no name tells it, the first file that can be read does.

    Raises:
        UserError: none can be.
    """
    said = pairs[["ir_height", "ir_width"]].dropna()
    counts = Counter(zip(said["ir_height"].tolist(), said["ir_width"].tolist(), strict=True))
    if counts:
        return max(counts, key=lambda size: (counts[size], size))
    for path in pairs["ir_path"]:
        with suppress(CelsiusError, OSError):
            width, height = header_size(root / path)
            return height, width
    raise UserError(f"data.root={root}: no thermal file can be read, and no name tells its size")


def _name(kind: str, *ingredients: Any) -> str:
    return f"{kind}-{hashlib.sha256(json.dumps(ingredients, sort_keys=True).encode()).hexdigest()[:12]}"


def _is_whole(folder: Path) -> bool:
    if not (folder / "manifest.json").is_file() or not (folder / "index.parquet").is_file():
        return False
    store = PairStore(folder)
    return all(read_note(store.shard_folder, shard) for shard in range(len(store.manifest["shard_pairs"])))


def _write(folder: Path, index: pd.DataFrame, manifest: dict[str, Any]) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").unlink(missing_ok=True)
    partial = folder / "index.partial"
    index.to_parquet(partial, index=False)
    partial.replace(folder / "index.parquet")
    write_json(folder / "manifest.json", manifest)
