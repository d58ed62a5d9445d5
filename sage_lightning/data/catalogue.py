"""The index of a collection, kept between runs: what has not changed is not looked at again.

index-<hash of the folder's name and the rules>/
    files.parquet      one row a camera file
    index.parquet      one row a pair or a quarantined file, with place and time
    verdicts.parquet   what only decoding could tell, by pair id
    state.json         a digest of every folder, written last: without it nothing of this exists
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from filelock import FileLock

from sage_lightning.data.disk import writing_below
from sage_lightning.data.files import NO_TIME, camera_files
from sage_lightning.data.index import add_place_and_time
from sage_lightning.data.legacy import Legacy
from sage_lightning.data.listing import Folder, list_folders
from sage_lightning.data.pairing import pair_files
from sage_lightning.data.quarantine import DUPLICATE_CONTENT, WRONG_SIZE
from sage_lightning.data.scan import FileCounts, Scan, counted, scanned
from sage_lightning.sage.nodes import NodeTable

FORMAT = 1  # of what is written; another number makes every index again

_MOMENT = ["node", "time_ns"]
_BY_COMPARISON = (DUPLICATE_CONTENT, WRONG_SIZE)  # with other pairs, which may be others now
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

    def scan(self, nodes: NodeTable, keep_mismatches: bool) -> Scan:
        """The scan of the folder as it is now, its index with place and time.

        Args:
            nodes: where the nodes stood.
            keep_mismatches: see `pair_files`.

        Raises:
            UserError: a folder cannot be listed, or the catalogue cannot be written.
        """
        folders = list_folders(self._root)
        digests = {folder.path: folder.digest for folder in folders}
        legacy = Legacy(self._root, folders)
        places = hashlib.sha256(repr(nodes.rows).encode()).hexdigest()
        with self._locked():
            state = self._state()
            now = {"folders": digests, "places": places, "lists": legacy.digest}
            if state is not None and all(state[name] == value for name, value in now.items()):
                index = pd.read_parquet(self.folder / "index.parquet")
                return Scan(index, *(state[name] for name in _SCAN))
            listed = sum(len(folder.names) for folder in folders) - legacy.read
            (self.folder / "state.json").unlink(missing_ok=True)
            if state is None or state["places"] != places or state["lists"] or legacy:
                files = camera_files(folders)
                del folders  # of millions of files they are gigabytes
                self._save(files, "files")
                counts = counted(files)
                index = add_place_and_time(pair_files(legacy.applied(files), keep_mismatches), nodes)
                if state is None or state["content"] != counts.content:
                    self._forget(None)
            else:
                counts, index = self._renewed(folders, state["folders"], nodes, keep_mismatches)
            scan = scanned(listed, counts, index)
            self._save(index, "index")
            facts = {name: getattr(scan, name) for name in _SCAN}
            self._write(now | facts)
        return scan

    def learn(self, decoded: pd.DataFrame) -> None:
        """Keeps what decoding has told: `pair_id` and `reason`, "" where all is well, of decoded pairs."""
        with self._locked():
            known = self._verdicts()
            rest = known[~known["pair_id"].isin(decoded["pair_id"])]
            said = pd.concat([rest, decoded[["pair_id", "reason"]].astype("str")])
            self._save(said.sort_values("pair_id", ignore_index=True), "verdicts")

    def judged(self, index: pd.DataFrame) -> pd.DataFrame:
        """The index with what decoding has told of its pairs, so far."""
        failed = self._verdicts()
        failed = failed[failed["reason"] != ""].set_index("pair_id")["reason"]
        found = index["pair_id"].isin(failed.index) & (index["status"] == "ok")
        return index.assign(
            status=index["status"].mask(found, "quarantined"),
            reason=index["reason"].mask(found, index["pair_id"].map(failed)),
        )

    def _renewed(
        self, folders: Sequence[Folder], before: Mapping[str, str], nodes: NodeTable, keep_mismatches: bool
    ) -> tuple[FileCounts, pd.DataFrame]:
        """What is there now, of which only what is new, gone or of another length has been looked at."""
        known = pd.read_parquet(self.folder / "files.parquet")
        changed = [folder for folder in folders if before.get(folder.path) != folder.digest]
        doubtful = {folder.path for folder in changed} | (before.keys() - {folder.path for folder in folders})
        perhaps = known["folder"].isin(doubtful).to_numpy()
        stay, new = _compared(known[perhaps], changed)
        gone = known[perhaps][~stay]
        keep = ~perhaps
        keep[perhaps] = stay
        files = pd.concat([known[keep], new], ignore_index=True).sort_values("path", ignore_index=True)
        files["folder"] = files["folder"].astype("category")
        del known  # of millions of files it is a gigabyte
        self._save(files, "files")
        counts = counted(files)
        touched = pd.concat([gone, new])[_MOMENT].drop_duplicates()
        mine = files[_within(touched, files["node"], files["time_ns"])]
        del files
        renewed = add_place_and_time(pair_files(mine, keep_mismatches), nodes)
        index = pd.read_parquet(self.folder / "index.parquet")
        # As files name it: where the table knows better, `node` is its id.
        said = index["pair_id"].str.partition("-")[0]
        old = _within(touched, said, _nanoseconds(index["time"]))
        self._forget(index.loc[old, "pair_id"])
        parts = [part for part in (index[~old], renewed) if len(part)] or [renewed]
        index = pd.concat(parts, ignore_index=True)
        return counts, index.sort_values(["pair_id", "rgb_path", "ir_path"], ignore_index=True)

    def _state(self) -> dict[str, Any] | None:
        """What was written last; None where it is not there as a whole."""
        whole = all((self.folder / f"{name}.parquet").is_file() for name in ("files", "index"))
        try:
            state: dict[str, Any] = json.loads((self.folder / "state.json").read_text())
        except (FileNotFoundError, ValueError):
            return None
        return state if whole else None

    def _verdicts(self) -> pd.DataFrame:
        path = self.folder / "verdicts.parquet"
        return (
            pd.read_parquet(path)
            if path.is_file()
            else pd.DataFrame({"pair_id": [], "reason": []}, dtype="str")
        )

    def _forget(self, pairs: pd.Series | None) -> None:
        """Verdicts on files that are others now, and those that depend on all files; None: on all."""
        known = self._verdicts()
        if len(known):
            other = known["pair_id"].isin([] if pairs is None else pairs) | known["reason"].isin(
                _BY_COMPARISON
            )
            self._save(known[:0] if pairs is None else known[~other], "verdicts")

    def _write(self, state: dict[str, Any]) -> None:
        partial = self.folder / "state.partial"
        partial.write_text(json.dumps(state))
        partial.replace(self.folder / "state.json")

    def _save(self, table: pd.DataFrame, name: str) -> None:
        partial = self.folder / f"{name}.partial"
        table.to_parquet(partial, index=False)
        partial.replace(self.folder / f"{name}.parquet")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One process at a time."""
        with writing_below(self.folder.parent):
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder.with_suffix(".lock")):
                yield


def _compared(known: pd.DataFrame, changed: Sequence[Folder]) -> tuple[npt.NDArray[np.bool_], pd.DataFrame]:
    """Which known files of changed folders are as they were, and what there is instead of the others."""
    stay = np.zeros(len(known), dtype=np.bool_)
    rows_of = known.groupby("folder", observed=True).indices
    fresh = []
    for folder in changed:
        rows = rows_of.get(folder.path, np.empty(0, dtype=np.int64))
        was = known.iloc[rows]
        paths = pa.array(was["path"], pa.large_string())
        place = pc.index_in(folder.paths(), value_set=paths).fill_null(-1).to_numpy()
        same = place >= 0
        same[same] = was["bytes"].to_numpy()[place[same]] == folder.sizes[same]
        stay[rows[place[same]]] = True
        new = np.flatnonzero(~same)
        fresh.append(replace(folder, names=folder.names.take(pa.array(new)), sizes=folder.sizes[new]))
    return stay, camera_files(fresh)


def _within(moments: pd.DataFrame, nodes: pd.Series, times: pd.Series) -> npt.NDArray[np.bool_]:
    """Whether each row's node and time are among the moments."""
    found = times.isin(moments["time_ns"]).to_numpy(copy=True)
    few = pd.MultiIndex.from_arrays([nodes[found], times[found]])
    found[found] = few.isin(pd.MultiIndex.from_frame(moments))
    return found


def _nanoseconds(times: pd.Series) -> pd.Series:
    return times.dt.as_unit("ns").astype("int64").where(times.notna(), NO_TIME)
