"""Temperature histograms of each node, season and view, and what share of pixels each thermal bin takes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sage_lightning.inventory.reading import GROUP, Frame, ThermalSource, bin_width, chosen, read_frames

QUANTILES = {"p05": 0.05, "median": 0.5, "p95": 0.95}
BINS = ("below", "between", "above")
UNREAD = ("reason", "ir_path")


@dataclass(frozen=True)
class Temperatures:
    """What the sampled frames hold.

    Attributes:
        histograms: `node`, `season`, `view`, `low`, `high` of a bin, `pixels` in it, their `share` of the
            group's. Bins without a pixel are left out.
        bins: a row a group: `pairs` it has, `frames` read, `unreadable` ones, share of pixels `missing`,
            `p05`, `median`, `p95`, and with thresholds the shares `below`, `between`, `above`.
        unread: `reason` and `ir_path` of each frame that could not be read.
        thresholds: of the thermal choice; none where it has none.
        unit: of all values.
    """

    histograms: pd.DataFrame
    bins: pd.DataFrame
    unread: pd.DataFrame
    thresholds: tuple[float, ...]
    unit: str


def temperatures_of(
    rows: pd.DataFrame, source: ThermalSource, thresholds: Sequence[float], per_group: int, workers: int
) -> Temperatures:
    """Reads a sample of the usable rows' thermal files and sums up what they hold.

    Args:
        rows: of `rows_of`.
        source: reads their files.
        thresholds: two, rising, in the source's unit; or none.
        per_group: frames read for each (node, season, view), at most.
        workers: processes that read.
    """
    sample = chosen(rows, per_group)
    paths = sample["ir_path"].tolist()
    width = bin_width(source, paths)
    found = read_frames(source, paths, width, thresholds, workers)
    read = np.array([isinstance(frame, Frame) for frame in found], dtype=bool)
    frames = [frame for frame in found if isinstance(frame, Frame)]
    groups = sample[list(GROUP)]
    histograms = _histograms(groups[read], frames, width)
    sizes = rows[rows["usable"]].groupby(list(GROUP), observed=True).size().rename("pairs")
    seen = groups.assign(frames=read, unreadable=~read).groupby(list(GROUP), observed=True).sum()
    shares = _shares(groups[read], frames, len(thresholds))
    bins = pd.concat([sizes, seen, shares, _quantiles(histograms, width)], axis="columns").sort_index()
    bins = bins.reset_index().astype(dict.fromkeys(GROUP, "str"))
    bins[["frames", "unreadable"]] = bins[["frames", "unreadable"]].fillna(0).astype("int64")
    reasons = [reason for reason in found if isinstance(reason, str)]
    unread = pd.DataFrame({"reason": reasons, "ir_path": sample["ir_path"][~read].to_numpy()}, columns=UNREAD)
    texts = dict.fromkeys(GROUP, "str")
    return Temperatures(
        histograms.astype(texts), bins, unread.astype("str"), tuple(thresholds), source.thermal_unit
    )


def _histograms(groups: pd.DataFrame, frames: list[Frame], width: float) -> pd.DataFrame:
    each = [len(frame.bins) for frame in frames]
    parts = groups.loc[groups.index.repeat(each)].assign(
        bin=_joined([frame.bins for frame in frames]), pixels=_joined([frame.pixels for frame in frames])
    )
    table = parts.groupby([*GROUP, "bin"], observed=True)["pixels"].sum().reset_index()
    total = table.groupby(list(GROUP), observed=True)["pixels"].transform("sum")
    low, high = table["bin"] * width, (table["bin"] + 1) * width
    return table[list(GROUP)].assign(
        low=low, high=high, pixels=table["pixels"], share=table["pixels"] / total
    )


def _shares(groups: pd.DataFrame, frames: list[Frame], thresholds: int) -> pd.DataFrame:
    """Of the pixels that have a value those of each bin, and of all those that have none."""
    between = np.array([frame.between for frame in frames], dtype=np.int64).reshape(-1, thresholds + 1)
    pixels = groups.assign(
        missing=np.array([frame.missing for frame in frames], dtype=np.int64),
        known=between.sum(1),
        **({name: between[:, place] for place, name in enumerate(BINS)} if thresholds else {}),
    )
    sums = pixels.groupby(list(GROUP), observed=True).sum()
    shares = {name: sums[name] / sums["known"] for name in BINS if name in sums}
    return pd.DataFrame({"missing": sums["missing"] / (sums["known"] + sums["missing"]), **shares})


def _quantiles(histograms: pd.DataFrame, width: float) -> pd.DataFrame:
    """As if the pixels of a bin were spread evenly over it."""
    share = histograms["share"]
    upto = histograms.groupby(list(GROUP), observed=True)["share"].cumsum()
    table = histograms.assign(before=upto - share, upto=upto)
    found = {}
    for name, quantile in QUANTILES.items():
        # Sums of shares end at 1 but for rounding, and no quantile is that near to 1.
        at = table[table["upto"] > quantile].drop_duplicates(list(GROUP)).set_index(list(GROUP))
        found[name] = at["low"] + width * (quantile - at["before"]) / at["share"]
    return pd.DataFrame(found)


def _joined(parts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
