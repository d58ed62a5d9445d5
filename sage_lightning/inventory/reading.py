"""Thermal frames → how often each temperature occurs in them. A sample of frames, chosen by hash, is read."""

import math
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sage_lightning.data.quarantine import ALL_NAN, Unusable
from sage_lightning.progress import track

GROUP = ("node", "season", "view")
DEGREE = 1.0  # the width of a bin where values are degrees
STEPS = 100  # about so many bins span the first frame, where they are not

POOL_PAYS_FROM = 256  # frames: starting processes takes as long as reading a few hundred


class ThermalSource(Protocol):
    """What reads thermal files; it is sent to the processes that do, so it must pickle, and be small."""

    thermal_unit: str

    def read_thermal(self, ir_path: str) -> NDArray[np.float32]:
        """(h, w) in `thermal_unit`, NaN where missing; raises `Unusable` where the file is damaged."""
        ...


@dataclass(frozen=True)
class Frame:
    """What is kept of one frame.

    Attributes:
        bins: (n,) which bins occur: bin k holds values from k · width to below (k + 1) · width.
        pixels: (n,) in how many pixels.
        between: pixels below the first threshold, from each to the next, and from the last on.
        missing: pixels without a value.
    """

    bins: NDArray[np.int64]
    pixels: NDArray[np.int64]
    between: NDArray[np.int64]
    missing: int


def chosen(rows: pd.DataFrame, per_group: int) -> pd.DataFrame:
    """At most so many usable rows of each (node, season, view), in the order of the index.

    Who is chosen is a function of the pairs' names: more pairs replace a few, and nothing is drawn.

    Args:
        rows: of `rows_of`.
        per_group: 0 chooses none.
    """
    usable = rows[rows["usable"]]
    names = usable["pair_id"].to_numpy(dtype=object)
    order = pd.DataFrame({"hash": pd.util.hash_array(names, categorize=False), "name": names}, usable.index)
    ranked = usable.loc[order.sort_values(["hash", "name"]).index]
    return ranked.groupby(list(GROUP), observed=True).head(per_group).sort_values("pair_id")


def bin_width(source: ThermalSource, paths: Sequence[str]) -> float:
    """One degree; of other units the round number that divides the first readable frame into about 100."""
    if source.thermal_unit == "celsius":
        return DEGREE
    for path in paths:
        try:
            values = source.read_thermal(path)
        except Unusable:
            continue  # `read_frames` counts it
        known = values[np.isfinite(values)]
        if known.size and (spread := float(known.max() - known.min())) > 0:
            power = 10.0 ** math.floor(math.log10(spread / STEPS))
            return min(
                (power, 2 * power, 5 * power, 10 * power), key=lambda width: abs(width - spread / STEPS)
            )
    return 1.0


def read_frames(
    source: ThermalSource, paths: Sequence[str], width: float, thresholds: Sequence[float], workers: int
) -> list[Frame | str]:
    """A frame for each path, or the reason why there is none; the number of processes changes nothing.

    Args:
        source: reads them.
        paths: as in the index.
        width: of a bin.
        thresholds: rising; may be empty.
        workers: processes; 0 and 1 read in this one.
    """
    # Spawned, not forked: Arrow's threads run here, and a fork takes their locks along but not them.
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, spawn) if workers > 1 and len(paths) >= POOL_PAYS_FROM else None
    read = partial(read_frame, source, width, list(thresholds))
    with pool or nullcontext():
        frames = map(read, paths) if pool is None else pool.map(read, paths, chunksize=8)
        return list(track(frames, "Reading thermal frames", len(paths)))


def read_frame(source: ThermalSource, width: float, thresholds: list[float], path: str) -> Frame | str:
    """One of them."""
    try:
        values = source.read_thermal(path)
    except Unusable as error:
        return error.reason
    known = values[~np.isnan(values)].astype(np.float64)
    if known.size == 0:
        return ALL_NAN
    bins, pixels = np.unique(np.floor(known / width).astype(np.int64), return_counts=True)
    places = np.searchsorted(np.array(thresholds), known, side="right")
    between = np.bincount(places, minlength=len(thresholds) + 1)
    return Frame(bins, pixels.astype(np.int64), between.astype(np.int64), values.size - known.size)
