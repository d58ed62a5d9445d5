"""The store that a run was begun with, where its collection is another one by now.

What has been decoded keeps its place and earlier stores stay beside later ones, so a run whose collection has
merely grown finds its own pairs again, to the pixel, and goes on with these alone.
"""

import hashlib
import io
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sage_lightning.data.index import label_columns
from sage_lightning.data.rows import first_rows
from sage_lightning.data.shards import part_path
from sage_lightning.data.store import FORMAT, PairStore
from sage_lightning.errors import UserError


class Change(NamedTuple):
    """How many usable pairs of a collection are new, gone, and there with other files or labels."""

    added: int
    gone: int
    other: int

    def __str__(self) -> str:
        return f"pairs: {self.added} new, {self.gone} gone, {self.other} with other files or labels"


def earlier(now: PairStore, index_hash: str) -> PairStore | None:
    """The store of this index, of the same collection, recipe and split; None where there is none any more.

    Args:
        now: the store of the collection as it is.
        index_hash: of the index that is looked for.
    """
    wanted = {"format": FORMAT, "index_hash": index_hash}
    wanted |= {key: now.manifest[key] for key in ("decoded", "encoding", "source", "split")}
    found = [
        path
        for path in now.folder.parent.glob("store-*/manifest.json")
        if (said := _manifest(path)) and all(said.get(key) == wanted[key] for key in wanted)
    ]
    if not found:
        return None
    # Of several, by node tables that place the same cameras otherwise, the last; the loader looks closer.
    before = PairStore(max(found, key=lambda path: path.stat().st_mtime_ns).parent, now.select)
    return before if _is_as_it_was(before) else None


def _manifest(path: Path) -> dict[str, Any]:
    try:
        said: dict[str, Any] = json.loads(path.read_text())
    except ValueError:
        return {}  # a damaged one is of no store
    return said


def change(before: PairStore, now: PairStore) -> Change:
    """What has become of a run's pairs, in the selection of both."""
    was, there = (store.index[store.index["status"] == "ok"] for store in (before, now))
    columns = ["rgb_path", "ir_path", *label_columns(before.index)]
    was, there = (
        # Filled in, since what is missing equals nothing, itself included.
        table.set_index("pair_id").reindex(columns=columns).astype("str").fillna("")
        for table in (was, there)
    )
    both = was.index.intersection(there.index)
    same = (was.loc[both] == there.loc[both]).all(axis="columns")
    return Change(len(there) - len(both), len(was) - len(both), int((~same).sum()))


def trained_on(before: PairStore, now: PairStore, split: str) -> int:
    """How many pairs of a held-out split were of the training split."""
    if split == "train":
        return 0
    return len(set(now.split_index(split)["pair_id"]) & set(before.split_index("train")["pair_id"]))


def _is_as_it_was(store: PairStore) -> bool:
    """Whether each of its shards still begins with the pairs that it had; others may have been added."""
    for shard, said in enumerate(store.manifest["shards"]):
        if not said["pairs"]:
            continue
        try:
            contents = first_rows(part_path(store.shard_folder, "contents", shard), said["pairs"])
        except UserError:
            return False
        file = io.BytesIO()
        np.save(file, contents, allow_pickle=False)
        if hashlib.sha256(file.getvalue()).hexdigest() != said["identity"]:
            return False
    return True
