"""The index of a collection, kept between runs: what has not changed is not looked at again.

index-<hash of the folder's name and the rules>/
    files.arrow        one row a file: name, length, and what the name says of kind and time
    index.parquet      one row a pair or a quarantined file, with place and time
    lists.parquet      what pair lists of early users say, and
    records.parquet    their query records
    state.json         a digest of every folder, written last: without it nothing of this exists

What decoding has told of files is kept elsewhere, see `facts`: all of this can be made anew from names.
"""

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock

from sage_lightning.data.disk import writing_below
from sage_lightning.data.files import NO_TIME, SECOND, all_files, camera_files, only_cameras
from sage_lightning.data.index import add_place_and_time
from sage_lightning.data.known import KnownFiles, compared, known_files, read_known
from sage_lightning.data.layouts import in_one_layout
from sage_lightning.data.legacy import Legacy
from sage_lightning.data.listing import Folder, list_folders
from sage_lightning.data.merging import merged
from sage_lightning.data.pairing import pair_files
from sage_lightning.data.scan import FileCounts, Scan, counted, kinds_of, scanned
from sage_lightning.sage.nodes import NodeTable

log = logging.getLogger("sage_lightning")

FORMAT = 5  # of what is written; another number makes every index again

_DIFFERENT = ("pair_id", "time", "rgb_path", "ir_path", "local_hour", "sun_elevation")  # in every row
_SCAN = ("pictures", "thermals", "others", "content")


class Catalogue:
    """What is kept of one collection.

    Args:
        cache_dir: where catalogues are kept; made if it is not there.
        root: the collection's folder.
        rules: what else decides the index, such as a source's recipe; others have a catalogue of their own.
    """

    def __init__(self, cache_dir: Path, root: Path, rules: Mapping[str, Any]) -> None:
        self._root = Path(root)
        name = json.dumps([FORMAT, str(self._root.absolute()), dict(rules)], sort_keys=True)
        self.folder = Path(cache_dir) / f"index-{hashlib.sha256(name.encode()).hexdigest()[:12]}"
        self._saved: list[Path] = []  # what `_commit` puts in its place

    def scan(self, nodes: NodeTable, keep_mismatches: bool) -> Scan:
        """The scan of the folder as it is now, its index with place and time.

        Args:
            nodes: where the nodes stood.
            keep_mismatches: see `pair_files`.

        Raises:
            UserError: a folder cannot be listed, or the catalogue cannot be written.
        """
        try:
            return self._scanned(nodes, keep_mismatches)
        except _DamagedError as error:
            log.warning("%s: damaged; the index is made anew", error)
            (self.folder / "state.json").unlink(missing_ok=True)
            return self._scanned(nodes, keep_mismatches)

    def _scanned(self, nodes: NodeTable, keep_mismatches: bool) -> Scan:
        folders = list_folders(self._root)
        digests = {folder.path: folder.digest for folder in folders}
        places = hashlib.sha256(repr(nodes.rows).encode()).hexdigest()
        with self._locked():
            legacy = Legacy(self._root, folders, self.folder)
            self._saved, state = [], self._state()
            now = {"folders": digests, "places": places, "lists": legacy.digest}
            if state is not None and all(state[name] == value for name, value in now.items()):
                return Scan(self._index().to_pandas(), *(state[name] for name in _SCAN))
            listed = sum(len(folder.names) for folder in folders) - legacy.read
            if state is None or any(state[name] != now[name] for name in ("places", "lists")):
                known, counts, index = self._anew(folders, legacy, nodes, keep_mismatches)
            else:
                with _reading(self.folder / "files.arrow") as path:
                    before = read_known(path, state["files"], state["folders"])
                known, counts, index = self._renewed(before, folders, legacy, nodes, keep_mismatches)
            scan = scanned(listed, counts, index)
            facts = {name: getattr(scan, name) for name in _SCAN}
            self._commit(now | facts | {"files": known})
        return scan

    def _anew(
        self, folders: list[Folder], legacy: Legacy, nodes: NodeTable, keep_mismatches: bool
    ) -> tuple[dict[str, int], FileCounts, pd.DataFrame]:
        """Every file has been looked at; `folders` is empty then: of millions of files they are gigabytes."""
        files = all_files(folders)
        known, counts = known_files(folders, files), counted(folders, kinds_of(files))
        self._save_files(known)
        sizes = known.counts
        del known
        folders.clear()
        cameras = only_cameras(files)
        del files
        index = add_place_and_time(
            pair_files(in_one_layout(legacy.applied(cameras), nodes), keep_mismatches), nodes
        )
        self._save(pa.Table.from_pandas(index, preserve_index=False), "index")
        return sizes, counts, index

    def _renewed(
        self,
        known: KnownFiles,
        folders: Sequence[Folder],
        legacy: Legacy,
        nodes: NodeTable,
        keep_mismatches: bool,
    ) -> tuple[dict[str, int], FileCounts, pd.DataFrame]:
        """Only what is new, gone or of another length has been looked at, and what is of its seconds."""
        change = compared(known, folders)
        del known
        self._save_files(change.files)
        counts = counted(folders, change.files.kinds)
        table = self._index()
        seconds = legacy.linked(np.unique(change.times // SECOND))
        if len(seconds):
            files = camera_files(change.files.within(seconds))
            told = in_one_layout(legacy.applied_to_part(files), nodes)
            paired = pair_files(told, keep_mismatches)
            renewed = add_place_and_time(paired, nodes)
            times = table["time"].cast(pa.int64()).fill_null(NO_TIME).to_numpy()
            stay = ~np.isin(times // SECOND, seconds)
            table = merged(table, stay, pa.Table.from_pandas(renewed, preserve_index=False), "pair_id")
            self._save(table, "index")
        return change.files.counts, counts, table.to_pandas()

    def _state(self) -> dict[str, Any] | None:
        """What was written last; None where it is not there as a whole."""
        whole = all((self.folder / name).is_file() for name in ("files.arrow", "index.parquet"))
        try:
            state: dict[str, Any] = json.loads((self.folder / "state.json").read_text())
        except (FileNotFoundError, ValueError):
            return None
        return state if whole else None

    def _index(self) -> pa.Table:
        with _reading(self.folder / "index.parquet") as path:
            return pq.read_table(path)

    def _commit(self, state: dict[str, Any]) -> None:
        """All that has been saved comes in the place of what was there, which until then is whole."""
        said = self.folder / "state.json"
        said.with_suffix(".partial").write_text(json.dumps(state))
        said.unlink(missing_ok=True)  # from here on nothing is there, until all is
        for path in [*self._saved, said]:
            path.with_suffix(".partial").replace(path)

    def _save(self, table: pa.Table, name: str) -> None:
        partial = self.folder / f"{name}.partial"
        # What differs from row to row has no use for a dictionary, and this much space costs the least time.
        few = [column for column in table.column_names if column not in _DIFFERENT]
        pq.write_table(table, partial, use_dictionary=few, compression="lz4")
        self._saved.append(self.folder / f"{name}.parquet")

    def _save_files(self, files: KnownFiles) -> None:
        partial = self.folder / "files.partial"
        files.write(partial)
        self._saved.append(self.folder / "files.arrow")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One process at a time."""
        with writing_below(self.folder.parent):
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder.with_suffix(".lock")):
                yield


class _DamagedError(Exception):
    """A file of the catalogue holds something else than was written."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path


@contextmanager
def _reading(path: Path) -> Iterator[Path]:
    try:
        yield path
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise _DamagedError(path) from error
