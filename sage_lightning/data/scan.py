"""Folder → pair index: lists a folder of camera files and pairs them, by names, lists and records."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from sage_lightning.data.files import KINDS, all_files, content_of, only_cameras
from sage_lightning.data.layouts import in_one_layout
from sage_lightning.data.legacy import Legacy
from sage_lightning.data.listing import Folder, list_folders, names_of
from sage_lightning.data.pairing import pair_files
from sage_lightning.data.quarantine import MARKED_BAD, PLOT
from sage_lightning.sage.names import node_of, parse_name
from sage_lightning.sage.nodes import NodeTable

NOWHERE = NodeTable()

_PICTURE, _THERMAL = KINDS.index("picture"), KINDS.index("thermal")
_MOST_NAMES = 20_000  # that are looked at to say beforehand that there is no pair; a scan says it of all


@dataclass(frozen=True)
class Scan:
    """What a folder holds.

    Attributes:
        index: the pair index as far as names and places in the folder give it, sorted by pair id.
        pictures: the number of picture files.
        thermals: the number of thermal files.
        others: the number of files that are neither, such as plots; they are counted and not listed.
        content: a hash of every listed file's path and length: where it differs, files must be decoded again.
    """

    index: pd.DataFrame
    pictures: int
    thermals: int
    others: int
    content: str


def scan_folder(root: Path, keep_mismatches: bool = False, nodes: NodeTable = NOWHERE) -> Scan:
    """Lists `root` with all folders below it, links included, and pairs what it finds.

    Args:
        root: the folder.
        keep_mismatches: see `pair_files`.
        nodes: whose id a name's VSN stands for.

    Raises:
        UserError: a folder cannot be listed, or records beside the files cannot be read.
    """
    folders = list_folders(root)
    files = all_files(folders)
    counts = counted(folders, kinds_of(files))
    legacy = Legacy(root, folders)
    index = pair_files(in_one_layout(legacy.applied(only_cameras(files)), nodes), keep_mismatches)
    return scanned(sum(len(folder.names) for folder in folders) - legacy.read, counts, index)


class FileCounts(NamedTuple):
    """Pictures, thermal files, and a hash of both; see `Scan`."""

    pictures: int
    thermals: int
    content: str


def kinds_of(files: pa.Table) -> npt.NDArray[np.int8]:
    """(n,): the codes of `all_files`."""
    return files["kind"].to_numpy()


def counted(folders: Sequence[Folder], kinds: npt.NDArray[np.int8]) -> FileCounts:
    """Of camera files, plots left out.

    Args:
        folders: a listing.
        kinds: (n,) the code of each of its files.
    """
    wanted = (kinds == _PICTURE) | (kinds == _THERMAL)
    ends = np.cumsum([0, *(len(folder.names) for folder in folders)])
    masks = (wanted[begin:end] for begin, end in pairwise(ends))
    listed = [
        folder if mask.all() else folder.only(np.flatnonzero(mask))
        for folder, mask in zip(folders, masks, strict=True)
    ]
    pictures, thermals = (int(np.count_nonzero(kinds == kind)) for kind in (_PICTURE, _THERMAL))
    return FileCounts(pictures, thermals, content_of(listed))


def scanned(listed: int, counts: FileCounts, index: pd.DataFrame) -> Scan:
    """The scan of files that are paired already.

    Args:
        listed: how many files there are, lists and records left out.
        counts: of the camera files among them.
        index: of the pairs.
    """
    others = listed - counts.pictures - counts.thermals - _plots_shown(index)
    return Scan(index, counts.pictures, counts.thermals, others, counts.content)


def _plots_shown(index: pd.DataFrame) -> int:
    """How many plots stand in a picture's place, also where someone has put their thermal file aside."""
    paths = index.loc[index["reason"].isin((PLOT, MARKED_BAD)), "rgb_path"].dropna().unique()
    files = (
        parse_name(name, node_of(folder)) for folder, _, name in (path.rpartition("/") for path in paths)
    )
    return sum(file is not None and file.kind == "plot" for file in files)


def pairless(root: Path, nodes: NodeTable) -> str | None:
    """What to say of a folder without a pair; None where there is one, or too much to be searched."""
    kinds: dict[tuple[str | None, int], str] = {}
    for count, (folder, name) in enumerate(names_of(root)):
        file = parse_name(name, node_of(folder))
        if count == _MOST_NAMES:
            return None
        if file is None or file.kind == "plot" or file.time_ns is None:
            continue
        if kinds.setdefault((file.node, file.time_ns), file.kind) != file.kind:
            return None
    return without_pair(root, scan_folder(root, nodes=nodes))


def without_pair(root: Path, scan: Scan) -> str | None:
    """What to say of a scan without a pair; None where there is one."""
    if (scan.index["rgb_path"].notna() & scan.index["ir_path"].notna()).any():
        return None
    return (
        f"data.root={root} holds no pair: looked for pictures (*.jpg) and thermal files "
        "(*.thermal.celsius*.csv) of the same node and timestamp; "
        f"found {scan.pictures} pictures, {scan.thermals} thermal files and {scan.others} other files"
    )
