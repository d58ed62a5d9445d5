"""What is known of a collection's files: asked of them, kept, and told of its index."""

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from sage_lightning.data.decoder import Decoder, Digests
from sage_lightning.data.executor import Executor
from sage_lightning.data.facts import SIDES, state
from sage_lightning.data.inspection import files_of, look
from sage_lightning.data.quarantine import NOT_READ
from sage_lightning.data.sizes import wanted
from sage_lightning.data.source import PairSource
from sage_lightning.data.verdicts import judged, own_reasons

log = logging.getLogger("sage_lightning")


def known(source: PairSource, cache_dir: Path, index: pd.DataFrame) -> pd.DataFrame:
    """The index, as names tell it, with what decoding has told of its files so far."""
    said = wanted(source, index[index["status"] == "ok"])
    if said.line:
        log.warning("data.root=%s: %s", source.root, said.line)
    return judged(index, source.facts(cache_dir).amiss(said.size), said.size)


def looked_at(
    source: PairSource, cache_dir: Path, index: pd.DataFrame, rgb_size: tuple[int, int], executor: Executor
) -> tuple[pd.DataFrame, dict[str, str], dict[str, Digests]]:
    """A look at every file of an index.

    Args:
        source: the collection.
        cache_dir: where what is told is kept.
        index: as names tell it.
        rgb_size: (H, W) at which pictures are decoded.
        executor: who opens files.

    Returns:
        The index with what is told; reasons by pair id of pairs that cannot be used; digests of both files by
        pair id of the others. What cannot be read now is not kept, and what was known of it is.
    """
    pairs = index[index["status"] == "ok"]
    size = wanted(source, pairs).size
    facts = source.facts(cache_dir)
    found = look(files_of(index, source), source, rgb_size, executor, "Looking at files")
    unread = found["reason"] == NOT_READ
    facts.learn(found[~unread])
    index = judged(index, pd.concat([found[unread], found[~unread]]), size)
    warn_unread(index)
    by_side = [found[found["side"] == side].set_index("path") for side in SIDES]
    reason = pd.Series("", pairs.index, dtype="str")
    for side, table in zip(SIDES, by_side, strict=True):
        said = own_reasons(table.reset_index(), size)
        reason = reason.mask(pairs[side].isin(said.index), pairs[side].map(said))
    bad = reason != ""
    failed = dict(zip(pairs.loc[bad, "pair_id"], reason[bad], strict=True))
    good = pairs[~bad]
    digests = [good[side].map(table["content"]) for side, table in zip(SIDES, by_side, strict=True)]
    return index, failed, dict(zip(good["pair_id"], zip(*digests, strict=True), strict=True))


def learn_of(
    source: PairSource,
    cache_dir: Path,
    pairs: pd.DataFrame,
    failed: Mapping[str, str],
    contents: Mapping[str, Digests],
    decoder: Decoder,
    executor: Executor,
) -> None:
    """Keeps what decoding has told of pairs; files of the others are opened once more.

    Args:
        source: the collection.
        cache_dir: where it is kept.
        pairs: that have been decoded, rows of an index.
        failed: reasons by pair id of those that cannot be used.
        contents: digests of both files by pair id of the others.
        decoder: who has decoded them.
        executor: who opens files.
    """
    facts = source.facts(cache_dir)
    good = pairs[pairs["pair_id"].isin(list(contents))]
    tables = []
    for number, side in enumerate(SIDES):
        states = [state(source.root, path) for path in good[side].tolist()]
        lengths, times = np.array(states, np.int64).reshape(-1, 2).T
        height, width = decoder.ir_size if side == "ir_path" else (0, 0)
        said = {"side": side, "path": good[side], "length": lengths, "modified": times, "reason": ""}
        said |= {
            "content": [contents[pair][number] for pair in good["pair_id"]],
            "height": height,
            "width": width,
        }
        tables.append(pd.DataFrame(said, index=good.index))
    bad = pairs[pairs["pair_id"].isin([pair for pair, reason in failed.items() if reason != NOT_READ])]
    files = pd.concat([pd.DataFrame({"side": side, "path": bad[side]}) for side in SIDES], ignore_index=True)
    if len(files):
        files = files[~facts.are_of(files)]
        found = look(
            zip(files["side"], files["path"], strict=True),
            source,
            decoder.rgb_size,
            executor,
            "Telling apart",
        )
        tables.append(found[found["reason"] != NOT_READ])
    facts.learn(pd.concat(tables, ignore_index=True))


def warn_unread(index: pd.DataFrame) -> None:
    """Says how many pairs could not be read, which tells nothing of them."""
    rows = index[index["reason"] == NOT_READ]
    if len(rows):
        first = rows[list(SIDES)].iloc[0].dropna().tolist()
        text = "%d pairs or files cannot be read now (rights, a disk or a network), the first of %s; "
        log.warning(
            text + "they are left out of this run alone, and tried again by the next",
            len(rows),
            " and ".join(first),
        )
