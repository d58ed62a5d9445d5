"""The pair index: one row a pair or a quarantined file, with what is known of it without looking at a pixel.

Columns, in this order: those of `COLUMNS`, then label columns. Paths are POSIX, from the collection's root.
"""

import hashlib
from collections.abc import Mapping

import pandas as pd

from sage_lightning.sage.nodes import Node
from sage_lightning.sage.positions import row_of
from sage_lightning.sage.sun import local_solar_time, sun_elevation

COLUMNS = (
    "pair_id",  # node-time_ns; unique among usable pairs
    "node",
    "position",  # null: not known
    "time",  # UTC, nanoseconds
    "rgb_path",  # null: missing
    "ir_path",
    "rgb_width",  # pixels, as the file's name says
    "rgb_height",
    "ir_width",
    "ir_height",
    "status",  # "ok" or "quarantined"
    "reason",  # "" or one of sage_lightning.data.quarantine
    "split",  # "train", "val", "test"; "" in quarantine
    "local_day",  # by local solar time; by UTC where the node's place is not known
    "local_hour",  # local solar time; null where the node's place is not known, as the next two
    "sun_elevation",  # degrees
    "daylight",  # "day", "twilight" or "night"
    "view",  # "sky", "horizon", "below" or "ground", null where the position does not say
    "store_row",  # where the store keeps the pair; null in quarantine
)

TWILIGHT_ENDS = -6.0  # degrees: below this sun elevation it is night (civil twilight)


def label_columns(index: pd.DataFrame) -> list[str]:
    """What is known of a pair beyond the index's own columns."""
    return [column for column in index.columns if column not in COLUMNS]


def add_place_and_time(index: pd.DataFrame, nodes: Mapping[str, Node]) -> pd.DataFrame:
    """The index with `local_day`, `local_hour`, `sun_elevation`, `daylight` and `view`.

    Args:
        index: with `node`, `position` and `time`.
        nodes: where nodes stand, by node id; may be empty.
    """
    days, hours, elevations = [], [], []
    utc_days = index["time"].dt.strftime("%Y-%m-%d")
    # Nanoseconds whatever the resolution of the column: pandas may read another one back from a file.
    times = index["time"].dt.as_unit("ns").astype("int64")
    for node_id, time_ns, known, utc_day in zip(
        index["node"], times.tolist(), index["time"].notna(), utc_days, strict=True
    ):
        node = nodes.get(node_id) if known else None
        day, hour = (utc_day, None) if node is None else local_solar_time(node.longitude, time_ns)
        days.append(day)
        hours.append(hour)
        elevations.append(None if node is None else sun_elevation(node.longitude, node.latitude, time_ns))
    elevation = pd.Series(elevations, index=index.index, dtype="float64")
    daylight = pd.Series("day", index=index.index, dtype="str")
    daylight = daylight.mask(elevation <= 0, "twilight").mask(elevation < TWILIGHT_ENDS, "night")
    view = [None if pd.isna(position) else row_of(position) for position in index["position"]]
    return index.assign(
        local_day=pd.Series(days, index=index.index, dtype="str"),
        local_hour=pd.Series(hours, index=index.index, dtype="float64"),
        sun_elevation=elevation,
        daylight=daylight.where(elevation.notna()),
        view=pd.Series(view, index=index.index, dtype="str"),
    )


def index_hash(index: pd.DataFrame) -> str:
    """sha256 over every row's paths, status, reason and labels.

    The order of the rows, the folder they lie in, the machine and the times of the files change nothing.
    """
    columns = ["rgb_path", "ir_path", "status", "reason", *sorted(label_columns(index))]
    texts = [["" if pd.isna(value) else str(value) for value in index[column].tolist()] for column in columns]
    digest = hashlib.sha256("\0".join(columns).encode())
    for row in sorted("\0".join(row) for row in zip(*texts, strict=True)):
        digest.update(f"\n{row}".encode())
    return digest.hexdigest()


def summary(index: pd.DataFrame) -> str:
    """One line: how many pairs, how they are split, and how many files are in quarantine for what."""
    pairs = index[index["status"] == "ok"]
    splits = pairs["split"].value_counts()
    dealt = ", ".join(f"{splits.get(split, 0)} {split}" for split in ("train", "val", "test"))
    line = f"{len(pairs)} pairs ({dealt})"
    held = index[index["status"] != "ok"]
    files = held[["rgb_path", "ir_path"]].notna().sum(axis="columns").groupby(held["reason"]).sum()
    total = int(files.sum())
    if held.empty:
        return f"{line}, no file in quarantine"
    reasons = ", ".join(
        f"{n} {reason}" for reason, n in files.sort_values(ascending=False, kind="stable").items()
    )
    return f"{line}, {total} file{'' if total == 1 else 's'} in quarantine: {reasons}"
