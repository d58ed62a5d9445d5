"""The whole inventory: counts, rates, temperatures, what was excluded; as tables, figures and one page."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from sage_lightning.data.files import UNKNOWN
from sage_lightning.inventory.collection import Collection, unknowns
from sage_lightning.inventory.counts import counts
from sage_lightning.inventory.excluded import excluded
from sage_lightning.inventory.rates import Rates, rates_of
from sage_lightning.inventory.rows import AT, rows_of
from sage_lightning.inventory.temperatures import Temperatures, temperatures_of


@dataclass(frozen=True)
class Inventory:
    """What a collection holds.

    Attributes:
        name: of the collection.
        vsns: `node` of `rows` → the short name on its box, where the node table knows it; of a node that was
            counted at several places, with the place.
        rows: what everything was counted from, see `rows_of`.
        counts: by node, position, month and daylight.
        rates: how fast pairs come, and where they did not.
        temperatures: None where no frame was read.
        excluded: by reason.
        moves: nodes that were counted at several places, a sentence each.
        unknowns: what cannot be told and why, likewise.
    """

    name: str
    vsns: dict[str, str]
    rows: pd.DataFrame
    counts: pd.DataFrame
    rates: Rates
    temperatures: Temperatures | None
    excluded: pd.DataFrame
    moves: list[str]
    unknowns: list[str]

    @property
    def pairs(self) -> int:
        """Usable ones."""
        return int(self.counts["pairs"].sum())

    @property
    def quarantined_files(self) -> int:
        """By their names; what reading finds comes on top."""
        return int(self.counts["quarantined_files"].sum())


def take(
    collection: Collection,
    *,
    thresholds: tuple[float, ...] = (),
    frames_per_group: int = 0,
    gap_factor: float = 3.0,
    workers: int = 1,
) -> Inventory:
    """Counts, and reads a sample of thermal frames.

    Args:
        collection: what is counted.
        thresholds: between the thermal bins, in degrees; none where there are no bins.
        frames_per_group: thermal frames read for each (node, season, view); 0 reads none.
        gap_factor: a pause of more than this many usual intervals is a gap.
        workers: processes that read.
    """
    rows = rows_of(collection.index, collection.nodes)
    temperatures = None
    if collection.source is not None and frames_per_group and rows["usable"].any():
        bins = thresholds if collection.source.thermal_unit == "celsius" else ()
        temperatures = temperatures_of(rows, collection.source, bins, frames_per_group, workers)
    return Inventory(
        name=collection.name,
        vsns=_names(rows, {place.node: place.vsn for place in collection.nodes}),
        rows=rows,
        counts=counts(rows),
        rates=rates_of(rows, gap_factor),
        temperatures=temperatures,
        excluded=excluded(rows, collection.apart, None if temperatures is None else temperatures.unread),
        moves=_moves(rows, {place.node: place.vsn for place in collection.nodes}),
        unknowns=unknowns(collection),
    )


def _sites(rows: pd.DataFrame) -> pd.DataFrame:
    """`node`, `node_id` and `place` of nodes at their places, those that have moved told by their names."""
    sites = rows[["node", "node_id", "place"]].drop_duplicates().astype("str").sort_values(["node", "place"])
    return sites.assign(moved=sites["node"] != sites["node_id"])


def _names(rows: pd.DataFrame, vsns: dict[str, str]) -> dict[str, str]:
    moved = _sites(rows).query("moved")
    names = {
        site.node: f"{vsns.get(site.node_id) or site.node_id}{AT}{site.place}" for site in moved.itertuples()
    }
    return vsns | names


def _moves(rows: pd.DataFrame, vsns: dict[str, str]) -> list[str]:
    sites = _sites(rows).query("moved")
    known = sites[sites["place"] != UNKNOWN].groupby("node_id")["place"].agg(" and at ".join)
    what = "(latitude, longitude) and is counted at each by itself."
    return [f"{vsns.get(node) or node} stood at {places} {what}" for node, places in known.items()]


def write_tables(inventory: Inventory, folder: Path) -> None:
    """A CSV for each of `tables`."""
    for name, table in tables(inventory).items():
        table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n", float_format="%.6g")


def tables(inventory: Inventory) -> dict[str, pd.DataFrame]:
    """All of them by name; those of temperatures only where there are any."""
    found = {
        "counts": inventory.counts,
        "rates": inventory.rates.rates,
        "gaps": inventory.rates.gaps,
        "excluded": inventory.excluded,
    }
    if inventory.temperatures is not None:
        found |= {"temperatures": inventory.temperatures.histograms, "bins": inventory.temperatures.bins}
    sites = _sites(inventory.rows).set_index("node")
    return {name: _placed(table, sites) for name, table in found.items()}


def _placed(table: pd.DataFrame, sites: pd.DataFrame) -> pd.DataFrame:
    """With the node's id and, in a column of its own, its place."""
    if "node" not in table:
        return table
    where = sites.loc[table["node"]]
    table = table.assign(node=where["node_id"].to_numpy())
    table.insert(table.columns.get_loc("node") + 1, "place", where["place"].to_numpy())
    return table
