"""A folder of decoded pairs: shards, and the plan that says what each of them holds.

Whoever fills it, in however many steps and with however many processes, the same pair has the same pixels.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sage_lightning.data.decoder import Decoder, Digests, pair_files_of
from sage_lightning.data.executor import Executor, Map
from sage_lightning.data.plan import Plan
from sage_lightning.data.quarantine import NOT_READ
from sage_lightning.data.shards import (
    ALL,
    Frame,
    Note,
    give_up,
    is_sound,
    note_of,
    read_contents,
    read_frames,
    read_note,
    write_shard,
)
from sage_lightning.progress import track

_GONE = "gone"  # of a place whose pair is no longer part of the collection
_AGAIN = (_GONE, NOT_READ)  # what says nothing of a pair's files: it is decoded when it is asked for


@dataclass(frozen=True)
class _Job:
    """What is to be done for a shard.

    Attributes:
        shard: its number.
        note: what is there and stays; None where nothing does.
        places: those to be decoded.
        gone: those of no use any more.
        pairs: the rows of the index at `places`.
    """

    shard: int
    note: Note | None
    places: list[int]
    gone: list[int]
    pairs: pd.DataFrame


def decode_shards(
    decoder: Decoder,
    plan: Plan,
    pairs: pd.DataFrame,
    folder: Path,
    executor: Executor,
    verify: bool,
    shards: Sequence[int] | None = None,
    writer: str = ALL,
) -> None:
    """Fills `folder` with the shards of a plan, and keeps the pairs that it holds.

    Args:
        decoder: decodes one pair.
        plan: which shard holds which pair.
        pairs: rows of an index, those that the plan calls live.
        folder: of shards; is there.
        executor: does the work.
        verify: whether the bytes of shards that are there are compared with their checksums.
        shards: which ones, of the plan's; None for all.
        writer: see `write_shard`.
    """
    row_of = np.full(len(plan.table), -1)
    row_of[plan.live] = np.arange(len(pairs))
    jobs = []
    for shard in range(plan.shards) if shards is None else shards:
        rows = row_of[plan.rows(shard)]
        note, places = _open(folder, shard, rows >= 0, verify)
        if places:
            gone = np.flatnonzero(rows < 0).tolist()
            jobs.append(_Job(shard, note, places, gone, pairs.iloc[rows[places]]))
    total = sum(len(job.places) for job in jobs)
    if jobs:
        with executor.opened(total) as mapped:
            for _ in track(_written(jobs, decoder, folder, mapped, writer), "Decoding pairs", total):
                pass


def _open(folder: Path, shard: int, live: NDArray[np.bool_], verify: bool) -> tuple[Note | None, list[int]]:
    """What is there of a shard and stays, and the places that are to be decoded."""
    wanted = np.flatnonzero(live).tolist()
    note = read_note(folder, shard)
    if note is not None and verify and not is_sound(folder, shard, note):
        note = None
    if note is None:
        return None, wanted
    places = [place for place in wanted if place >= note.places or note.failed.get(place) in _AGAIN]
    if places and not verify and not is_sound(folder, shard, note):
        return None, wanted  # what is copied is looked at first
    return note, places


def _written(
    jobs: Sequence[_Job], decoder: Decoder, folder: Path, mapped: Map, writer: str
) -> Iterator[None]:
    """Writes shard after shard; yields once a pair, so that progress can be shown."""
    # The next shard is begun before this one is written, so that no process waits for the disk.
    results = mapped(decoder, pair_files_of(jobs[0].pairs))
    for job, following in zip(jobs, [*jobs[1:], None], strict=True):
        outcomes: dict[int, Frame | str] = dict.fromkeys(job.gone, _GONE)
        if job.note is not None:
            outcomes |= job.note.failed
            outcomes |= zip(job.note.kept, read_frames(folder, job.shard, job.note), strict=True)
        for place, result in zip(job.places, results, strict=True):
            outcomes[place] = result
            yield
        if following is not None:
            results = mapped(decoder, pair_files_of(following.pairs))
        ordered = sorted(outcomes.items())
        frames = [outcome for _, outcome in ordered if not isinstance(outcome, str)]
        failed = {place: outcome for place, outcome in ordered if isinstance(outcome, str)}
        if job.note is not None and (len(ordered), failed) == (job.note.places, dict(job.note.failed)):
            continue  # what could not be read cannot be read yet
        write_shard(folder, job.shard, frames, failed, writer)


def told(
    plan: Plan, pairs: pd.DataFrame, folder: Path
) -> tuple[dict[str, str], dict[str, Digests], NDArray[np.int64]]:
    """What the shards tell of the pairs that they have been made for.

    Returns:
        failed: reasons by pair id of those that cannot be used.
        contents: digests of both files by pair id of the others.
        rows: (n,) where the store keeps each pair, counted through all shards; -1 of those that failed.
    """
    start = 0
    reasons: list[tuple[int, str]] = []
    digests: list[tuple[int, Digests]] = []
    rows = np.full(len(plan.table), -1)
    for shard in range(plan.shards):
        note = note_of(folder, shard)
        places = plan.rows(shard)[: note.places]
        kept = places[note.kept]
        rows[kept] = start + np.arange(note.pairs)
        reasons += [(int(places[place]), reason) for place, reason in note.failed.items()]
        digests += zip(kept.tolist(), read_contents(folder, shard, note), strict=True)
        start += note.pairs
    name_of = dict(zip(plan.live.tolist(), pairs["pair_id"].tolist(), strict=True))
    failed = {name_of[row]: reason for row, reason in reasons if row in name_of}
    contents = {name_of[row]: content for row, content in digests if row in name_of}
    return failed, contents, rows[plan.live]


def give_up_changed(
    folder: Path,
    plan: Plan,
    pairs: pd.DataFrame,
    failed: Mapping[str, str],
    contents: Mapping[str, Digests],
) -> int:
    """Gives up shards of which a later look has told otherwise, so that they are decoded again.

    Args:
        folder: of shards.
        plan: which shard holds which pair.
        pairs: those that have been looked at.
        failed: reasons by pair id of pairs that cannot be used, as of now.
        contents: digests of both files by pair id of the others.

    Returns:
        How many shards are given up.
    """
    name_of = dict(zip(plan.live.tolist(), pairs["pair_id"].tolist(), strict=True))
    given_up = 0
    for shard in range(plan.shards):
        if (note := read_note(folder, shard)) is None:
            continue
        names = [name_of.get(row) for row in plan.rows(shard)[: note.places].tolist()]
        was = dict(note.failed) | dict(zip(note.kept, read_contents(folder, shard, note), strict=True))
        now = [failed.get(name, contents.get(name)) for name in names if name is not None]
        before = [was[place] for place, name in enumerate(names) if name is not None]
        both = zip(before, now, strict=True)
        if any(old != new and old not in _AGAIN and new != NOT_READ for old, new in both):
            give_up(folder, shard)
            given_up += 1
    return given_up
