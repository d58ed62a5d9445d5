"""How long an inventory of a million pairs takes, and how much memory: `python benchmarks/inventory.py`.

The index is made up: ten nodes of 32 positions, a round of 32 pairs every quarter of an hour, some of it in
quarantine. Temperatures are left out; how long one full-size thermal frame takes is said beside it.
"""

import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from sage_lightning.data.sources import SageSource
from sage_lightning.inventory.collection import Collection
from sage_lightning.inventory.page import write_page
from sage_lightning.inventory.reading import read_frame
from sage_lightning.inventory.run import take, write_tables
from sage_lightning.sage.celsius import write_celsius
from sage_lightning.sage.positions import VIEWS

NODES, POSITIONS, ROWS = 10, 32, 1_000_000
ROUND_NS, STEP_NS = 900_000_000_000, 20_000_000_000


def index(rows: int) -> pd.DataFrame:
    """As `add_place_and_time` leaves it."""
    number = np.arange(rows)
    node, place, turn = number % NODES, number // NODES % POSITIONS, number // (NODES * POSITIONS)
    time_ns = 1_680_000_000_000_000_000 + turn * ROUND_NS + place * STEP_NS + node
    when = pd.Series(pd.to_datetime(time_ns, unit="ns", utc=True))
    held = pd.Series(number % 97 == 0)
    hour = when.dt.hour
    name = pd.Series(node).map(lambda number: f"000048b02d15{number:04d}").astype("str")
    path = name + "/" + pd.Series(time_ns).astype("str")
    return pd.DataFrame(
        {
            "pair_id": name + "-" + pd.Series(time_ns).astype("str"),
            "node": name,
            "position": pd.Series(place + 1).astype("str"),
            "time": when,
            "rgb_path": path + "-6144x2048.jpg",
            "ir_path": (path + "-right_336x252_14bit.thermal.celsius.csv").where(~held),
            "status": pd.Series("ok", number).where(~held.to_numpy(), "quarantined").to_numpy(),
            "reason": np.where(held, "partner missing", ""),
            "local_day": when.dt.strftime("%Y-%m-%d"),
            "sun_elevation": (hour - 12.0).abs(),
            "daylight": np.where(hour < 6, "night", np.where(hour < 7, "twilight", "day")),
            "view": np.array(VIEWS)[place % len(VIEWS)],
        }
    )


def frame_ms() -> float:
    """The fastest of twenty: others share the machine."""
    with tempfile.TemporaryDirectory() as folder:
        celsius = np.random.default_rng(0).normal(0, 20, (252, 336)).round(2).astype(np.float32)
        write_celsius(Path(folder) / "frame.csv", celsius)
        source, spent = SageSource(folder), []
        for _ in range(20):
            started = time.monotonic()
            read_frame(source, 1.0, [-30.0, 5.0], "frame.csv")
            spent.append(1000 * (time.monotonic() - started))
    return min(spent)


def main() -> None:
    """Prints the figures."""
    table = index(ROWS)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    started = time.monotonic()
    found = take(Collection("made up", table, None))
    counted = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        write_tables(found, Path(folder))
        page = write_page(found, Path(folder), {})
        size = page.stat().st_size / 2**20
    ended = time.monotonic()
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{found.pairs} pairs: counted in {counted - started:.1f} s, written in {ended - counted:.1f} s")
    print(f"{frame_ms():.0f} ms to read and count one thermal frame of 336x252")
    print(f"memory: {after:.2f} GiB at most, {before:.2f} with the index alone; page: {size:.1f} MiB")


if __name__ == "__main__":
    main()
