"""The report's section on what a collection is made of, in the words of what it knows."""

import pandas as pd

from sage_lightning.evaluation.known import is_known_node, known_of
from sage_lightning.evaluation.labels import NOWHERE, places
from sage_lightning.evaluation.page import Section, Table


def make_up(index: pd.DataFrame) -> Section:
    """Pairs by split and, as far as they are known, days, places and light; and what lies in quarantine."""
    usable = index[index["status"] == "ok"]
    columns = {split: _counts(usable[usable["split"] == split], usable) for split in ("train", "val", "test")}
    heads = ["split", *columns["train"]]
    tables = [Table(heads, [[split, *map(str, counts.values())] for split, counts in columns.items()])]
    held = index[index["status"] != "ok"]
    if not held.empty:
        reasons = held["reason"].value_counts()
        tables.append(
            Table(
                ["in quarantine, for", "rows"],
                [[str(reason), str(count)] for reason, count in reasons.items()],
            )
        )
    count = usable["node"][is_known_node(usable["node"])].nunique()
    nodes = f" from {count} node{'s' * (count != 1)}" if count else ""
    text = [f"{len(usable)} usable pairs{nodes}; {len(held)} rows in quarantine. {_splits(usable)}"]
    return Section("data", "Data", text, tables)


def _counts(here: pd.DataFrame, usable: pd.DataFrame) -> dict[str, int]:
    """Column of the table → number of a split, for what is known of any usable pair."""
    known = known_of(usable)
    place = places(here)
    counts = {"pairs": len(here)}
    if known.days:
        counts["local days"] = here["local_day"].nunique()
    if known.positions:
        counts["node × position" if known.nodes else "positions"] = len(set(place[place != NOWHERE]))
        if usable["position"].isna().any():
            counts["position unknown"] = int((place == NOWHERE).sum())
    lights = [light for light in ("day", "twilight", "night") if (usable["daylight"] == light).any()]
    return counts | {light: int((here["daylight"] == light).sum()) for light in lights}


def _splits(usable: pd.DataFrame) -> str:
    """What is held out from what."""
    sides = usable.groupby("local_day")["split"].nunique()
    shared = int((sides > 1).sum())
    if len(sides):
        verb = "are" if shared > 1 else "is"
        return f"Of {len(sides)} local days {shared or 'none'} {verb} in more than one split."
    if "given_split" not in usable or usable["given_split"].isna().all():
        return "Splits are dealt by hash."
    rest = ", and dealt by hash where it says none" if usable["given_split"].isna().any() else ""
    return f"Splits are those of the collection's table{rest}."
