"""Collection → store: every file is decoded once, on first use, and never again.

    decoded-<hash of files, recipe and sizes>/   shards of decoded pairs; kept when work is interrupted
    store-<hash of that, index and split>/       index.parquet and manifest.json, written last

So another split, other labels or another node table decode nothing again.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock

from sage_lightning.data.balance import check_strata
from sage_lightning.data.catalogue import Catalogue
from sage_lightning.data.decode import decode_pairs
from sage_lightning.data.index import COLUMNS, index_hash, label_columns, place_hash, summary
from sage_lightning.data.quarantine import DUPLICATE_CONTENT
from sage_lightning.data.select import check_columns
from sage_lightning.data.shards import in_one_encoding, read_note, write_json
from sage_lightning.data.sources import PairSource
from sage_lightning.data.store import PairStore
from sage_lightning.errors import UserError

FORMAT = 3  # of what is written; another number makes every store again


def prepare(
    source: PairSource,
    cache_dir: Path,
    rgb_store_size: tuple[int, int],
    val: float,
    test: float,
    split_seed: int,
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
        val: share of local days held out to watch training.
        test: share of local days held out for evaluation.
        split_seed: another seed holds out other days.
        workers: processes that decode; 0 and 1 decode in this one. They change no byte.
        select: which pairs of the store are used; the store holds them all.
        balance: columns that training is to be balanced by, which must be there before hours of decoding.

    Raises:
        UserError: there is no usable pair, the split is impossible, or a column is not there.
    """
    cache_dir = Path(cache_dir)
    scan = source.scan(cache_dir)
    pairs = _usable(scan.index, source)
    rgb_size, ir_size = (
        (int(rgb_store_size[0]), int(rgb_store_size[1])),
        source.ir_size or _thermal_size(pairs),
    )
    decoded = _name("decoded", FORMAT, scan.content, _asked(pairs), source.recipe, rgb_size, ir_size)
    store = _name(
        "store", decoded, index_hash(scan.index), place_hash(scan.index), source.places, val, test, split_seed
    )
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"paths.data_dir={cache_dir}: cannot be made ({error.strerror}); name another"
        ) from error
    with FileLock(cache_dir / f"{decoded}.lock"):
        if _is_whole(cache_dir / store):
            return PairStore(cache_dir / store, select)
        index = scan.index
        whole = index.assign(**dict.fromkeys(set(COLUMNS) - set(index.columns)))
        if select is not None:
            check_columns(select, whole)
        if balance is not None:
            check_strata(balance, whole)
        source.split(index, val, test, split_seed)  # an impossible split is refused before hours of decoding
        count = decode_pairs(source, pairs, cache_dir / decoded, rgb_size, ir_size, workers)
        notes = in_one_encoding(cache_dir / decoded, count)
        index = _settle(index, notes)
        _tell(Catalogue(cache_dir, source.root, source.recipe), index, pairs)
        _usable(index, source)
        index["split"] = source.split(index, val, test, split_seed)
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
            "split": {"val": val, "test": test, "seed": split_seed},
            "other_files": scan.others,
        }
        _write(cache_dir / store, index[[*COLUMNS, *label_columns(index)]], manifest)
    return PairStore(cache_dir / store, select)


def _usable(index: pd.DataFrame, source: PairSource) -> pd.DataFrame:
    usable = index[index["status"] == "ok"]
    if usable.empty:
        raise UserError(f"data.root={source.root} holds no usable pair: {summary(index.assign(split=''))}")
    return usable


def _asked(pairs: pd.DataFrame) -> str:
    """A hash of which files are to be decoded, in which order."""
    names = "\n".join([*pairs["pair_id"], *pairs["rgb_path"], *pairs["ir_path"]])
    return hashlib.sha256(names.encode()).hexdigest()


def _tell(catalogue: Catalogue, index: pd.DataFrame, pairs: pd.DataFrame) -> None:
    decoded = index[index["pair_id"].isin(pairs["pair_id"])]
    failed = decoded[decoded["status"] != "ok"]
    reasons = dict(zip(failed["pair_id"], failed["reason"], strict=True))
    catalogue.learn(reasons, decoded["pair_id"].tolist())


def _thermal_size(pairs: pd.DataFrame) -> tuple[int, int]:
    """(h, w) that most pairs have by their names; the larger of two as common. One store holds one size."""
    counts = Counter(zip(pairs["ir_height"].tolist(), pairs["ir_width"].tolist(), strict=True))
    return max(counts, key=lambda size: (counts[size], size))


def _name(kind: str, *ingredients: Any) -> str:
    return f"{kind}-{hashlib.sha256(json.dumps(ingredients, sort_keys=True).encode()).hexdigest()[:12]}"


def _is_whole(folder: Path) -> bool:
    if not (folder / "manifest.json").is_file() or not (folder / "index.parquet").is_file():
        return False
    store = PairStore(folder)
    return all(read_note(store.shard_folder, shard) for shard in range(len(store.manifest["shard_pairs"])))


def _settle(index: pd.DataFrame, notes: list[dict[str, Any]]) -> pd.DataFrame:
    """The index with what decoding found out: who is quarantined after all, where the others are kept."""
    failed = {pair_id: reason for note in notes for pair_id, reason in note["failed"].items()}
    contents = {pair_id: files for note in notes for pair_id, files in note["contents"].items()}
    asked = index["status"] == "ok"
    kept = asked & ~index["pair_id"].isin(list(failed))
    reason = index["reason"].mask(asked & ~kept, index["pair_id"].map(failed))
    reason = reason.mask(_seen_before(index["pair_id"].where(kept), contents), DUPLICATE_CONTENT)
    usable = kept & (reason == "")
    return index.assign(
        status=index["status"].mask(asked & ~usable, "quarantined"),
        reason=reason,
        store_row=(kept.cumsum() - 1).where(usable).astype("Int64"),
    )


def _seen_before(pair_ids: pd.Series, contents: Mapping[str, Sequence[str]]) -> pd.Series:
    """Whether a pair's picture or thermal file is, byte for byte, that of a pair before it.

    A camera that is stuck, or an upload that was sent twice, gives old pictures under new times.
    """
    found = pd.Series(False, pair_ids.index)
    for side in (0, 1):
        digests = pair_ids.map({pair_id: files[side] for pair_id, files in contents.items()})
        found |= digests.notna() & digests.duplicated()
    return found


def _write(folder: Path, index: pd.DataFrame, manifest: dict[str, Any]) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").unlink(missing_ok=True)
    partial = folder / "index.partial"
    index.to_parquet(partial, index=False)
    partial.replace(folder / "index.parquet")
    write_json(folder / "manifest.json", manifest)
