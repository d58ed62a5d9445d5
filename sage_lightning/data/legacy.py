"""What early users left beside their files: pair lists, query records, and a folder of pairs put aside.

    pairs/<node>/<any>.txt       two lines: a picture below rgb/, a thermal file below thermal/
    bad_pairs/…                  the same lists, or files, of pairs that someone has put aside
    sage_meta/…                  records of the query API: .ndjson, .json, their .gz, .csv or .parquet

`rgb/` and `thermal/` lie beside `pairs/`; lines may begin with them, too, and lists lie at any depth. Lists
and records know what names do not say: who belongs to whom, the node, the exact time, the position.
"""

import logging
import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt
import pandas as pd

from sage_lightning.data.files import NO_TIME, SECOND, UNKNOWN, known_time
from sage_lightning.data.listing import Folder
from sage_lightning.data.told import told
from sage_lightning.sage.names import parse_name

log = logging.getLogger("sage_lightning")

_BAD = re.compile(r"(?:^|/)bad_pairs/")
_MOMENT = ["node", "time_ns"]


class Legacy:
    """The lists and records of a collection.

    Args:
        root: the collection's folder.
        folders: its listing.
        kept: where what they say is kept, see `told`.

    Attributes:
        read: how many lists and records there are.
        digest: of what they hold, the same wherever the collection lies; "" where there is none. A listing
            does not see what was edited at equal length.
        unmatched: how many lists name no two files that are there, once `applied` has looked.

    Raises:
        UserError: a list or records cannot be read.
    """

    def __init__(self, root: Path, folders: Sequence[Folder], kept: Path | None = None) -> None:
        said = told(root, folders, kept)
        self._lists, self._records = said.lists, said.records
        self.read, self.digest = said.count, said.digest
        self.unmatched = 0

    def __bool__(self) -> bool:
        """Whether there is anything that files far from it depend on."""
        return self.read > 0

    def applied(self, files: pd.DataFrame) -> pd.DataFrame:
        """Camera files with what lists and records know of them; see `pair_files` for the columns."""
        files, self.unmatched = self._told(files)
        if self.unmatched:
            log.info("%d of %d pair lists name no two files that are there", self.unmatched, len(self._lists))
        return files

    def linked(self, seconds: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Those seconds, and all that lists connect them with, by any number of lists.

        A file is paired by what is known of files of these seconds alone: records change no file's second, a
        list tells its two files about each other, and of lists that name one file the first counts.

        Args:
            seconds: (n,) since 1970, of files' names; -1 for files without a time.
        """
        while len(self._lists):
            sides = self._list_seconds
            reached = np.union1d(seconds, sides[np.isin(sides, seconds).any(axis=1)])
            if len(reached) == len(seconds):
                break
            seconds = reached
        return seconds

    def applied_to_part(self, files: pd.DataFrame) -> pd.DataFrame:
        """What `applied` says of files that are all those of seconds that are `linked`."""
        return self._told(files)[0]

    def _told(self, files: pd.DataFrame) -> tuple[pd.DataFrame, int]:
        """Files, and how many lists name no two of them."""
        if self._records is not None:
            files = _with_records(files, self._records)
        aside = [folder for folder in files["folder"].unique() if _BAD.search(f"{folder}/")]
        nowhere = pd.Series(None, files.index, dtype="str")
        files = files.assign(listed=nowhere, bad=files["folder"].isin(aside))
        if self._lists.empty:
            return files, 0
        lists = _there(self._lists, files["path"])
        return _with_lists(files, lists) if len(lists) else files, len(self._lists) - len(lists)

    @cached_property
    def _list_seconds(self) -> npt.NDArray[np.int64]:
        """(n, 2): of both names of each list whose names are camera files'."""
        named = self._lists[["picture", "thermal"]].dropna().itertuples(index=False)
        said = ([parse_name(PurePosixPath(side).name, None) for side in sides] for sides in named)
        found = ([file for file in files if file is not None] for files in said)
        rows = [[known_time(file.time_ns) // SECOND for file in files] for files in found if len(files) == 2]
        return np.array(rows, dtype=np.int64).reshape(-1, 2)


def _there(lists: pd.DataFrame, paths: pd.Series) -> pd.DataFrame:
    """The lists both of whose files are there, by their paths from the root."""
    lists = lists.copy()
    for side, folder in (("picture", "rgb/"), ("thermal", "thermal/")):
        below = lists["base"] + folder + lists[side]
        lists[side] = below.where(below.isin(paths), lists["base"] + lists[side])
    return lists[lists["picture"].isin(paths) & lists["thermal"].isin(paths)]


def _with_lists(files: pd.DataFrame, lists: pd.DataFrame) -> pd.DataFrame:
    """Both files of a list get its name, and one node and time: the picture's, or those that are known.

    Of lists that name one file the first counts.
    """
    lists = lists[~(lists["picture"].duplicated() | lists["thermal"].duplicated())]
    of_path = files.set_index("path")
    sides = [lists["picture"], lists["thermal"]]
    times = [side.map(of_path["time_ns"]) for side in sides]
    nodes = [side.map(of_path["node"]) for side in sides]
    owner = nodes[0].mask(nodes[0] == UNKNOWN, nodes[1])
    # The other's where the picture's name has none, or only the second that the other's lies in.
    rough = (times[0] == NO_TIME) | (times[0] == times[1] // SECOND * SECOND)
    lists = lists.assign(
        time_ns=times[0].where(~rough, times[1]),
        node=owner.mask(owner == UNKNOWN, lists["node"]),
    )
    told = ["list", "node", "time_ns", "bad"]
    known = pd.concat([lists[told].assign(path=side) for side in sides])
    # An inner merge: files that no list names would turn nanoseconds into floats.
    found = files[["path"]].reset_index(names="row").merge(known, on="path").set_index("row")
    files = files.copy()
    files.loc[found.index, "listed"] = found["list"]
    files.loc[found.index, _MOMENT] = found[_MOMENT]
    files.loc[found.index[found["bad"]], "bad"] = True
    return files


def _with_records(files: pd.DataFrame, records: pd.DataFrame) -> pd.DataFrame:
    """Nodes, exact times and positions that records alone know, where all records that fit say the same.

    The files of one node and time are one moment and go together, whichever of them the records are of:
    a side that knew more than the other would have lost its partner.
    """
    # They change no file's second, so those of other seconds say nothing.
    near = (records["time_ns"] // SECOND).isin((files["time_ns"] // SECOND).unique())
    records = records[near.to_numpy()]
    exact = records[["node", "time_ns", "kind"]].assign(true_node=records["node"], true_ns=records["time_ns"])
    fitting = pd.concat(
        [
            exact.assign(node=records["vsn"], time_ns=records["time_ns"] // SECOND * SECOND),
            exact.assign(node=UNKNOWN),
        ]
    )
    told = files[[*_MOMENT, "kind"]].drop_duplicates().merge(fitting, on=[*_MOMENT, "kind"])
    true = _fit(files[files["time_ns"] != NO_TIME], told.drop(columns="kind"), _MOMENT)
    files = files.copy()
    files.loc[true.index, "node"] = true["true_node"]
    files.loc[true.index, "time_ns"] = true["true_ns"]
    keys = [*_MOMENT, "kind"]
    placed = _fit(files[files["position"].isna()], records[[*keys, "position"]], keys)
    files.loc[placed.index, "position"] = placed["position"]
    return files


def _fit(files: pd.DataFrame, known: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Of the files of whose keys one thing alone is known, that, by the file's row.

    Overlapping queries give a record twice: what says the same is one thing.
    """
    alone = known.dropna().drop_duplicates().drop_duplicates(keys, keep=False)
    # An inner merge: rows without a partner would turn nanoseconds into floats.
    return files[keys].reset_index(names="row").merge(alone, on=keys).set_index("row")
