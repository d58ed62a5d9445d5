"""What all tables count by: the pair index with its nulls named, in columns that group fast."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sage_lightning.data.files import UNKNOWN
from sage_lightning.data.index import rows_of_nodes
from sage_lightning.sage.nodes import Node, NodeTable
from sage_lightning.sage.positions import VIEWS

LIGHTS = ("day", "twilight", "night")
QUARTERS = ("Dec–Feb", "Mar–May", "Jun–Aug", "Sep–Nov")
AT = " at "  # between a node's name and its place, where it has stood at several
SEASONS = ("winter", "spring", "summer", "autumn")  # meteorological, as the north has them in these quarters


def rows_of(index: pd.DataFrame, nodes: Iterable[Node] = ()) -> pd.DataFrame:
    """A row for each of the index, in its order.

    Args:
        index: as `add_place_and_time` leaves it.
        nodes: places of nodes; they tell the hemisphere, and that a node has moved.

    Returns:
        `node`, `position`, `month` ("2023-05"), `season`, `daylight`, `view`: categories in their natural
        order, "unknown" where the index has null; where a node's place is not known at the time, quarters of
        a year stand for seasons. A node that was counted at several places is a `node` at each of them, its
        name followed by `AT` and the place; `node_id` is its name alone, `place` its latitude and longitude.
        `time` and `pair_id`, `reason`, `rgb_path`, `ir_path` as in the index; `usable`; `files`: how many the
        row stands for.
    """
    month = index["local_day"].str.slice(0, 7)
    table = NodeTable(nodes)
    held = rows_of_nodes(index, table)
    place = _place(index["node"], held, table)
    texts = {
        "node": _node_at(index["node"], place),
        "node_id": index["node"],
        "place": place,
        "position": index["position"],
        "month": month,
        "season": _season(month, held, table),
        "daylight": index["daylight"],
        "view": index["view"],
    }
    orders = {"season": [*SEASONS, *QUARTERS], "daylight": LIGHTS, "view": VIEWS}
    columns = {name: _category(text, orders.get(name)) for name, text in texts.items()}
    kept = {name: index[name] for name in ("pair_id", "time", "reason", "rgb_path", "ir_path")}
    files = index[["rgb_path", "ir_path"]].notna().sum(axis="columns").astype("int64")
    return pd.DataFrame({**columns, **kept, "usable": index["status"] == "ok", "files": files})


def natural(name: str) -> tuple[int, int, str]:
    """The key that sorts "2" before "10", numbers before words, and what is unknown last."""
    if name == UNKNOWN:
        return 2, 0, name
    return (0, int(name), name) if name.isdecimal() else (1, 0, name)


def _category(texts: pd.Series, order: Iterable[str] | None) -> pd.Series:
    named = texts.astype("str").fillna(UNKNOWN).astype("category")
    there = [str(name) for name in named.cat.categories]
    places = sorted(there, key=natural) if order is None else [*order, UNKNOWN]
    return named.cat.set_categories([name for name in places if name in there], ordered=True)


def _place(node: pd.Series, held: NDArray[np.int64], table: NodeTable) -> pd.Series:
    """Latitude and longitude at the time; of files at no known place those of the node's only one."""
    places = np.array([*(f"{row.latitude:g},{row.longitude:g}" for row in table.rows), UNKNOWN], dtype=object)
    place = pd.Series(places[held], index=node.index, dtype="str")
    known = held >= 0
    only = place[known].groupby(node[known]).agg(["nunique", "first"])
    alone = only.loc[only["nunique"] == 1, "first"]
    return place.where(known, node.map(alone).astype("str").fillna(UNKNOWN))


def _node_at(node: pd.Series, place: pd.Series) -> pd.Series:
    moved = place.groupby(node).nunique()
    several = node.isin(moved.index[moved > 1])
    return node.where(~several, node + AT + place)


def _season(month: pd.Series, held: NDArray[np.int64], table: NodeTable) -> pd.Series:
    """Dec–Feb is one of them: the quarter of a month is that of the month after it, less one."""
    number = pd.to_numeric(month.str.slice(5, 7), errors="coerce")
    known = number.notna()
    quarter = (number.fillna(0).astype("int64") % 12 // 3).to_numpy()
    south = np.array([*(row.latitude < 0 for row in table.rows), False])[held]
    turned = (quarter + 2 * south) % 4
    names = np.where(held >= 0, np.array(SEASONS)[turned], np.array(QUARTERS)[quarter])
    return pd.Series(names, index=month.index, dtype="str").where(known)
