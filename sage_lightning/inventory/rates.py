"""How fast each camera position makes pairs, and where it paused: from the times of its usable pairs alone.

Of n pairs in order of time there are n-1 intervals. Their median, zeros aside, is the usual one; a longer
interval than `gap_factor` times that is a gap. The rate is that of the work between the gaps.
"""

from typing import NamedTuple

import pandas as pd

ALL = "all"  # the position of a row for a whole node
_HOUR = 3600.0

RATES = (
    "node",
    "position",
    "pairs",
    "first",
    "last",
    "usual_interval_s",
    "hours_at_work",
    "pairs_per_hour",
    "gaps",
    "hours_in_gaps",
    "longest_gap_h",
)
GAPS = ("node", "position", "begins", "ends", "hours")


class Rates(NamedTuple):
    """Both tell of each node as a whole, whose position is then "all", and of each (node, position).

    Attributes:
        rates: columns `RATES`, whole nodes first; null where too few pairs tell.
        gaps: columns `GAPS`, the longest first: the last pair before and the first after it.
    """

    rates: pd.DataFrame
    gaps: pd.DataFrame


def rates_of(rows: pd.DataFrame, gap_factor: float) -> Rates:
    """The rates of rows of `rows_of`; rows without a time, and those in quarantine, have none.

    A node as a whole goes from position to position, and rests between two rounds: it pauses where it is
    still for longer than its positions' usual interval allows.
    """
    timed = rows.loc[rows["usable"] & rows["time"].notna(), ["node", "position", "time"]]
    timed = timed.assign(time=timed["time"].dt.as_unit("ns"))
    by_position = _intervals(timed, ["node", "position"])
    usual = by_position.loc[by_position["seconds"] > 0].groupby(["node", "position"], observed=True)[
        "seconds"
    ]
    places = usual.median()
    positions = by_position.join(places.rename("usual"), on=["node", "position"])
    whole = _intervals(timed, ["node"]).assign(position=ALL)
    own = whole.loc[whole["seconds"] > 0].groupby("node", observed=True)["seconds"].median()
    rounds = places.groupby("node", observed=True).median().reindex(own.index).fillna(own)
    nodes = whole.join(rounds.rename("usual"), on="node")
    parts = [_rates(part, gap_factor) for part in (nodes, positions)]
    gaps = pd.concat([part.gaps for part in parts], ignore_index=True)
    gaps = gaps.sort_values(["hours", "begins"], ascending=[False, True], kind="stable", ignore_index=True)
    return Rates(pd.concat([part.rates for part in parts], ignore_index=True), gaps)


def _intervals(timed: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """In order of time, with `before`, the group's pair before, and `seconds` since it; null at its first."""
    timed = timed.sort_values([*by, "time"], kind="stable", ignore_index=True)
    before = timed.groupby(by, observed=True)["time"].shift()
    return timed.assign(before=before, seconds=(timed["time"] - before).dt.total_seconds())


def _rates(intervals: pd.DataFrame, gap_factor: float) -> Rates:
    by = ["node", "position"]
    is_gap = intervals["seconds"] > gap_factor * intervals["usual"]
    works = intervals["seconds"].notna() & ~is_gap
    hours = intervals["seconds"] / _HOUR
    intervals = intervals.assign(
        at_work=hours.where(works), steps=works, gap=is_gap, in_gaps=hours.where(is_gap)
    )
    groups = intervals.groupby(by, observed=True, sort=True)
    found = groups.agg(
        pairs=("time", "size"),
        first=("time", "min"),
        last=("time", "max"),
        usual_interval_s=("usual", "first"),
        hours_at_work=("at_work", "sum"),
        steps=("steps", "sum"),
        gaps=("gap", "sum"),
        hours_in_gaps=("in_gaps", "sum"),
        longest_gap_h=("in_gaps", "max"),
    ).reset_index()
    at_work = found["hours_at_work"].where(found["hours_at_work"] > 0)
    found = found.assign(pairs_per_hour=found["steps"] / at_work)
    gaps = intervals[is_gap].rename(columns={"before": "begins", "time": "ends", "in_gaps": "hours"})
    texts = dict.fromkeys(by, "str")
    return Rates(found[list(RATES)].astype(texts), gaps[list(GAPS)].astype(texts))
