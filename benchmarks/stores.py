"""Which store? Ours beside Arrow, Parquet, litdata and WebDataset: the same pairs, interleaved, on one core.

python benchmarks/stores.py      # minutes, 4 GB of memory and disk; writes benchmarks/results/stores.json

What is not installed is left out, and how to install it is said. docs/decisions/0002-store.md concludes.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy and torch are imported

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from measure.clock import Times, forget, machine, medians_ms, save, seconds, take_turns
from measure.formats import ALL, Array, Batch, Rows, Stream, installed
from measure.made_up import IR_SIZE, RGB_SIZE, frame
from measure.orders import compared, counted, litdata, webdataset

from sage_lightning.evaluation.headline import print_table

PAIRS, BATCH, COLD_PAIRS = 1024, 128, 128
ROUNDS, COLD_ROUNDS, WRITES = 9, 5, 3


def main() -> None:
    torch.set_num_threads(1)
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    formats = [kind for kind in ALL if installed(kind)]
    missing = sorted({kind.needs for kind in ALL} - {kind.needs for kind in formats} - {None})
    if missing:
        print(f"Not measured, since not installed: {', '.join(missing)}. pip install {' '.join(missing)}")
    frames = [frame(number) for number in range(PAIRS)]
    rgb, ir = np.stack([pair.rgb for pair in frames]), np.stack([pair.ir for pair in frames])
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        writing = written(formats, root, rgb, ir)
        by_rows = {
            kind.name: partial(kind.rows, root / kind.files) for kind in formats if hasattr(kind, "rows")
        }
        streams = {
            f"{kind.name}, its own stream": partial(kind.stream, root / kind.files)
            for kind in formats
            if hasattr(kind, "stream")
        }
        check(by_rows, streams, rgb, ir)
        warm, cold = warm_seconds(by_rows, streams), cold_seconds(by_rows, streams, formats, root)
        orders = {"ours": counted(PAIRS, BATCH)}
        if "litdata" not in missing:
            orders["litdata"] = litdata(root / "litdata", BATCH)
        if "webdataset" not in missing:
            orders["WebDataset"] = webdataset(root / "webdataset")
        said = {name: compared(order, PAIRS, BATCH) for name, order in orders.items()}
        sizes = {kind.files: disk(root / kind.files) for kind in formats}
    tell(medians_ms(warm), medians_ms(cold), medians_ms(writing), sizes, said)
    save(
        "stores",
        {
            "machine": machine("page cache warm where not said otherwise"),
            "pairs": PAIRS,
            "pixel_bytes": rgb.nbytes + ir.nbytes,
            "rounds": {"warm": ROUNDS, "cold": COLD_ROUNDS, "writing": WRITES},
            "warm_ms_a_pair": medians_ms(warm),
            "cold_ms_a_pair": medians_ms(cold),
            "writing_ms_a_pair": medians_ms(writing),
            "disk": sizes,
            "orders": said,
            "all_seconds_a_pair": {"warm": warm, "cold": cold, "writing": writing},
        },
    )


def written(formats: list[Any], root: Path, rgb: Array, ir: Array) -> Times:
    """Seconds a pair, until all is on the disk."""

    def write(kind: Any) -> float:
        folder = root / kind.files
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()

        def work() -> None:
            kind.write(folder, rgb, ir)
            forget(files_of(folder))

        return seconds(work) / PAIRS

    return take_turns({kind.files: partial(write, kind) for kind in unique(formats)}, WRITES)


def check(
    by_rows: dict[str, Callable[[], Rows]], streams: dict[str, Callable[[], Stream]], rgb: Array, ir: Array
) -> None:
    """All of them give the pixels back."""
    rows = np.random.default_rng(1).permutation(PAIRS)[:BATCH]
    for opened in by_rows.values():
        found = opened()(rows)
        assert np.array_equal(found[0], rgb[rows])
        assert np.array_equal(found[1], ir[rows])
    for stream in streams.values():
        for number, picture, thermal in stream():
            assert np.array_equal(picture, rgb[number])
            assert np.array_equal(thermal, ir[number])


def warm_seconds(by_rows: dict[str, Callable[[], Rows]], streams: dict[str, Callable[[], Stream]]) -> Times:
    order = np.random.default_rng(2)

    def epoch(read: Rows) -> float:
        rows = order.permutation(PAIRS)
        read(rows[:BATCH])  # memory that another one has given back is the machine's business
        return (
            seconds(lambda: [read(rows[at : at + BATCH]) for at in range(0, PAIRS, BATCH)] and None) / PAIRS
        )

    def whole(stream: Callable[[], Stream]) -> float:
        drain(stream(), PAIRS // 2)
        return seconds(lambda: drain(stream(), PAIRS)) / PAIRS

    contestants = {name: partial(epoch, opened()) for name, opened in by_rows.items()}
    contestants |= {name: partial(whole, stream) for name, stream in streams.items()}
    return take_turns(contestants, ROUNDS)


def cold_seconds(
    by_rows: dict[str, Callable[[], Rows]],
    streams: dict[str, Callable[[], Stream]],
    formats: list[Any],
    root: Path,
) -> Times:
    """Files are opened and a part of their pairs is read, none of which is in memory."""
    order = np.random.default_rng(3)

    def after(work: Callable[[], object]) -> float:
        for kind in unique(formats):
            forget(files_of(root / kind.files))
        return seconds(work) / COLD_PAIRS

    contestants: dict[str, Callable[[], float]] = {
        name: lambda opened=opened: after(lambda: opened()(order.permutation(PAIRS)[:COLD_PAIRS]))
        for name, opened in by_rows.items()
    }
    contestants |= {
        name: lambda stream=stream: after(lambda: drain(stream(), COLD_PAIRS))
        for name, stream in streams.items()
    }
    return take_turns(contestants, COLD_ROUNDS)


def drain(stream: Stream, pairs: int) -> None:
    """Gathers a stream into batches."""
    rgb, ir = empty()
    for at, (_, picture, thermal) in enumerate(stream):
        if at % BATCH == 0:
            rgb, ir = empty()
        rgb[at % BATCH], ir[at % BATCH] = picture, thermal
        if at + 1 == pairs:
            return


def empty() -> Batch:
    return np.empty((BATCH, *RGB_SIZE, 3), np.uint8), np.empty((BATCH, *IR_SIZE), np.uint16)


def unique(formats: Iterable[Any]) -> list[Any]:
    """Of formats of the same files the first."""
    return list({kind.files: kind for kind in reversed(list(formats))}.values())[::-1]


def files_of(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def disk(folder: Path) -> dict[str, int]:
    files = files_of(folder)
    return {"files": len(files), "bytes": sum(path.stat().st_size for path in files)}


def tell(
    warm: dict[str, float],
    cold: dict[str, float],
    writing: dict[str, float],
    sizes: dict[str, dict[str, int]],
    orders: dict[str, dict[str, Any]],
) -> None:
    print_table(
        pd.DataFrame({"read": list(warm), "warm, ms": list(warm.values()), "cold, ms": list(cold.values())})
    )
    kept = [{"files": name, "writing, ms": writing[name], **said} for name, said in sizes.items()]
    print_table(pd.DataFrame(kept))
    print_table(pd.DataFrame([{"order": name, **said} for name, said in orders.items()]))


if __name__ == "__main__":
    main()
