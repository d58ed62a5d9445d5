"""What all tables count by: the pair index with its nulls named, in columns that group fast."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from sage_lightning.data.files import UNKNOWN
from sage_lightning.sage.nodes import Node
from sage_lightning.sage.positions import VIEWS

LIGHTS = ("day", "twilight", "night")
QUARTERS = ("Dec–Feb", "Mar–May", "Jun–Aug", "Sep–Nov")
SEASONS = ("winter", "spring", "summer", "autumn")  # meteorological, as the north has them in these quarters


def rows_of(index: pd.DataFrame, nodes: Iterable[Node] = ()) -> pd.DataFrame:
    """A row for each of the index, in its order.

    Args:
        index: as `add_place_and_time` leaves it.
        nodes: places of nodes; they tell the hemisphere.

    Returns:
        `node`, `position`, `month` ("2023-05"), `season`, `daylight`, `view`: categories in their natural
        order, "unknown" where the index has null; a node of unknown place has quarters of a year for seasons.
        `time` and `pair_id`, `reason`, `rgb_path`, `ir_path` as in the index; `usable`; `files`: how many the
        row stands for.
    """
    month = index["local_day"].str.slice(0, 7)
    texts = {
        "node": index["node"],
        "position": index["position"],
        "month": month,
        "season": _season(month, index["node"], nodes),
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


def _season(month: pd.Series, node: pd.Series, nodes: Iterable[Node]) -> pd.Series:
    """Dec–Feb is one of them: the quarter of a month is that of the month after it, less one."""
    south = {name: place.latitude < 0 for place in nodes for name in (place.node, place.vsn)}
    number = pd.to_numeric(month.str.slice(5, 7), errors="coerce")
    known = number.notna()
    quarter = (number.fillna(0).astype("int64") % 12 // 3).to_numpy()
    hemisphere = node.astype("str").map({name: 2 if is_south else 0 for name, is_south in south.items()})
    placed = hemisphere.notna().to_numpy(dtype=bool)
    turned = (quarter + hemisphere.fillna(0).to_numpy(dtype=np.int64)) % 4
    names = np.where(placed, np.array(SEASONS)[turned], np.array(QUARTERS)[quarter])
    return pd.Series(names, index=month.index, dtype="str").where(known)
