"""Reading and preparing pairs, ours beside the naive loader and usual CSV readers, in one run, on one core.

python benchmarks/data.py        # about three minutes; prints a table, writes benchmarks/results/data.json

The files are simulated at full size: 6144x2048 pictures with sensor noise, 336x252 thermal matrices. What is
read from the store are made-up pairs of real sizes: a thousand, and links to them that make a hundred
thousand and a million; beside it the same rows by a memory map of the same files, and how many page faults
either has a pair. What it takes to find the files in the first place is measured by benchmarks/scan.py.
"""

import os
import resource
import shutil
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # before torch and NumPy are imported

import numpy as np
import pandas as pd
import torch
from measure.clock import Times, forget, machine, medians_ms, save, seconds, take_turns
from measure.formats import Mapped, Rows
from measure.made_up import RGB_SIZE, link_shards, store_of, write_shards
from PIL import Image
from torchvision.transforms import v2

from sage_lightning.data.decoder import pair_files_of
from sage_lightning.data.plan import SHARD_PAIRS
from sage_lightning.data.prepare import Kept, prepare
from sage_lightning.data.sources import SageSource, SimulatedSource
from sage_lightning.data.split import Split
from sage_lightning.data.store import PairStore
from sage_lightning.evaluation.headline import print_table
from sage_lightning.sage.celsius import read_celsius

FRAMES, NAIVE_FRAMES, ROUNDS, READ_ROUNDS, CSV_ROUNDS, BATCH = 24, 4, 7, 31, 40, 128
OWN_SHARDS, PAIRS = 2, (1_000, 100_000, 1_000_000)
NAIVE = "pair, naive loader"
NAIVE_TRANSFORM = v2.Compose(
    [
        v2.ToImage(),
        v2.Resize(RGB_SIZE),
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize([0.5] * 3, [0.5] * 3),
    ]
)


def naive(picture: Path, thermal: Path) -> None:
    """What a first script does for every sample of every epoch."""
    image = Image.open(picture).convert("RGB")
    NAIVE_TRANSFORM(image.crop((0, 0, image.width // 2, image.height)))
    np.loadtxt(thermal, delimiter=";", skiprows=8)


def raw_files(root: Path) -> Path:
    """Frames as a camera writes them."""
    source = SimulatedSource(
        root,
        FRAMES,
        1,
        [1, 2, 3, 4],
        8,
        picture_size="6144x2048",
        thermal_size="336x252",
        faults=0.0,
        seed=0,
        workers=2,
    )
    source.scan()
    return source.root


def preparing(raw: Path, cache: Path) -> Times:
    """Seconds a pair of raw files; `prepare` as a whole: scan, decoding, checksums, writing, index."""
    source, split = SageSource(raw), Split(val=0.2, test=0.2)
    pairs = source.scan(cache / "scan").index
    asked = pair_files_of(pairs[pairs["status"] == "ok"])
    files = [(raw / pair.rgb_path, raw / pair.ir_path) for pair in asked]

    def whole() -> float:
        shutil.rmtree(cache, ignore_errors=True)
        return seconds(lambda: prepare(source, cache, Kept(RGB_SIZE), split)) / len(files)

    return take_turns(
        {
            NAIVE: lambda: seconds(lambda: [naive(*each) for each in files[:NAIVE_FRAMES]]) / NAIVE_FRAMES,
            "pair, decoded": lambda: (
                seconds(lambda: [source.read(pair, RGB_SIZE) for pair in asked]) / len(asked)
            ),
            "pair, prepared: decoded, checked, written": whole,
        },
        ROUNDS,
    )


def reading(folder: Path) -> tuple[Times, dict[str, float]]:
    """Seconds a pair of shuffled batches, and page faults a pair.

    Cold: of a store just opened, no page of its files in memory.
    """
    notes = write_shards(folder, OWN_SHARDS)
    link_shards(folder, notes, max(PAIRS))
    stores = {pairs: store_of(folder, notes, pairs) for pairs in PAIRS}
    own = [path for shard in range(OWN_SHARDS) for path in folder.glob(f"decoded/*-{shard:05d}.npy")]
    order = np.random.default_rng(0)
    pages: dict[str, list[float]] = defaultdict(list)

    def batch(who: str, read: Rows, pairs: int) -> float:
        rows = order.permutation(pairs)[:BATCH]
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        took = seconds(lambda: read(rows)) / BATCH
        pages[who].append((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / BATCH)
        return took

    def opened(read: Rows, pairs: int) -> Rows:
        rows = np.arange(0, pairs, SHARD_PAIRS)
        for at in range(0, len(rows), BATCH):
            read(rows[at : at + BATCH])
        return read

    def cold(who: str, pairs: int) -> float:
        forget(own)
        return batch(who, PairStore(stores[pairs].folder).read, pairs)

    def warm() -> Times:
        mapped = opened(Mapped().rows(folder), max(PAIRS))
        turns = {}
        for pairs, store in stores.items():
            who = f"pair, read, one of {pairs}"
            turns[who] = partial(batch, who, opened(store.read, pairs), pairs)
            who = f"pair, by memory map, one of {pairs}"
            turns[who] = partial(batch, who, mapped, pairs)
        return take_turns(turns, READ_ROUNDS)

    times = warm()  # whose maps are given back: their pages could not be forgotten
    colds = {f"pair, read cold, one of {pairs}": pairs for pairs in PAIRS}
    times |= take_turns({who: partial(cold, who, pairs) for who, pairs in colds.items()}, ROUNDS)
    return times, {who: statistics.median(given) for who, given in pages.items()}


def csv_reading(files: list[Path]) -> Times:
    """Of each contestant, one reading a round; the files take turns."""
    turn = {"loadtxt": 0, "pandas": 0, "ours": 0}

    def one(who: str, read: Callable[[Path], object]) -> float:
        turn[who] += 1
        return seconds(lambda: read(files[turn[who] % len(files)]))

    return take_turns(
        {
            "celsius CSV, numpy.loadtxt": lambda: one(
                "loadtxt", lambda file: np.loadtxt(file, delimiter=";", skiprows=8)
            ),
            "celsius CSV, pandas": lambda: one(
                "pandas", lambda file: pd.read_csv(file, sep=";", skiprows=8, header=None)
            ),
            "celsius CSV, ours": lambda: one("ours", read_celsius),
        },
        CSV_ROUNDS,
    )


def main() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        raw = raw_files(Path(name) / "simulated")
        sizes = [path.stat().st_size for path in raw.rglob("*.jpg")]
        times = preparing(raw, Path(name) / "cache")
        read, pages = reading(Path(name) / "made_up")
        times |= read
        times |= csv_reading(sorted(raw.rglob("*.csv")))
    milliseconds = medians_ms(times)
    rows = [
        {
            "what": what,
            "ms": took,
            "times as fast": milliseconds[NAIVE if what.startswith("pair") else "celsius CSV, numpy.loadtxt"]
            / took,
        }
        for what, took in milliseconds.items()
    ]
    print_table(pd.DataFrame(rows), caption="as the naive loader, or as numpy.loadtxt")
    share = milliseconds["celsius CSV, ours"] / milliseconds["celsius CSV, numpy.loadtxt"]
    for who, given in pages.items():
        print(f"{who}: {given:.1f} page faults")
    print(f"A thermal file takes {share:.3f} of numpy.loadtxt's time, NumPy {np.__version__}.")
    save(
        "data",
        {
            "machine": machine("page cache warm where not said otherwise"),
            "picture_megabytes": float(np.mean(sizes)) / 1e6,
            "rounds": {"preparing": ROUNDS, "reading": READ_ROUNDS, "csv": CSV_ROUNDS},
            "median_ms": milliseconds,
            "median_page_faults": pages,
            "all_seconds": times,
        },
    )


if __name__ == "__main__":
    main()
