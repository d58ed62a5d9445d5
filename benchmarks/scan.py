"""A scan of a million frames, two million files, on one core: from nothing, unchanged, and with a few new ones.

python benchmarks/scan.py     # about two minutes; prints a table, writes benchmarks/results/scan.json

Files are empty: a scan reads names and sizes. Each scan is a process of its own, so that its memory is its own;
beside them what a first script does: `Path.rglob` and a regular expression, and nothing paired.
"""

import json
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import pandas as pd

from sage_lightning.data.catalogue import Catalogue
from sage_lightning.evaluation.headline import print_table
from sage_lightning.sage.names import archive_path, picture_name, thermal_name
from sage_lightning.sage.nodes import NodeTable

FRAMES, NODES, NEW = 1_000_000, 8, 1_000
FIRST, STEP = 1_680_000_000_000_000_000, 30_000_000_123  # nanoseconds


def write(root: Path, frames: range) -> None:
    """Both files of these frames, empty."""
    for frame in frames:
        position = str(frame // NODES % 32 + 1)
        for name in (picture_name(6144, 2048, position), thermal_name("right", 336, 252, position)):
            node = f"000048b02d15bc{frame % NODES:02d}"
            path = archive_path("1", "mobotix-scan", "0.24.8", node, FIRST + frame * STEP, name)
            try:
                os.close(os.open(root / path, os.O_CREAT))
            except FileNotFoundError:
                (root / path).parent.mkdir(parents=True)
                os.close(os.open(root / path, os.O_CREAT))


def scan(cache: Path, root: Path) -> None:
    found = Catalogue(cache, root, {}).scan(NodeTable(), keep_mismatches=False)
    print(len(found.index))


def naive(cache: Path, root: Path) -> None:
    pattern = re.compile(r"(\d+)-.*?(?:_position(\d+))?\.(jpg|csv)")
    said = [
        (path, pattern.fullmatch(path.name), path.stat().st_size)
        for path in root.rglob("*")
        if path.is_file()
    ]
    print(len(said))


def measured(what: str, cache: Path, root: Path) -> dict[str, float]:
    """Seconds and gigabytes of a process that does this once."""
    started = time.perf_counter()
    subprocess.run([sys.executable, __file__, what, cache, root], check=True, stdout=subprocess.DEVNULL)
    took = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6  # of the largest child so far
    return {"seconds": took, "peak_gb": peak}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root, cache = Path(folder) / "files", Path(folder) / "cache"
        write(root, range(FRAMES))
        found = {
            "unchanged folder, Path.rglob and a regular expression": measured("naive", cache, root),
            "first scan": measured("scan", cache, root),
            "unchanged folder": measured("scan", cache, root),
        }
        write(root, range(FRAMES, FRAMES + NEW))
        found[f"{NEW} new frames"] = measured("scan", cache, root)
    rows = [
        {"what": what, "s": round(said["seconds"], 1), "GB": round(said["peak_gb"], 2)}
        for what, said in found.items()
    ]
    print_table(pd.DataFrame(rows), title=f"{FRAMES} frames, {2 * FRAMES} files")
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, one used, names cached by the system"
    out = Path(__file__).parent / "results" / "scan.json"
    out.write_text(json.dumps({"machine": machine, "frames": FRAMES, "scans": found}, indent=2) + "\n")


if __name__ == "__main__":
    if len(sys.argv) == 4:
        {"scan": scan, "naive": naive}[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
