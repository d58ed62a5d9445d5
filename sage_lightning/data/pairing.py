"""Files → pairs: who belongs to whom, by node and time, and what cannot be told.

Nothing is opened here. Every file ends in one row: in a pair, or in quarantine with its reason.
"""

import pandas as pd

from sage_lightning.data import quarantine
from sage_lightning.data.files import NO_TIME, UNKNOWN

_MOMENT = ["node", "time_ns"]


def pair_files(files: pd.DataFrame, keep_mismatches: bool = False) -> pd.DataFrame:
    """The pair index of listed files, sorted by pair id.

    Of several files that say the same of themselves one is taken, the others are duplicates: one that someone
    has put aside before others, for a frame that is marked bad is so in whatever folder copies lie; then one
    that a list names, then the longest, for a copy may have been cut, then the first by path.
    Files that say different positions at one node and time, as names with whole seconds may, are paired by
    position; what has no position to go by is ambiguous. A pair whose two files name two positions is
    quarantined and its position null: one of the two is wrong, and nothing says which.

    Args:
        files: one row a file: `path`, `kind` ("picture", "thermal", or "plot", which matters only where a
            picture is missing), `node`, `time_ns`, `position`, `width`, `height`; `time_ns` is `NO_TIME`
            where nothing says it. Optional: `bytes`, the file's length; `listed`, the pair list that names a
            file, null for none, by which files without a time are paired; `bad`, whether someone has put the
            file aside; `named` and `vague`, see `in_one_layout`.
        keep_mismatches: uses pairs whose two names differ in position, which is then unknown.
    """
    if not files["path"].is_monotonic_increasing:
        files = files.sort_values("path")
    listed = files["listed"] if "listed" in files else pd.Series(None, files.index, dtype="str")
    files = files.assign(listed=listed, bad=files.get("bad", False), vague=files.get("vague", False))
    files["empty"] = files["bytes"] == 0 if "bytes" in files else False
    plots, files = files[(files["kind"] == "plot") & ~files["vague"]], files[files["kind"] != "plot"]
    timeless = files["time_ns"] == NO_TIME
    positions = files.groupby([*_MOMENT, "kind"])["position"].transform("nunique")
    crowded = positions.groupby([files[name] for name in _MOMENT]).transform("max") > 1
    place = files["position"].where(crowded, "").fillna("")
    files = files.assign(place=place.mask(timeless, files["listed"].fillna("")))
    alone = timeless & files["listed"].isna()
    again = _again(files, ~alone)
    ambiguous = (files["vague"] | crowded & (files["place"] == "")) & ~again & ~alone
    unpaired = [
        _alone(files[again], quarantine.DUPLICATE),
        _alone(files[ambiguous], quarantine.AMBIGUOUS),
        _alone(files[alone], quarantine.NO_TIMESTAMP),
    ]
    kept = ["path", *_own(files), "bad", "empty", *_MOMENT, "place"]
    files = files.loc[~(alone | again | ambiguous), ["kind", *kept]]
    left, right = (files.loc[files["kind"] == kind, kept] for kind in ("picture", "thermal"))
    pairs = left.merge(right, on=[*_MOMENT, "place"], how="outer", suffixes=("_rgb", "_ir"))
    del files, left, right  # of millions of files they are gigabytes
    parts = [_judged(_with_plots(pairs, plots), keep_mismatches), *unpaired]
    return _index(pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True))


def _own(files: pd.DataFrame) -> list[str]:
    """What each file of a pair says of itself; `named` is not there where all files name nodes by id."""
    return ["position", "width", "height", *(["named"] if "named" in files else [])]


def _again(files: pd.DataFrame, named: pd.Series) -> pd.Series:
    """Whether another of the named files, which says the same, is taken in a file's place."""
    same = [*_MOMENT, "kind", "place", *(["vague"] if files["vague"].any() else [])]
    doubled = files.duplicated(same, keep=False) & named
    copies = files[doubled]
    copies = copies.assign(unlisted=copies["listed"].isna(), bytes=copies.get("bytes", 0))
    rank = {"bad": False, "unlisted": True, "bytes": False, "path": True}  # whether the least comes first
    order = copies.sort_values([*rank], ascending=[*rank.values()])
    return doubled & ~files.index.isin(order.drop_duplicates(same).index)


def _with_plots(pairs: pd.DataFrame, plots: pd.DataFrame) -> pd.DataFrame:
    """Where a thermal file has a plot and no picture, the plot stands in the picture's place.

    Where a moment has several positions, it is the plot of the very one: no plot stands in two places.
    """
    bare = pairs["path_rgb"].isna()
    if plots.empty or not bare.any():
        return pairs.assign(plot=False)
    plots = plots[plots["time_ns"] != NO_TIME]
    first = plots.drop_duplicates(_MOMENT)[[*_MOMENT, "path"]].assign(place="")
    own = plots.assign(place=plots["position"]).dropna(subset="place")
    own = own.drop_duplicates([*_MOMENT, "place"])[[*_MOMENT, "path", "place"]]
    found = pairs[[*_MOMENT, "place"]].merge(pd.concat([first, own]), on=[*_MOMENT, "place"], how="left")
    plot = found["path"].set_axis(pairs.index)
    return pairs.assign(path_rgb=pairs["path_rgb"].fillna(plot), plot=bare & plot.notna())


def _judged(pairs: pd.DataFrame, keep_mismatches: bool) -> pd.DataFrame:
    named = pairs["position_rgb"].notna() & pairs["position_ir"].notna()
    differ = named & (pairs["position_rgb"] != pairs["position_ir"])
    reason = pd.Series("", pairs.index, dtype="str")
    if not keep_mismatches:
        reason[differ] = quarantine.POSITION_MISMATCH
    reason[pairs["path_rgb"].isna() | pairs["path_ir"].isna()] = quarantine.PARTNER_MISSING
    reason[pairs["empty_rgb"].eq(True) | pairs["empty_ir"].eq(True)] = quarantine.TRUNCATED
    reason[pairs["plot"]] = quarantine.PLOT
    put_aside = [pairs[f"bad_{side}"].eq(True) for side in ("rgb", "ir")]  # null where there is no file
    reason[put_aside[0] | put_aside[1]] = quarantine.MARKED_BAD
    return pairs.assign(reason=reason, differ=differ)


def _alone(files: pd.DataFrame, reason: str) -> pd.DataFrame:
    """Rows of one file each, in the shape of the merged pairs."""
    rows = files[["node", "time_ns", "place"]].copy()
    for column in ("path", *_own(files)):
        for side, kind in (("rgb", "picture"), ("ir", "thermal")):
            rows[f"{column}_{side}"] = files[column].where(files["kind"] == kind)
    # Whatever else is the matter, there is nothing in it.
    told = pd.Series(reason, files.index, dtype="str").mask(files["empty"], quarantine.TRUNCATED)
    return rows.assign(reason=told, differ=False)


def _index(pairs: pd.DataFrame) -> pd.DataFrame:
    position = pairs["position_rgb"].fillna(pairs["position_ir"])
    timeless = pairs["time_ns"] == NO_TIME
    when = pairs["time_ns"].astype("str").mask(timeless, UNKNOWN)
    when = when.where(pairs["place"] == "", when + "-" + pairs["place"])
    usable = pairs["reason"] == ""
    index = pd.DataFrame(
        {
            "pair_id": pd.Series(_named(pairs) + "-" + when, dtype="str"),
            "node": pairs["node"],
            "position": position.mask(pairs["differ"].astype(bool)),
            "time": pd.to_datetime(pairs["time_ns"], unit="ns", utc=True).mask(timeless),
            "rgb_path": pairs["path_rgb"],
            "ir_path": pairs["path_ir"],
            "rgb_width": pairs["width_rgb"],
            "rgb_height": pairs["height_rgb"],
            "ir_width": pairs["width_ir"],
            "ir_height": pairs["height_ir"],
            "status": pd.Series("ok", index=pairs.index, dtype="str").where(usable, "quarantined"),
            "reason": pd.Series(pairs["reason"], dtype="str"),
        }
    )
    return index.sort_values(["pair_id", "rgb_path", "ir_path"], ignore_index=True)


def _named(pairs: pd.DataFrame) -> pd.Series:
    """Whose a pair is, as its files say; where one says the VSN and the other the id, the id."""
    if "named_rgb" not in pairs:
        return pairs["node"]
    one = pairs["named_rgb"].fillna(pairs["named_ir"])
    return one.where(one == pairs["named_ir"].fillna(one), pairs["node"])
