"""A look at files, one by one: what each of them tells of itself, whoever its partner is."""

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from sage_lightning.data import quarantine
from sage_lightning.data.decoder import nothing_in
from sage_lightning.data.executor import Executor
from sage_lightning.data.facts import SIDES, Fact, state, table_of
from sage_lightning.data.plan import GONE
from sage_lightning.data.quarantine import Unusable
from sage_lightning.data.shards import sha256_of
from sage_lightning.data.source import PairSource
from sage_lightning.progress import track


@dataclass(frozen=True)
class _Look:
    """Opens a file: side and path. It is sent to processes, so it pickles."""

    source: PairSource
    rgb_size: tuple[int, int]

    def __call__(self, file: tuple[str, str]) -> Fact:
        side, path = file
        was = state(self.source.root, path)  # before it is opened: what changes meanwhile is looked at again
        size, content, reason = (0, 0), None, ""
        try:
            if side == "rgb_path":
                self.source.read_picture(path, self.rgb_size)
            else:
                ir = self.source.read_thermal(path)
                size, reason = (ir.shape[0], ir.shape[1]), nothing_in(ir)
        except Unusable as error:
            reason = error.reason
        if reason != quarantine.NOT_READ:
            try:
                content = bytes.fromhex(sha256_of(self.source.root / path))
            except OSError:
                reason = quarantine.NOT_READ
        return Fact(side, path, *was, reason, content, *size)


def look(
    files: Iterable[tuple[str, str]],
    source: PairSource,
    rgb_size: tuple[int, int],
    executor: Executor,
    what: str,
) -> pd.DataFrame:
    """Opens files.

    Args:
        files: side and path of each.
        source: whose files they are.
        rgb_size: (H, W) at which pictures are decoded.
        executor: who opens them.
        what: it is called while it is done.

    Returns:
        A fact a file, see `table_of`; the reason `NOT_READ` says nothing of the file, and is not to be kept.
    """
    asked = list(files)
    with executor.opened(len(asked)) as mapped:
        return table_of(list(track(mapped(_Look(source, rgb_size), asked), what, len(asked))))


def files_of(index: pd.DataFrame, source: PairSource) -> list[tuple[str, str]]:
    """All files of an index that there is something to tell of, as `look` takes them.

    A plot that stands in a picture's place is none, whatever it holds; a table may name what is not there.
    """
    files = []
    for side in SIDES:
        rows = index[(index["reason"] != quarantine.PLOT) | (side == "ir_path")]
        used = set(rows.loc[rows["status"] == "ok", side])
        paths = rows[side].dropna().unique()
        files += [(side, path) for path in paths if path in used or state(source.root, path) != GONE]
    return files
