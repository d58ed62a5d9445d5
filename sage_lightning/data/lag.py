"""Pairs of pairs: what the same camera position saw some time later, for whoever wants to forecast."""

import pandas as pd

from sage_lightning.data.index import rows_of_nodes
from sage_lightning.sage.nodes import NodeTable

_NO_TABLE = NodeTable()


def pairs_at_lag(
    index: pd.DataFrame, lag: pd.Timedelta, tolerance: pd.Timedelta, nodes: NodeTable = _NO_TABLE
) -> pd.DataFrame:
    """For each usable pair the one of its (node, position) that is nearest to a lag later, if one is near.

    Where the node table has another row by then, as after a move, there is none.

    Args:
        index: a pair index; pairs without time or position are left out.
        lag: above 0.
        tolerance: how far from the lag the later pair may be; below the lag.
        nodes: where nodes stood; without it no move is known.

    Returns:
        `node`, `position`, `pair_id`, `time`, `later_pair_id`, `later_time`, `lag_seconds`, and `split`,
        which is "" where the two are not of one split, sorted by node, position and time.
    """
    usable = index[(index["status"] == "ok") & index["time"].notna() & index["position"].notna()]
    usable = usable.assign(place=rows_of_nodes(usable, nodes))
    columns = ["node", "position", "place", "pair_id", "time", "split"]
    earlier = usable[columns].assign(due=usable["time"] + lag).sort_values("due")
    later = usable[columns].sort_values("time")
    later = later.rename(columns={name: f"later_{name}" for name in ("pair_id", "time", "split")})
    found = pd.merge_asof(
        earlier,
        later,
        left_on="due",
        right_on="later_time",
        by=["node", "position", "place"],
        direction="nearest",
        tolerance=tolerance,
    ).dropna(subset="later_pair_id")
    found["lag_seconds"] = (found["later_time"] - found["time"]).dt.total_seconds()
    found["split"] = found["split"].where(found["split"] == found["later_split"], "")
    kept = ["node", "position", "pair_id", "time", "later_pair_id", "later_time", "lag_seconds", "split"]
    return found[kept].sort_values(["node", "position", "time"], ignore_index=True)
