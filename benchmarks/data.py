"""Reading pairs: ours beside the naive loader and the usual CSV readers, interleaved in one run, on one core.

python benchmarks/data.py        # about a minute; prints a table, writes benchmarks/results/data.json

The files are simulated at full size: 6144x2048 pictures with sensor noise, 336x252 thermal matrices. What it
takes to find the files in the first place is measured by benchmarks/scan.py.
"""

import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # before torch and NumPy are imported

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torchvision.transforms import v2

from sage_lightning.data.decoder import pair_files_of
from sage_lightning.data.prepare import Kept, prepare
from sage_lightning.data.sources import SimulatedSource
from sage_lightning.data.split import Split
from sage_lightning.evaluation.headline import print_table
from sage_lightning.sage.celsius import read_celsius

FRAMES, ROUNDS, CSV_ROUNDS, STORE_SIZE = 24, 5, 40, (288, 384)
NAIVE = v2.Compose(
    [
        v2.ToImage(),
        v2.Resize(STORE_SIZE),
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize([0.5] * 3, [0.5] * 3),
    ]
)


def naive(picture: Path, thermal: Path) -> None:
    """What a first script does for every sample of every epoch."""
    image = Image.open(picture).convert("RGB")
    NAIVE(image.crop((0, 0, image.width // 2, image.height)))
    np.loadtxt(thermal, delimiter=";", skiprows=8)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def csv_seconds(files: list[Path]) -> dict[str, list[float]]:
    """Of each contestant, one reading a round; the files take turns."""
    times: dict[str, list[float]] = {}
    for turn in range(-1, CSV_ROUNDS):  # the first one brings files and code into memory
        file = files[turn % len(files)]
        contestants: dict[str, Callable[[], object]] = {
            "celsius CSV, numpy.loadtxt": lambda t=file: np.loadtxt(t, delimiter=";", skiprows=8),
            "celsius CSV, pandas": lambda t=file: pd.read_csv(t, sep=";", skiprows=8, header=None),
            "celsius CSV, ours": lambda t=file: read_celsius(t),
        }
        for name, work in contestants.items():
            took = seconds(work)
            if turn >= 0:
                times.setdefault(name, []).append(took)
    return times


def main() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        source = SimulatedSource(
            folder,
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
        store = prepare(source, Path(folder), Kept(STORE_SIZE), Split(val=0.2, test=0.2))
        pairs = store.index[store.index["status"] == "ok"]
        files = [
            (source.root / rgb, source.root / ir)
            for rgb, ir in zip(pairs["rgb_path"], pairs["ir_path"], strict=True)
        ]
        asked = pair_files_of(pairs)
        times: dict[str, list[float]] = {}
        for turn in range(ROUNDS):
            picture, thermal = files[turn % len(files)]
            relative = asked[turn % len(files)]
            rows = np.random.default_rng(turn).permutation(len(store))
            contestants: dict[str, Callable[[], object]] = {
                "pair, naive loader": lambda p=picture, t=thermal: naive(p, t),
                "pair, decoded once into the store": lambda r=relative: source.read(r, STORE_SIZE),
                "pair, read from the store": lambda r=rows: store.read(r),
            }
            for name, work in contestants.items():
                took = seconds(work)
                times.setdefault(name, []).append(took / len(store) if "from the store" in name else took)
        times |= csv_seconds([thermal for _, thermal in files])
    milliseconds = {name: statistics.median(values) * 1e3 for name, values in times.items()}
    table = pd.DataFrame(
        {
            "what": list(milliseconds),
            "ms": list(milliseconds.values()),
            "times as fast as the naive one": [
                milliseconds[
                    "pair, naive loader" if name.startswith("pair") else "celsius CSV, numpy.loadtxt"
                ]
                / value
                for name, value in milliseconds.items()
            ],
        }
    )
    print_table(table)
    share = milliseconds["celsius CSV, ours"] / milliseconds["celsius CSV, numpy.loadtxt"]
    print(f"A thermal file takes {share:.3f} of numpy.loadtxt's time, NumPy {np.__version__}.")
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, one used, page cache warm"
    result = {
        "machine": machine,
        "rounds": ROUNDS,
        "csv_rounds": CSV_ROUNDS,
        "median_ms": milliseconds,
        "all_seconds": times,
    }
    out = Path(__file__).parent / "results" / "data.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
