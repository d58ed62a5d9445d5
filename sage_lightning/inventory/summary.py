"""The short form for the terminal: the few tables that one wants first, long ones cut."""

import logging

import pandas as pd

from sage_lightning.evaluation.headline import print_table
from sage_lightning.inventory import tables
from sage_lightning.inventory.counts import KEYS
from sage_lightning.inventory.run import Inventory
from sage_lightning.inventory.tables import Shown, whole

log = logging.getLogger("sage_lightning")

MOST_ROWS = 16
FEW_ROWS = 5  # of gaps


def print_summary(inventory: Inventory) -> None:
    """Prints it."""
    log.info("%s", headline(inventory))
    for sentence in [*inventory.moves, *inventory.unknowns]:
        log.info("%s", sentence)
    for by in KEYS:
        _print(tables.counted(inventory, by))
    if len(inventory.rates.rates):
        _print(tables.rates(inventory))
    if len((pauses := tables.gaps(inventory)).table):
        _print(pauses, FEW_ROWS)
    if inventory.temperatures is not None:
        _print(tables.bins(inventory, inventory.temperatures))
    if len(inventory.excluded):
        _print(tables.excluded(inventory))


def headline(inventory: Inventory) -> str:
    """One line: how much of what, and from when to when."""
    rows = inventory.rows
    nodes = rows["node_id"].nunique()
    places = rows.loc[rows["usable"], ["node", "position"]].drop_duplicates()
    days = pd.Series(rows.loc[rows["usable"], "time"]).dropna()
    span = f", {days.min():%Y-%m-%d} to {days.max():%Y-%m-%d}" if len(days) else ""
    return (
        f"{_number(inventory.pairs, 'pair')} and {_number(inventory.quarantined_files, 'file')} "
        f"in quarantine, of {_number(nodes, 'node')} and {len(places)} (node, position){span}"
    )


def _number(count: int, what: str) -> str:
    return f"{whole(count)} {what}{'' if count == 1 else 's'}"


def cut(shown: Shown, most: int) -> tuple[pd.DataFrame, str]:
    """The first rows, and what stands below them."""
    more = len(shown.table) - most
    return shown.table.head(most), f"… {whole(more)} more in {shown.file}" if more > 0 else ""


def _print(shown: Shown, most: int = MOST_ROWS) -> None:
    table, rest = cut(shown, most)
    numbers = list(table.columns[shown.words :])
    print()
    caption = "\n".join(filter(None, (rest, shown.note)))
    print_table(table, shown.title, caption, numbers, whole=[shown.bars])
