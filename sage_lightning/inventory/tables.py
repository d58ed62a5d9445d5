"""The tables that a reader sees, on the terminal and on the page: written out, the first columns text."""

from dataclasses import dataclass

import pandas as pd

from sage_lightning.data.files import UNKNOWN
from sage_lightning.inventory.counts import by_daylight, counts
from sage_lightning.inventory.rates import ALL
from sage_lightning.inventory.reading import GROUP
from sage_lightning.inventory.rows import AT
from sage_lightning.inventory.run import Inventory
from sage_lightning.inventory.temperatures import BINS, Temperatures

NOTHING = "–"
BARS = "▁▂▃▄▅▆▇█"
SPARKS = 16  # characters of a histogram
QUANTILE_HEADS = {"p05": "5 %", "median": "median", "p95": "95 %"}
UNIT_SIGNS = {"celsius": "°C", "kelvin": "K", "counts": "counts", "display": "display value"}


@dataclass(frozen=True)
class Shown:
    """A table as it is read.

    Attributes:
        title: above it.
        table: texts.
        file: the CSV with all of it.
        note: what its numbers are, a sentence or two.
        words: how many columns, from the left, are words; the others are numbers.
        bars: a column that only a terminal's letters can show; "" where there is none.
    """

    title: str
    table: pd.DataFrame
    file: str
    note: str = ""
    words: int = 1
    bars: str = ""


def counted(inventory: Inventory, by: str) -> Shown:
    """Pairs and quarantined files by one of node, position, month, daylight."""
    found = counts(inventory.rows, [by]) if by == "daylight" else by_daylight(inventory.rows, [by])
    words = {by: found[by]}
    if by == "node" and inventory.vsns:
        words = {by: named(inventory, found[by]), "id": found[by].str.partition(AT)[0]}
    heads = {UNKNOWN: "light unknown"}
    numbers = {
        heads.get(column, column.replace("_", " ")): found[column].map(whole) for column in found.columns[1:]
    }
    return Shown(f"By {by}", pd.DataFrame({**words, **numbers}), "counts.csv", words=len(words))


def rates(inventory: Inventory) -> Shown:
    """How fast each (node, position) makes pairs."""
    found = inventory.rates.rates
    shown = pd.DataFrame(
        {
            "node": named(inventory, found["node"]),
            "position": found["position"],
            "pairs": found["pairs"].map(whole),
            "first, UTC": found["first"].map(day),
            "last, UTC": found["last"].map(day),
            "interval": (found["usual_interval_s"] / 3600).map(duration),
            "per hour": found["pairs_per_hour"].map(plain),
            "gaps": found["gaps"].map(whole),
            "longest": found["longest_gap_h"].map(duration),
        }
    )
    note = (
        "Interval: the usual one, the median. Per hour: pairs, between the gaps. A gap is a pause of more "
        "than inventory.gap_factor usual intervals; "
        f"of a whole node ({ALL}) one in which all its positions rest."
    )
    return Shown("Production rate", shown, "rates.csv", note, words=2)


def gaps(inventory: Inventory) -> Shown:
    """The longest pauses of whole nodes."""
    found = inventory.rates.gaps
    found = found[found["position"] == ALL]
    shown = pd.DataFrame(
        {
            "node": named(inventory, found["node"]),
            "from, UTC": found["begins"].map(moment),
            "to, UTC": found["ends"].map(moment),
            "length": found["hours"].map(duration),
        }
    )
    return Shown("Longest gaps of whole nodes", shown, "gaps.csv")


def bins(inventory: Inventory, found: Temperatures) -> Shown:
    """A histogram, its quantiles, and the share of each thermal bin for every group."""
    table, sign = found.bins, UNIT_SIGNS[found.unit]
    scale, sparks = _sparks(found)
    shown = pd.DataFrame(
        {
            **{name: table[name] for name in GROUP},
            "node": named(inventory, table["node"]),
            scale: sparks,
            "frames": table["frames"].map(whole),
            **{head: table[name].map(plain) for name, head in QUANTILE_HEADS.items()},
        }
    )
    note = f"Quantiles of all pixels of the frames that were read, in {sign}."
    if found.thresholds:
        low, high = (f"{threshold:g}" for threshold in found.thresholds)
        heads = (f"< {low}", f"{low} … {high}", f"≥ {high}")
        for name, head in zip(BINS, heads, strict=True):
            shown[head] = table[name].map(percent)
        note += f" Shares of the bins of thermal.thresholds=[{low},{high}]; try others to choose."
    return Shown("Temperatures by node, season and view", shown, "bins.csv", note, words=4, bars=scale)


def excluded(inventory: Inventory) -> Shown:
    """Reasons, how many files, and what each means."""
    found = inventory.excluded
    shown = pd.DataFrame(
        {
            "reason": found["reason"],
            "meaning": found["meaning"],
            "found": found["found"],
            "files": found["files"].map(whole),
        }
    )
    return Shown("What was excluded, and why", shown, "excluded.csv", words=3)


def named(inventory: Inventory, nodes: pd.Series) -> pd.Series:
    """Nodes by the short names on their boxes, where they are known."""
    return nodes.map(lambda node: inventory.vsns.get(node) or node)


def whole(value: float) -> str:
    """12 345."""
    return NOTHING if pd.isna(value) else f"{int(value):,}".replace(",", " ")


def plain(value: float) -> str:
    """One decimal; of small numbers two digits that are not 0."""
    if pd.isna(value):
        return NOTHING
    if 0 < abs(value) < 1:
        return f"{value:.2g}"
    decimals = 0 if abs(value) >= 100 else 1
    return f"{round(value, decimals) + 0.0:,.{decimals}f}".replace(",", " ")


def percent(value: float) -> str:
    """12.3 %."""
    return NOTHING if pd.isna(value) else f"{100 * value:.1f} %"


def moment(value: pd.Timestamp) -> str:
    """To the minute."""
    return NOTHING if pd.isna(value) else f"{value:%Y-%m-%d %H:%M}"


def day(value: pd.Timestamp) -> str:
    """Without its time."""
    return NOTHING if pd.isna(value) else f"{value:%Y-%m-%d}"


def duration(hours: float) -> str:
    """In the unit that fits."""
    if pd.isna(hours):
        return NOTHING
    for unit, size in (("d", 24.0), ("h", 1.0), ("min", 1 / 60)):
        if hours >= 2 * size:
            return f"{plain(hours / size)} {unit}"
    return f"{plain(hours * 3600)} s"


def _bar(height: float) -> str:
    """Of a height in 0…1; what is not 0 shows."""
    return " " if height == 0 else BARS[min(int(height * len(BARS)), len(BARS) - 1)]


def _sparks(found: Temperatures) -> tuple[str, list[str]]:
    """The column's head with the common scale, and a line of bars for each group."""
    table = found.histograms
    low, high = table["low"].min(), table["high"].max()
    if pd.isna(low):
        return "histogram", [NOTHING] * len(found.bins)
    width = (table["high"] - table["low"]).iloc[0]
    step = max((high - low) / SPARKS, width)
    place = ((table["low"] + width / 2 - low) / step).astype("int64").clip(0, SPARKS - 1)
    shares = table.assign(place=place).pivot_table(
        index=list(GROUP), columns="place", values="share", aggfunc="sum"
    )
    shares = shares.reindex(columns=range(SPARKS)).fillna(0.0)
    shares = shares.div(shares.max(axis="columns"), axis="index")
    drawn = {
        group: "".join(
            " " if share == 0 else BARS[min(int(share * len(BARS)), len(BARS) - 1)] for share in line
        )
        for group, line in zip(shares.index, shares.to_numpy(), strict=True)
    }
    groups = found.bins[list(GROUP)].itertuples(index=False, name=None)
    return f"{low:g} … {high:g} {UNIT_SIGNS[found.unit]}", [drawn.get(group, NOTHING) for group in groups]
