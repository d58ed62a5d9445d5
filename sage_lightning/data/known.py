"""The listing that an index was made from, kept: names, lengths, and what the names say of kind and time.

It is mapped into memory, not read: only names in folders that have changed are compared, and of these only
what lies between their common beginning and end, for new files mostly come last.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sage_lightning.data.files import OTHER, SECOND, all_files
from sage_lightning.data.listing import Folder

_EMPTY = Folder("", pa.array([], pa.large_string()), np.empty(0, dtype=np.int64), "")


@dataclass(frozen=True)
class KnownFiles:
    """The files of a listing, in its order.

    Attributes:
        folders: a listing, sorted by path.
        kinds: (n,) the code of each of its files, see `all_files`.
        times: (n,) nanoseconds, likewise.
    """

    folders: Sequence[Folder]
    kinds: npt.NDArray[np.int8]
    times: npt.NDArray[np.int64]

    @property
    def counts(self) -> dict[str, int]:
        """How many files each folder holds, which `read_known` needs."""
        return {folder.path: len(folder.names) for folder in self.folders}

    def write(self, path: Path) -> None:
        """Raises OSError; pieces of what was written stay then."""
        names = pa.concat_arrays([pa.array([], pa.large_string()), *(one.names for one in self.folders)])
        sizes = np.concatenate([np.empty(0, dtype=np.int64), *(one.sizes for one in self.folders)])
        columns = {"name": names, "bytes": sizes, "kind": self.kinds, "time_ns": self.times}
        batch = pa.record_batch(columns)
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, batch.schema) as writer:
            writer.write_batch(batch)

    def within(self, seconds: npt.NDArray[np.int64]) -> list[Folder]:
        """The camera files of these seconds, by folder."""
        rows = np.flatnonzero(np.isin(self.times // SECOND, seconds) & (self.kinds != OTHER))
        ends = np.cumsum([0, *self.counts.values()])
        cuts = np.searchsorted(rows, ends)
        return [
            folder.only(rows[first:last] - begin)
            for folder, begin, first, last in zip(self.folders, ends[:-1], cuts[:-1], cuts[1:], strict=True)
            if first < last
        ]


def known_files(folders: Sequence[Folder], files: pa.Table) -> KnownFiles:
    """What to keep of a listing and its `all_files`."""
    return KnownFiles(folders, files["kind"].to_numpy(), files["time_ns"].to_numpy())


def read_known(path: Path, counts: Mapping[str, int], digests: Mapping[str, str]) -> KnownFiles:
    """What `KnownFiles.write` has written.

    Args:
        path: of the file.
        counts: of the files in each folder, in the order of the listing.
        digests: of each folder.
    """
    with pa.memory_map(str(path)) as file:
        batch = pa.ipc.open_file(file).get_batch(0)
    names, sizes = batch["name"], batch["bytes"].to_numpy()
    starts = np.cumsum([0, *counts.values()])
    folders = [
        Folder(folder, names.slice(begin, count), sizes[begin : begin + count], digests[folder])
        for (folder, count), begin in zip(counts.items(), starts.tolist(), strict=False)
    ]
    return KnownFiles(folders, batch["kind"].to_numpy(), batch["time_ns"].to_numpy())


@dataclass(frozen=True)
class Change:
    """What has become of known files.

    Attributes:
        files: as they are now.
        times: (n,) nanoseconds, as the names of camera files say that are new, gone or of another length.
    """

    files: KnownFiles
    times: npt.NDArray[np.int64]


def compared(known: KnownFiles, folders: Sequence[Folder]) -> Change:
    """What has become of known files in a listing; only names that are not known are looked at."""
    was = {folder.path: folder for folder in known.folders}
    starts = dict(zip(was, np.cumsum([0, *known.counts.values()]).tolist(), strict=False))
    kinds, times = [known.kinds[:0]], [known.times[:0]]
    touched = [known.times[:0]]
    now = {folder.path for folder in folders}
    vanished = [
        replace(folder, names=folder.names[:0], sizes=folder.sizes[:0], digest="") for folder in known.folders
    ]
    for folder in [*folders, *(folder for folder in vanished if folder.path not in now)]:
        old = was.get(folder.path, _EMPTY)
        mine = slice(start := starts.get(folder.path, 0), start + len(old.names))
        if folder.digest == old.digest:
            kinds.append(known.kinds[mine])
            times.append(known.times[mine])
            continue
        place = _places(folder, old)
        new, there = np.flatnonzero(place < 0), place >= 0
        said = all_files([folder.only(new)])
        kind, time = np.empty(len(place), dtype=np.int8), np.empty(len(place), dtype=np.int64)
        kind[there], time[there] = known.kinds[mine][place[there]], known.times[mine][place[there]]
        kind[new], time[new] = said["kind"].to_numpy(), said["time_ns"].to_numpy()
        kinds.append(kind)
        times.append(time)
        left = known.kinds[mine] != OTHER
        left[place[there]] = False
        touched += [time[new][kind[new] != OTHER], known.times[mine][left]]
    files = KnownFiles(folders, np.concatenate(kinds), np.concatenate(times))
    return Change(files, np.concatenate(touched))


def _places(now: Folder, was: Folder) -> npt.NDArray[np.int64]:
    """(n,): where each file stood among those that were there, -1 where it is new or of another length."""
    place = np.full(len(now.names), -1, dtype=np.int64)
    most = min(len(now.names), len(was.names))
    head = _alike(now, was, slice(most), slice(most))
    place[:head] = np.arange(head)
    most -= head
    mine, yours = (slice(len(folder.names) - most, len(folder.names)) for folder in (now, was))
    tail = _alike(now, was, mine, yours, backwards=True)
    first, last = len(now.names) - tail, len(was.names) - tail
    place[first:] = np.arange(last, len(was.names))
    if head < first and head < last:
        found = pc.index_in(now.names[head:first], value_set=was.names[head:last])
        found = found.fill_null(-1).to_numpy().astype(np.int64)
        # Spelt-out bytes can make two names one: a place is taken once, and in order.
        found[found <= np.maximum.accumulate([-1, *found[:-1]])] = -1
        same = found >= 0
        same[same] = was.sizes[head:last][found[same]] == now.sizes[head:first][same]
        place[head:first] = np.where(same, found + head, -1)
    return place


def _alike(one: Folder, other: Folder, mine: slice, yours: slice, backwards: bool = False) -> int:
    """How many files of two equally long ranges are the same, from the first on or from the last."""
    same = pc.equal(one.names[mine], other.names[yours]).to_numpy(zero_copy_only=False)
    same &= one.sizes[mine] == other.sizes[yours]
    if backwards:
        same = same[::-1]
    return len(same) if same.all() else int(same.argmin())
