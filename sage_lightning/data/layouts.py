"""Files of several layouts → as if of one: VSNs become ids, and whole seconds the exact times they stand for.

Local copies name a node by its VSN and a frame by its second, the archive by id and nanosecond. Whoever has
both has a frame's two files, or its copies, under two names.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from sage_lightning.data.files import SECOND
from sage_lightning.sage.nodes import NodeTable

_EXACT = r"(?:^|/)\d{16,20}[-_][^/]*$"  # names with nanoseconds
_SECOND = ["node", "second"]


def in_one_layout(files: pd.DataFrame, nodes: NodeTable) -> pd.DataFrame:
    """Files for `pair_files`: nodes by id, as far as the table knows it, and times as exact as names tell.

    A name with a whole second is of the one exact time that other names have in that second, of the same
    node. Where there are several, or copies name several positions, the position tells; what it does not tell
    is vague.

    Args:
        files: of `camera_files`, with what lists and records know of them.
        nodes: whose id a VSN stands for.

    Returns:
        The files; where a VSN has become an id with `named`, the node as names and lists say it; where
        something is vague with `vague`, whether it is.
    """
    node = files["node"]
    ids = nodes.ids(node, files["time_ns"].to_numpy())
    if ids is not node:
        files = files.assign(node=ids, named=node)
    whole = _whole(files)
    second = files["time_ns"] // SECOND
    looked = second.isin(second[whole].unique()) if whole.any() else whole
    if (whole == looked).all():  # no other name is of these seconds
        return files
    said = files.loc[looked, ["node", "kind", "time_ns", "position"]].assign(second=second[looked])
    exact, local = said[~whole[looked]], said[whole[looked]]
    times, vague = _matched(exact, local)
    changed = files["time_ns"].copy()
    changed[times.index] = times
    files = files.assign(time_ns=changed)
    return files.assign(vague=files.index.isin(vague)) if len(vague) else files


def _whole(files: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """(n,): whether a file's name has only a whole second, and nothing else has told its time."""
    whole = files["time_ns"].to_numpy() % SECOND == 0
    if whole.any():  # an archive's name may have a whole second, too, and is exact
        whole[whole] = ~files["path"][whole].str.contains(_EXACT, regex=True).to_numpy(dtype=bool)
    return whole


def _matched(exact: pd.DataFrame, local: pd.DataFrame) -> tuple[pd.Series, pd.Index]:
    """The exact times of those local names that can be told, and the rows of those that cannot."""
    moments = exact.groupby(_SECOND)["time_ns"].agg(["nunique", "first"])
    positions = local.groupby([*_SECOND, "kind"])["position"].nunique().groupby(_SECOND).max()
    moments["alone"] = (moments["nunique"] == 1) & (positions.reindex(moments.index) <= 1)
    named = exact.dropna(subset="position")[[*_SECOND, "position", "time_ns"]].drop_duplicates()
    nameless = exact.groupby([*_SECOND, "time_ns"])["position"].count().eq(0).groupby(_SECOND).any()
    # Inner merges: rows without a partner would turn nanoseconds into floats.
    local = _merged(local.drop(columns="time_ns"), moments.assign(nameless=nameless).reset_index(), _SECOND)
    alone, several = local[local["alone"]], local[~local["alone"]]
    place = [*_SECOND, "position"]
    told = _merged(several, named.drop_duplicates(place, keep=False), place)
    # A position that no exact name has is another frame's, if every frame of that second has named one.
    known = _merged(several, named[place].drop_duplicates(), place).index
    other = several["position"].notna() & ~several["nameless"] & ~several.index.isin(known)
    vague = several.index[~other].difference(told.index)
    return pd.concat([alone["first"], told["time_ns"]]), vague


def _merged(rows: pd.DataFrame, known: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """An inner merge that keeps the rows' own index; a null is no key."""
    named = rows.dropna(subset=keys).reset_index(names="row")
    return named.merge(known, on=keys).set_index("row")
