"""How much there is of what: pairs, and files in quarantine, by any of node, position, month, daylight …"""

from collections.abc import Sequence

import pandas as pd

from sage_lightning.data.files import UNKNOWN

KEYS = ("node", "position", "month", "daylight")


def counts(rows: pd.DataFrame, by: Sequence[str] = KEYS) -> pd.DataFrame:
    """One row for each combination that occurs, in their natural order: `pairs`, `quarantined_files`.

    The sums of both columns are those of the index, whatever it is counted by.

    Args:
        rows: of `rows_of`.
        by: some of its columns.
    """
    held = rows["files"].where(~rows["usable"], 0)
    numbers = pd.DataFrame({"pairs": rows["usable"].astype("int64"), "quarantined_files": held})
    found = numbers.groupby([rows[name] for name in by], observed=True).sum().reset_index()
    return found.astype(dict.fromkeys(by, "str"))


def by_daylight(rows: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """`counts`, with the pairs of each kind of daylight, where it is known, in a column behind `pairs`."""
    found = counts(rows, by)
    lights = counts(rows[rows["usable"]], [*by, "daylight"])
    kinds = [str(kind) for kind in rows["daylight"].cat.categories if (lights["daylight"] == kind).any()]
    across = lights.pivot_table(index=list(by), columns="daylight", values="pairs", aggfunc="sum")
    if kinds == [UNKNOWN]:
        return found
    merged = found.merge(across.reindex(columns=kinds).reset_index(), on=list(by), how="left", validate="1:1")
    merged[kinds] = merged[kinds].fillna(0).astype("int64")
    return merged[[*by, "pairs", *kinds, "quarantined_files"]]
