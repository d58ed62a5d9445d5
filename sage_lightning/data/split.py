"""Train, val and test by whole local days, or by groups: neighbouring frames show the same weather.

A day's split is a function of the day's name and the seed and of nothing else: adding data moves no pair, and
all nodes hold out the same days.
"""

import hashlib

import pandas as pd

from sage_lightning.errors import UserError


def by_day(index: pd.DataFrame, val: float, test: float, seed: int) -> pd.Series:
    """The split of every row: "train", "val", "test", or "" for a row in quarantine.

    Args:
        index: with `status` and `local_day`.
        val: the share of days held out to watch training, in [0, 1).
        test: the share of days held out for evaluation, in [0, 1).
        seed: another seed deals the days differently.

    Raises:
        UserError: the shares are not legal, or a split that was asked for gets no day.
    """
    if not (0 <= val < 1 and 0 <= test < 1 and val + test < 1):
        raise UserError(
            f"data.split.val={val}, data.split.test={test}: each must be in [0, 1) and their sum below 1"
        )
    usable = index["status"] == "ok"
    place = {day: _place(day, seed) for day in sorted(index.loc[usable, "local_day"].unique())}
    split = {day: "test" if x < test else "val" if x < test + val else "train" for day, x in place.items()}
    _refuse_empty(set(split.values()), len(place), val, test)
    return pd.Series(index["local_day"].map(split).where(usable, ""), dtype="str", name="split")


def by_hash(
    usable: pd.Series, groups: pd.Series, given: pd.Series | None, val: float, test: float, seed: int
) -> pd.Series:
    """The split of every row; a group is never on two sides, unless the given splits have it so.

    Args:
        usable: whether a row is.
        groups: what must stay together.
        given: "train", "val", "test", or anything else; None deals all rows. A split that it gives no row is
            dealt from its training rows.
        val: the share of groups held out to watch training, in [0, 1).
        test: the share of groups held out for evaluation, in [0, 1).
        seed: another seed deals the groups differently.

    Raises:
        UserError: a split that was asked for gets no row.
    """
    place = groups.astype("str").map(lambda group: _place(group, seed))
    split = pd.Series("train", index=usable.index, dtype="str") if given is None else given.copy()
    have = set(split[usable])
    share = 0.0
    for name, wanted in (("test", test), ("val", val)):
        if name in have or wanted == 0:
            continue
        dealt = usable & (split == "train") & (place >= share) & (place < share + wanted)
        split = split.mask(dealt, name)
        share += wanted
    split = split.where(usable, "")
    empty = [name for name in ("train", "val", "test") if not (split == name).any()]
    if empty:
        raise UserError(
            f"data.split.val={val}, data.split.test={test}: no pair for {' and '.join(empty)} among "
            f"{int(usable.sum())}: change these shares or data.split.seed, or bring more pairs"
        )
    return pd.Series(split, dtype="str", name="split")


def _place(day: str, seed: int) -> float:
    """Where a day, or a group, lies in [0, 1)."""
    digest = hashlib.sha256(f"{seed}:{day}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def _refuse_empty(filled: set[str], days: int, val: float, test: float) -> None:
    wanted = {"train": True, "val": val > 0, "test": test > 0}
    empty = [name for name, asked in wanted.items() if asked and name not in filled]
    if not empty:
        return
    raise UserError(
        f"data.split.val={val}, data.split.test={test}: no day for {' and '.join(empty)}, "
        f"since splits are whole local days and there are {days}: "
        "change these shares or data.split.seed, or bring more days"
    )
