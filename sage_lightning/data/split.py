"""Train, val and test by whole groups, such as local days: neighbouring frames show the same weather.

A group's split is a function of its name and the seed and of nothing else: adding data moves no pair, and all
nodes hold out the same days.
"""

import datetime
import hashlib
from collections.abc import Collection
from dataclasses import dataclass

import pandas as pd

from sage_lightning.errors import UserError

SPLITS = ("train", "val", "test")
HELD_OUT = ("test", "val")  # in the order in which they are dealt
KINDS = ("day", "node", "position")  # beside the names of columns

MOST_GAP_DAYS = 366


_FEW_ROWS, _FEW = 2, 0.1  # or this part of the share: they are no split of their own


class EmptySplitError(UserError):
    """A split that was asked for has no pair."""


@dataclass(frozen=True)
class Split:
    """How pairs are dealt.

    Attributes:
        val: share of groups held out to watch training, in [0, 1).
        test: share of groups held out for evaluation, in [0, 1).
        seed: another seed deals the groups differently.
        by: what makes a group: "day" (local solar), "node", "position" (of one node), or a column of the
            index, such as one of sequences; None for what the collection is usually dealt by.
        gap_days: local days on either side of another split's days that are left out, of training first.
        deal: which of "val" and "test" are dealt from the training rows of a table that says splits; None:
            see `unsaid`.
        refuse_few: False for runs of before `deal`: a few rows that say a split were all of it for them.

    Raises:
        UserError: shares or splits that are none, or a gap between groups that are no days.
    """

    val: float
    test: float
    seed: int = 0
    by: str | None = None
    gap_days: int = 0
    deal: tuple[str, ...] | None = None
    refuse_few: bool = True

    def __post_init__(self) -> None:
        if not (0 <= self.val < 1 and 0 <= self.test < 1 and self.val + self.test < 1):
            raise UserError(f"{self._shares}: each must be in [0, 1) and their sum below 1")
        if not 0 <= self.gap_days <= MOST_GAP_DAYS:
            raise UserError(f"data.split.gap_days={self.gap_days}: must be 0 to {MOST_GAP_DAYS}")
        if not set(self.deal or ()) <= set(HELD_OUT):
            raise UserError(f"data.split.deal=[{','.join(self.deal or ())}]: each must be val or test")
        if self.gap_days and self.by not in (None, "day"):
            raise UserError(
                f"data.split.gap_days={self.gap_days}: splits by {self.by} have no days between; "
                "use data.split.by=day"
            )

    @property
    def _shares(self) -> str:
        return f"data.split.val={self.val}, data.split.test={self.test}"

    def share(self, name: str) -> float:
        """Of "val" or "test"."""
        return self.test if name == "test" else self.val

    def name_of(self, group: str, dealt: Collection[str] = HELD_OUT) -> str:
        """The split of a group, where only these are dealt."""
        place = _place(group, self.seed)
        for name in HELD_OUT:
            if name in dealt:
                if place < self.share(name):
                    return name
                place -= self.share(name)
        return "train"

    def refuse_empty(self, split: pd.Series, groups: pd.Series) -> None:
        """A split that was asked for must have a pair.

        Raises:
            EmptySplitError: it has none.
        """
        wanted = {"train": True, "val": self.val > 0, "test": self.test > 0}
        empty = [name for name, asked in wanted.items() if asked and not (split == name).any()]
        if not empty:
            return
        count = groups[split != ""].nunique() if (split != "").any() else groups.nunique()
        unit = "pair" if self.by == "pair_id" else self.by
        raise EmptySplitError(
            f"{self._shares}: no {unit} for {' and '.join(empty)}, since splits are whole {unit}s and there "
            f"are {count}: change these shares or data.split.seed, or bring more {unit}s"
        )


def dealt(index: pd.DataFrame, split: Split, given: pd.Series | None = None) -> pd.Series:
    """The split of every row: "train", "val", "test", or "" in quarantine and near a split's edge.

    Args:
        index: with `status`, `pair_id`, `node`, `position` and what `split.by` names.
        split: how; its `by` is said.
        given: "train", "val", "test", or anything else, for each row; those of `split.deal`, which is said
            then, are dealt from its training rows. None deals all rows.

    Raises:
        UserError: there is no such column, a gap between splits that are given, splits to be dealt beside
            given ones where none are given, or a split that was asked for gets no pair.
    """
    if given is not None and split.gap_days:
        raise UserError(f"data.split.gap_days={split.gap_days}: the table says the splits; leave it out")
    if given is None and split.deal is not None:
        raise UserError(f"data.split.deal=[{','.join(split.deal)}]: no table says splits; leave it out")
    usable = index["status"] == "ok"
    groups = _groups(index, split.by)
    names = HELD_OUT if split.deal is None else split.deal
    drawn = groups.map({group: split.name_of(group, names) for group in groups.unique()})
    found = drawn if given is None else given.where(given != "train", drawn)
    found = pd.Series(found.where(usable, ""), dtype="str", name="split")
    if split.gap_days:
        found = found.mask(_near_an_edge(groups, found, split), "")
    split.refuse_empty(found, groups)
    return found


def unsaid(given: pd.Series, split: Split, column: str) -> tuple[str, ...]:
    """Those of "val" and "test" that no row says: they are dealt from the training rows.

    One row that is added and says "val" would send all that were dealt back to training.

    Args:
        given: what each row says.
        split: the shares that are wanted.
        column: that says it.

    Raises:
        UserError: a few rows say one, nobody knows whether they are all of it, and the split refuses that.
    """
    counts = given.value_counts()
    lines = []
    for name in HELD_OUT:
        count, share = int(counts.get(name, 0)), split.share(name)
        if split.refuse_few and 0 < count <= max(
            _FEW_ROWS, _FEW * share * (count + int(counts.get("train", 0)))
        ):
            rows = "row says" if count == 1 else "rows say"
            lines.append(
                f"data.columns.split={column}: only {count} {rows} {name}, with data.split.{name}={share}: "
                f"data.split.deal=[{name}] deals that share of the training rows "
                "beside them, as if there were none; data.split.deal=[] takes the table as it is"
            )
    if lines:
        raise UserError(*lines)
    return tuple(name for name in HELD_OUT if name not in counts)


def _groups(index: pd.DataFrame, by: str | None) -> pd.Series:
    """What must stay together, by name; where that is not known each pair stands alone."""
    assert by is not None, "the source says it where the user does not"
    if by == "position":
        return index["node"] + "/" + index["position"].fillna("unknown")
    column = {"day": "local_day"}.get(by, by)
    if column not in index:
        legal = ", ".join([*KINDS, *sorted(set(index.columns) - {*KINDS, "local_day"})])
        raise UserError(f"data.split.by={by}: not one of {legal}")
    return index[column].astype("str").fillna(index["pair_id"])


def _near_an_edge(groups: pd.Series, found: pd.Series, split: Split) -> pd.Series:
    """Whether a pair's day is near one of a split that goes before its own, be there pairs of it or not."""
    rank = {"test": 0, "val": 1, "train": 2, "": -1}
    near = {}
    for day in groups.unique():
        try:
            date = datetime.date.fromisoformat(day)
        except ValueError:
            near[day] = 2  # of unknown day, and near to none
            continue
        steps = [step for step in range(-split.gap_days, split.gap_days + 1) if step]
        neighbours = [split.name_of((date + datetime.timedelta(days=step)).isoformat()) for step in steps]
        near[day] = min(rank[name] for name in neighbours)
    return groups.map(near) < found.map(rank)


def _place(group: str, seed: int) -> float:
    """Where a group lies in [0, 1)."""
    digest = hashlib.sha256(f"{seed}:{group}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
