"""A scan of a million frames, two million files, on one core: at first, unchanged, with a few new ones.

python benchmarks/scan.py     # about two minutes; prints a table, writes benchmarks/results/scan.json

Files are empty: a scan reads names and sizes, and works out where the sun stood. Each scan is a process, so
that its memory is its own, timed without its imports; beside them what a first script does: `Path.rglob`, a
regular expression, no pairs.
"""

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import pandas as pd
from measure.clock import machine, save

from sage_lightning.data.catalogue import Catalogue
from sage_lightning.evaluation.headline import print_table
from sage_lightning.sage.names import archive_path, picture_name, thermal_name
from sage_lightning.sage.nodes import Node, NodeTable

FRAMES, NODES, NEW = 1_000_000, 8, 1_000
IDS = [f"000048b02d15bc{node:02d}" for node in range(NODES)]
PLACES = NodeTable([Node(node, f"W{at:03d}", -90.0 + at, 40.0) for at, node in enumerate(IDS)])
FIRST, STEP = 1_680_000_000_000_000_000, 30_000_000_123  # nanoseconds


def write(root: Path, frames: range) -> None:
    """Both files of these frames, sparse: they have lengths and no bytes, which nothing here looks at."""
    for frame in frames:
        position = str(frame // NODES % 32 + 1)
        for name in (picture_name(6144, 2048, position), thermal_name("right", 336, 252, position)):
            path = archive_path("1", "mobotix-scan", "0.24.8", IDS[frame % NODES], FIRST + frame * STEP, name)
            try:
                file = os.open(root / path, os.O_CREAT | os.O_WRONLY)
            except FileNotFoundError:
                (root / path).parent.mkdir(parents=True)
                file = os.open(root / path, os.O_CREAT | os.O_WRONLY)
            os.ftruncate(file, 500_000 + frame % 99_991)
            os.close(file)


def scan(cache: Path, root: Path) -> None:
    Catalogue(cache, root, {}).scan(PLACES, keep_mismatches=False)


def naive(cache: Path, root: Path) -> None:
    pattern = re.compile(r"(\d+)-.*?(?:_position(\d+))?\.(jpg|csv)")
    said = [
        (path, pattern.fullmatch(path.name), path.stat().st_size)
        for path in root.rglob("*")
        if path.is_file()
    ]
    assert said


def measured(what: str, cache: Path, root: Path) -> dict[str, float]:
    """Seconds, of the processor too, and gigabytes of a process that does this once."""
    command = [sys.executable, __file__, what, str(cache), str(root)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


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
        {"what": what, "s": said["seconds"], "of CPU": said["cpu_seconds"], "GB": said["peak_gb"]}
        for what, said in found.items()
    ]
    print_table(pd.DataFrame(rows), title=f"{FRAMES} frames, {2 * FRAMES} files")
    where = machine("names cached by the system")
    save("scan", {"machine": where, "frames": FRAMES, "scans": found})


if __name__ == "__main__":
    if len(sys.argv) == 4:
        started, of_cpu = time.perf_counter(), time.process_time()
        {"scan": scan, "naive": naive}[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
        took, cpu = time.perf_counter() - started, time.process_time() - of_cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
        print(json.dumps({"seconds": took, "cpu_seconds": cpu, "peak_gb": peak}))
    else:
        main()
