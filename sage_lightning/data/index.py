"""The pair index: one row a pair or a quarantined file, with what is known of it without looking at a pixel.

Columns, in this order: those of `COLUMNS`, then label columns. Paths are POSIX, from the collection's root.
"""

import hashlib
from collections.abc import Collection

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from sage_lightning.sage.nodes import NodeTable
from sage_lightning.sage.positions import row_of
from sage_lightning.sage.sun import local_solar_time, sun_elevation

COLUMNS = (
    "pair_id",  # node-time_ns, the node as files name it, its id where they differ; unique among usable pairs
    "node",  # its id, also where files say the short name, if the node table knows it
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

GIVEN = ("given_split", "group")  # columns beside these that a collection's table may give
_OF_SCENES = ("local_hour", "sun_elevation", "daylight", "view")
# What says which pair it is or how it is used, not what it shows; `…_label` is a table's own column.
IDENTIFIERS = (*GIVEN, *(f"{name}_label" for name in (*COLUMNS, *GIVEN) if name not in _OF_SCENES))

TWILIGHT_ENDS = -6.0  # degrees: below this sun elevation it is night (civil twilight)


def label_columns(index: pd.DataFrame) -> list[str]:
    """What is known of a pair beyond the index's own columns."""
    return [column for column in index.columns if column not in COLUMNS]


def is_whole(column: pd.Series) -> bool:
    """Whether a column holds whole numbers; pandas makes 1.0, 2.0 … of them where one is missing."""
    if pd.api.types.is_float_dtype(column):
        known = column.dropna()
        return len(known) > 0 and bool((known % 1 == 0).all())
    return pd.api.types.is_integer_dtype(column)


def own_names(unknown: Collection[str], have: Collection[str]) -> str:
    """What to say of names that an index lacks, and that it has with `_label` behind; "" of others."""
    found = [name for name in unknown if f"{name}_label" in have]
    return "".join(f"; the table's own {name} is {name}_label" for name in found)


def add_place_and_time(index: pd.DataFrame, nodes: NodeTable) -> pd.DataFrame:
    """The index with `local_day`, `local_hour`, `sun_elevation`, `daylight` and `view`, and ids for VSNs.

    A node is one, whether files say its id or its short name, so that splits and lags take it for one.

    Args:
        index: with `node`, `position` and `time`.
        nodes: where nodes stood; may be empty.
    """
    times = _nanoseconds(index)
    index = index.assign(node=nodes.ids(index["node"], times))
    place = rows_of_nodes(index, nodes)
    longitude = np.array([*(row.longitude for row in nodes.rows), np.nan])[place]
    latitude = np.array([*(row.latitude for row in nodes.rows), np.nan])[place]
    known = place >= 0
    day = index["time"].dt.strftime("%Y-%m-%d").astype("str")
    hour = pd.Series(np.nan, index.index)
    if known.any():
        days, hours = local_solar_time(longitude[known], times[known])
        day[known], hour[known] = days, hours
    elevation = pd.Series(np.nan, index.index)
    elevation[known] = [
        sun_elevation(*row)
        for row in zip(
            longitude[known].tolist(), latitude[known].tolist(), times[known].tolist(), strict=True
        )
    ]
    daylight = pd.Series("day", index=index.index, dtype="str")
    daylight = daylight.mask(elevation <= 0, "twilight").mask(elevation < TWILIGHT_ENDS, "night")
    positions = index["position"].dropna().unique()
    views = {position: row_of(position) for position in positions}
    return index.assign(
        local_day=day,
        local_hour=hour,
        sun_elevation=elevation,
        daylight=daylight.where(elevation.notna()),
        view=pd.Series(index["position"].map(views), index=index.index, dtype="str"),
    )


def rows_of_nodes(index: pd.DataFrame, nodes: NodeTable) -> npt.NDArray[np.int64]:
    """(n,): which row of the table holds for each of the index; -1 where none does or no time is known."""
    place = nodes.places(index["node"], _nanoseconds(index))
    place[index["time"].isna().to_numpy()] = -1
    return place


def unknown_nodes(index: pd.DataFrame, nodes: NodeTable) -> list[str]:
    """Nodes, sorted, with a row whose time is known and whose place is not: its day is by UTC."""
    placeless = index["time"].notna().to_numpy() & (rows_of_nodes(index, nodes) < 0)
    return sorted(index.loc[placeless, "node"].unique())


def _nanoseconds(index: pd.DataFrame) -> npt.NDArray[np.int64]:
    # Whatever the resolution of the column: pandas may read another one back from a file.
    return index["time"].dt.as_unit("ns").astype("int64").to_numpy()


def index_hash(index: pd.DataFrame) -> str:
    """sha256 over every row's paths, status, reason and labels.

    The order of the rows, the folder they lie in, the machine and the times of the files change nothing.
    """
    return _hash(index, ["rgb_path", "ir_path", "status", "reason", *sorted(label_columns(index))])


def place_hash(index: pd.DataFrame) -> str:
    """sha256 over every row's paths, node, position and time: what else a store keeps of a listing."""
    return _hash(index.assign(time=_nanoseconds(index)), ["rgb_path", "ir_path", "node", "position", "time"])


def _hash(index: pd.DataFrame, columns: list[str]) -> str:
    texts = [_texts(index[column]) for column in columns]
    text = pa.large_string()
    rows = pc.binary_join_element_wise(*texts, pa.scalar("\0", text))
    lines = pc.binary_join_element_wise(pa.scalar("", text), rows.sort(), pa.scalar("\n", text))
    digest = hashlib.sha256("\0".join(columns).encode())
    digest.update(lines.combine_chunks().buffers()[2] or b"" if len(lines) else b"")
    return digest.hexdigest()


def _texts(column: pd.Series) -> pa.ChunkedArray:
    """Each value as Python writes it, "" for none."""
    if not pd.api.types.is_string_dtype(column):
        column = pd.Series(["" if pd.isna(value) else str(value) for value in column.tolist()], dtype="str")
    # Of a column that has been read from a file this is chunked already.
    texts = pa.array(column.fillna(""), pa.large_string())
    return texts if isinstance(texts, pa.ChunkedArray) else pa.chunked_array([texts])


def summary(index: pd.DataFrame) -> str:
    """One line: how many pairs, how they are split, and how many rows are in quarantine for what.

    A row is a pair or a file without one; what a table calls a file need not be there, or is named twice.
    """
    pairs = index[index["status"] == "ok"]
    splits = pairs["split"].value_counts()
    dealt = ", ".join(f"{splits.get(split, 0)} {split}" for split in ("train", "val", "test"))
    line = f"{len(pairs)} pairs ({dealt})"
    held = index[index["status"] != "ok"]
    if held.empty:
        return f"{line}, nothing in quarantine"
    counts = held["reason"].value_counts(sort=False).sort_index().sort_values(ascending=False, kind="stable")
    reasons = ", ".join(f"{count} {reason}" for reason, count in counts.items())
    return f"{line}, {len(held)} row{'' if len(held) == 1 else 's'} in quarantine: {reasons}"
