"""What an inventory is made of: a pair index, and what is known of the collection beside it."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from sage_lightning.inventory.excluded import EXAMPLES, NO_CAMERA_FILE, Apart
from sage_lightning.inventory.reading import ThermalSource
from sage_lightning.sage.names import parse_path
from sage_lightning.sage.nodes import Node


@dataclass(frozen=True)
class Collection:
    """A collection.

    Attributes:
        name: where it lies, for the reader.
        index: with what `add_place_and_time` adds.
        source: reads its thermal files; None where there are only records of them.
        nodes: places of nodes.
        apart: what stands in no row of the index.
    """

    name: str
    index: pd.DataFrame
    source: ThermalSource | None
    nodes: Sequence[Node] = ()
    apart: Sequence[Apart] = ()


def other_files(root: Path, count: int) -> Apart:
    """Files of a folder that are neither picture nor thermal file, with the first few of them by path."""
    examples = [path for _, path in zip(range(min(count, EXAMPLES)), _others(root), strict=False)]
    return Apart(NO_CAMERA_FILE, count, examples)


def unknowns(collection: Collection) -> list[str]:
    """What cannot be told of this collection and why, a sentence each."""
    index = collection.index
    return list(_unknowns(index, from_records=collection.source is None))


def _unknowns(index: pd.DataFrame, *, from_records: bool) -> Iterator[str]:
    if from_records:
        yield "Query records name files and do not hold them: file sizes and temperatures are unknown."
    timed = index["time"].notna()
    if not timed.all():
        files = int(index.loc[~timed, ["rgb_path", "ir_path"]].notna().sum().sum())
        yield f"Without a time: {_files(files)}, left out of rates and of the picture of coverage."
    placeless = index[timed & index["sun_elevation"].isna()]
    nodes = sorted(placeless["node"].unique())
    if len(nodes) and len(placeless) == int(timed.sum()):
        yield (
            "No node's place is known (data.nodes): daylight and seasons are unknown, and months are by UTC."
        )
    elif len(nodes):
        some = ", ".join(nodes[:EXAMPLES]) + (" …" if len(nodes) > EXAMPLES else "")
        yield f"data.nodes does not say where {some} stood: daylight is unknown there, and months are by UTC."
    if index["position"].isna().all():
        yield "No file names a position, so views are unknown."


def _files(count: int) -> str:
    return f"{count} file{'' if count == 1 else 's'}"


def _others(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root, followlinks=True):
        folders.sort()
        for name in sorted(names):
            path = Path(folder, name).relative_to(root).as_posix()
            file = parse_path(path)
            if file is None or file.kind == "plot":
                yield path
