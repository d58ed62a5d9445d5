"""Times, the machine they were taken on, and the pages that must not be in memory for a cold one."""

import gc
import json
import os
import platform
import random
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / "results"
Times = dict[str, list[float]]


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def take_turns(contestants: Mapping[str, Callable[[], float]], rounds: int) -> Times:
    """The seconds that each says it took, round by round, in another order each time."""
    names = list(contestants)
    times: Times = {name: [] for name in names}
    order = random.Random(0)
    for turn in range(-1, rounds):  # the first round brings files and code into memory
        # Who comes after one that gives back much memory pays for new pages: no one is always that one.
        for name in order.sample(names, len(names)):
            took = contestants[name]()
            if turn >= 0:
                times[name].append(took)
    return times


def medians_ms(times: Mapping[str, list[float]]) -> dict[str, float]:
    return {name: statistics.median(values) * 1e3 for name, values in times.items()}


def forget(files: Iterable[Path]) -> None:
    """Writes files out and drops their pages from memory; who has mapped them must have let go."""
    gc.collect()
    for path in files:
        handle = os.open(path, os.O_RDONLY)
        os.fsync(handle)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)


def machine(more: str, used: str = "one") -> str:
    """What numbers depend on, in a line.

    Args:
        more: what is particular to these numbers.
        used: cores.
    """
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "pyarrow", "torch", "timm"))
    hardware = (
        f"{platform.system()} {platform.machine()}, {_processor()}, {os.cpu_count()} cores, {used} used"
    )
    return f"{hardware}, {memory:.0f} GiB; Python {platform.python_version()}, {versions}; {more}"


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.is_file() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or "unknown processor")


def save(name: str, result: Mapping[str, Any]) -> None:
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")
