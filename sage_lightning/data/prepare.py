"""Collection → store: every file is decoded once, on first use, and never again.

    decoded-<hash of recipe and sizes>-<hash of its first files>/   the plan, and shards of decoded pairs
    store-<hash of that, index and split>/                          index.parquet; manifest.json, the last

So another split, other labels or another node table decode nothing again, and new files themselves alone.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from filelock import FileLock

from sage_lightning.data.decoded import decode_shards, give_up_changed, told
from sage_lightning.data.decoder import Decoder, Digests
from sage_lightning.data.disk import writing_below
from sage_lightning.data.executor import Executor, Processes
from sage_lightning.data.index import COLUMNS, index_hash, label_columns, place_hash, summary
from sage_lightning.data.plan import Plan, extend
from sage_lightning.data.quarantine import NOT_READ, OUT_OF_RANGE
from sage_lightning.data.scan import Scan
from sage_lightning.data.select import check_columns, check_names
from sage_lightning.data.shards import ALL, note_of, read_note, remove_unfinished, write_json
from sage_lightning.data.sizes import thermal_size
from sage_lightning.data.source import PairSource
from sage_lightning.data.split import Split
from sage_lightning.data.store import FORMAT, PairStore
from sage_lightning.data.strata import check_strata, check_strata_names
from sage_lightning.data.telling import learn_of, warn_unread
from sage_lightning.data.verdicts import settled
from sage_lightning.errors import UserError

ALONE = Processes(1)


@dataclass(frozen=True)
class Kept:
    """How a store keeps pictures.

    Args:
        rgb_size: (H, W) in pixels.
        rgb_kind: "raw" pixels, or "jpeg", a tenth of the bytes.
    """

    rgb_size: tuple[int, int]
    rgb_kind: Literal["raw", "jpeg"] = "raw"


def prepare(
    source: PairSource,
    cache_dir: Path,
    kept: Kept,
    split: Split,
    executor: Executor = ALONE,
    select: str | None = None,
    balance: Sequence[str] | None = None,
    verify: bool = False,
) -> PairStore:
    """The store of a collection, made first if it is not there or not whole.

    Any number of processes may ask for one store at the same time: the first makes it and the others wait.

    Args:
        source: the collection.
        cache_dir: where stores are kept.
        kept: how pictures are kept.
        split: how pairs are dealt to training, validation and test.
        executor: who decodes; it changes no byte.
        select: which pairs of the store are used; the store holds them all.
        balance: columns that training is to be balanced by, which must be there before hours of decoding.
        verify: compares the bytes of all that is there with their checksums, and makes the damaged again.

    Raises:
        UserError: there is no usable pair, the split is impossible, or a column is not there.
    """
    if select is not None:
        check_names(select, source.columns())
    if balance is not None:
        check_strata_names(balance, source.columns())
    scan, pairs, decoder = _asked(source, cache_dir, kept)
    with writing_below(cache_dir), _one_at_a_time(cache_dir, decoder, ALL):
        folder = decoded_folder(cache_dir, decoder, scan)
        listed = [scan.content, index_hash(scan.index), place_hash(scan.index)]
        store = cache_dir / _name("store", folder.name, listed, source.places, asdict(split))
        if not verify and _is_whole(store):
            return PairStore(store, select)
        index = scan.index
        whole = index.assign(**dict.fromkeys(set(COLUMNS) - set(index.columns)))
        if select is not None:
            check_columns(select, whole)
        if balance is not None:
            check_strata(balance, whole)
        source.split(index, split)  # an impossible split is refused before hours of decoding
        plan = _planned(folder, source, scan, pairs)
        remove_unfinished(folder)
        decode_shards(decoder, plan, pairs, folder, executor, verify)
        failed, contents, rows = told(plan, pairs, folder)
        index = settled(index, failed, contents)
        usable = index["status"] == "ok"
        row_of = pd.Series(rows, pairs["pair_id"].to_numpy())
        index["store_row"] = index["pair_id"].map(row_of).where(usable).astype("Int64")
        learn_of(source, cache_dir, pairs, failed, contents, decoder, executor)
        warn_unread(index)
        _usable(index, source)
        index["split"] = source.split(index, split)
        notes = [note_of(folder, shard) for shard in range(plan.shards)]
        types = {note.files["ir"]["dtype"] for note in notes if note.pairs}
        manifest = {
            "format": FORMAT,
            "decoded": folder.name,
            "shards": [{"pairs": note.pairs, "identity": note.identity} for note in notes],
            "encoding": "centikelvin" if types == {"uint16"} else "float32",
            "thermal_unit": source.thermal_unit,
            "rgb_size": kept.rgb_size,
            "rgb_kind": kept.rgb_kind,
            "ir_size": decoder.ir_size,
            "index_hash": index_hash(index),
            "source": source.recipe,
            "split": asdict(split),
            "other_files": scan.others,
        }
        if (index["reason"] == NOT_READ).any() and _said(store) == json.loads(json.dumps(manifest)):
            return PairStore(store, select)  # tried again in vain: who reads it may go on
        _write(store, index[[*COLUMNS, *label_columns(index)]], manifest)
    return PairStore(store, select)


def prepare_part(
    source: PairSource, cache_dir: Path, kept: Kept, part: tuple[int, int], executor: Executor, verify: bool
) -> int:
    """Decodes every n-th shard of a collection, the k-th first: the share of one of n tasks.

    The tasks may run at the same time, on any machines that share `cache_dir`; the bytes are those that one
    process writes. `prepare` afterwards finds them.

    Args:
        source: see `prepare`, as the next two.
        cache_dir: where stores are kept.
        kept: how pictures are kept.
        part: (k, n), 1 ≤ k ≤ n.
        executor: who decodes.
        verify: see `prepare`.

    Returns:
        How many shards are of this part.
    """
    scan, pairs, decoder = _asked(source, cache_dir, kept)
    writer = f"{part[0]}-of-{part[1]}"
    with writing_below(cache_dir):
        cache_dir.mkdir(parents=True, exist_ok=True)
        folder = decoded_folder(cache_dir, decoder, scan)
        plan = _planned(folder, source, scan, pairs)
        shards = range(part[0] - 1, plan.shards, part[1])
        with _one_at_a_time(cache_dir, decoder, writer):
            remove_unfinished(folder, writer)
            decode_shards(decoder, plan, pairs, folder, executor, verify, shards, writer)
    return len(shards)


def give_up_otherwise(
    cache_dir: Path,
    decoder: Decoder,
    scan: Scan,
    pairs: pd.DataFrame,
    failed: Mapping[str, str],
    contents: Mapping[str, Digests],
) -> int:
    """Gives up shards of which a later look at all pairs has told otherwise; see `give_up_changed`."""
    folder = decoded_folder(cache_dir, decoder, scan)
    if not folder.is_dir():
        return 0
    with writing_below(cache_dir), _one_at_a_time(cache_dir, decoder, ALL):
        plan = _planned(folder, decoder.source, scan, pairs)
        return give_up_changed(folder, plan, pairs, failed, contents)


def decoder_of(source: PairSource, pairs: pd.DataFrame, kept: Kept) -> Decoder:
    """What decodes a collection's usable pairs."""
    return Decoder(source, kept.rgb_size, thermal_size(source, pairs), kept.rgb_kind)


def decoded_folder(cache_dir: Path, decoder: Decoder, scan: Scan) -> Path:
    """The folder of a collection's shards; another one wherever a pair would have other pixels.

    It is a collection's own: the one made for the same root, or for the same files elsewhere.
    """
    asked = [FORMAT, decoder.source.recipe, decoder.rgb_size, decoder.ir_size, decoder.rgb_kind]
    name = _name("decoded", *asked)
    mine = {"root": str(decoder.source.root.absolute()), "content": scan.content}
    for key in ("content", "root"):
        for path in sorted(cache_dir.glob(f"{name}-*/collection.json")):
            if json.loads(path.read_text())[key] == mine[key]:
                return path.parent
    return cache_dir / f"{name}-{scan.content[:12]}"


def _asked(source: PairSource, cache_dir: Path, kept: Kept) -> tuple[Scan, pd.DataFrame, Decoder]:
    scan = source.scan(cache_dir)
    pairs = _usable(scan.index, source)
    return scan, pairs, decoder_of(source, pairs, kept)


def _usable(index: pd.DataFrame, source: PairSource) -> pd.DataFrame:
    usable = index[index["status"] == "ok"]
    if usable.empty:
        line = f"data.root={source.root} holds no usable pair: {summary(index.assign(split=''))}"
        said = {key: source.recipe[key] for key in ("unit", "scale", "offset") if key in source.recipe}
        if said and (index["reason"] == OUT_OF_RANGE).any():
            given = ", ".join(f"data.thermal_{key}={value}" for key, value in said.items())
            line += f"; with {given} these are no temperatures"
        raise UserError(line)
    return usable


def _planned(folder: Path, source: PairSource, scan: Scan, pairs: pd.DataFrame) -> Plan:
    """The plan with a place for each pair; one process at a time extends it."""
    folder.mkdir(exist_ok=True)
    with FileLock(folder / "plan.lock"):
        plan = extend(folder, source.root, pairs, source.dated)
        said = {"root": str(source.root.absolute()), "content": scan.content}
        write_json(folder / "collection.json", said)
    return plan


@contextmanager
def _one_at_a_time(cache_dir: Path, decoder: Decoder, who: str) -> Iterator[None]:
    name = _name("decoding", str(decoder.source.root.absolute()), decoder.source.recipe, decoder.rgb_size)
    cache_dir.mkdir(parents=True, exist_ok=True)
    with FileLock(cache_dir / f"{name}-{who}.lock"):
        yield


def _name(kind: str, *ingredients: Any) -> str:
    return f"{kind}-{hashlib.sha256(json.dumps(ingredients, sort_keys=True).encode()).hexdigest()[:12]}"


def _is_whole(folder: Path) -> bool:
    if not (folder / "manifest.json").is_file() or not (folder / "index.parquet").is_file():
        return False
    store = PairStore(folder)
    notes = [read_note(store.shard_folder, shard) for shard in range(len(store.manifest["shards"]))]
    return all(
        note is not None
        and NOT_READ not in note.failed.values()
        and {"pairs": note.pairs, "identity": note.identity} == said
        for note, said in zip(notes, store.manifest["shards"], strict=True)
    )


def _said(folder: Path) -> Any:
    """What a store's manifest says; None where there is none."""
    path = folder / "manifest.json"
    return json.loads(path.read_text()) if path.is_file() and (folder / "index.parquet").is_file() else None


def _write(folder: Path, index: pd.DataFrame, manifest: dict[str, Any]) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").unlink(missing_ok=True)
    partial = folder / "index.partial"
    index.to_parquet(partial, index=False)
    partial.replace(folder / "index.parquet")
    write_json(folder / "manifest.json", manifest)
