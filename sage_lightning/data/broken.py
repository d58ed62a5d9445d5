"""What a look at files that are in no usable pair has told: which of them are cut, or none of their kind.

They have no pair that a verdict could be of, so it is the file's own, and goes with its length and time.
"""

import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from sage_lightning.data.decoder import trouble_with
from sage_lightning.data.disk import writing_below
from sage_lightning.data.executor import Executor
from sage_lightning.data.plan import GONE
from sage_lightning.data.quarantine import PLOT, Unusable
from sage_lightning.data.source import PairSource
from sage_lightning.progress import track

log = logging.getLogger("sage_lightning")

SIDES = ("ir_path", "rgb_path")  # where both are broken, the thermal file's reason is given, as of pairs


@dataclass(frozen=True)
class _Look:
    """Opens a file: `side` and path. It is sent to processes, so it pickles."""

    source: PairSource
    rgb_size: tuple[int, int]
    ir_size: tuple[int, int] | None

    def __call__(self, file: tuple[str, str]) -> str:
        """The reason why it cannot be used; "" where it could."""
        side, path = file
        try:
            if side == "rgb_path":
                self.source.read_picture(path, self.rgb_size)
                return ""
            return trouble_with(self.source.read_thermal(path), self.ir_size)
        except Unusable as error:
            return error.reason


class BrokenFiles:
    """What is kept of a collection's files outside of its usable pairs.

    Args:
        folder: of the collection's catalogue.
        root: the collection's folder.
    """

    def __init__(self, folder: Path, root: Path) -> None:
        self._path, self._root = folder / "broken.json", root

    def look(
        self,
        index: pd.DataFrame,
        source: PairSource,
        rgb_size: tuple[int, int],
        ir_size: tuple[int, int] | None,
        executor: Executor,
    ) -> None:
        """Opens every file of the index that is in no usable pair, and keeps which are broken.

        Args:
            index: as names tell it.
            source: whose files they are.
            rgb_size: (H, W) at which pictures are decoded.
            ir_size: (h, w) that a thermal picture must have; None where nothing says it.
            executor: who opens them.
        """
        held = index[index["status"] != "ok"]
        files = []
        for side in SIDES:
            # A plot that stands in a picture's place is none, whatever it holds.
            paths = held.loc[(held["reason"] != PLOT) | (side == "ir_path"), side].dropna().unique()
            files += [(side, path) for path in paths if self._state(path) != GONE]
        found = {}
        with executor.opened(len(files)) as mapped:
            results = mapped(_Look(source, rgb_size, ir_size), files)
            told = track(results, "Looking at other files", len(files))
            for (_, path), reason in zip(files, told, strict=True):
                if reason:
                    found[path] = [reason, *self._state(path)]
        with writing_below(self._path.parent.parent):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            partial = self._path.with_suffix(".partial")
            partial.write_text(json.dumps(found))
            partial.replace(self._path)

    def applied(self, index: pd.DataFrame) -> pd.DataFrame:
        """The index, in quarantine the reasons of files that are as they were when they were found broken."""
        if not self._path.is_file():
            return index
        try:
            known: dict[str, list[object]] = json.loads(self._path.read_text())
        except ValueError:
            log.warning("%s: damaged; index.verify=true tells it anew", self._path)
            return index
        reasons = {path: said[0] for path, said in known.items() if tuple(said[1:]) == self._state(path)}
        held, reason = index["status"] != "ok", index["reason"]
        for side in reversed(SIDES):
            reason = reason.mask(held & index[side].isin(list(reasons)), index[side].map(reasons))
        return index.assign(reason=reason.astype("str"))

    def _state(self, path: str) -> tuple[int, int]:
        """Length, and when it was modified."""
        try:
            found = os.stat(self._root / path)  # noqa: PTH116
        except (OSError, ValueError):  # not there, or a cell that names no file
            return GONE
        return found.st_size, found.st_mtime_ns
