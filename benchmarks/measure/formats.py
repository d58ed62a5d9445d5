"""Ways to keep decoded pairs, each written and read as its makers mean it, for `benchmarks/stores.py`.

A format writes (n, H, W, 3) uint8 and (n, h, w) uint16 into a folder. Read by rows it fills a batch from any
rows in any order; read as a stream it gives its own shuffled order, (number, rgb, ir) a pair.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from measure.made_up import IR_SIZE, RGB_SIZE, store_of
from sage_lightning.data.plan import SHARD_PAIRS
from sage_lightning.data.shards import Frame, moments, write_shard
from sage_lightning.data.store import PairStore

Array = np.ndarray[Any, Any]
Batch = tuple[Array, Array]
Rows = Callable[[Array], Batch]
Stream = Iterator[tuple[int, Array, Array]]

RGB_BYTES, IR_BYTES = RGB_SIZE[0] * RGB_SIZE[1] * 3, IR_SIZE[0] * IR_SIZE[1] * 2
SHUFFLED = 512  # pairs in WebDataset's buffer, as many as a shard has


def shards(rgb: Array, ir: Array) -> Iterator[tuple[int, Array, Array]]:
    for shard, start in enumerate(range(0, len(rgb), SHARD_PAIRS)):
        yield shard, rgb[start : start + SHARD_PAIRS], ir[start : start + SHARD_PAIRS]


def filled(rows: Array, fill: Callable[[int, Array, Array], None]) -> Batch:
    """A batch, each of its places filled by what reads one row."""
    rgb, ir = np.empty((len(rows), *RGB_SIZE, 3), np.uint8), np.empty((len(rows), *IR_SIZE), np.uint16)
    for place in np.argsort(rows).tolist():
        fill(int(rows[place]), rgb[place], ir[place])
    return rgb, ir


def bytes_into(out: Array, data: Any) -> None:
    out[:] = np.frombuffer(data, out.dtype).reshape(out.shape)


class Ours:
    """What `prepare` writes, checksums and moments included, and what training reads."""

    name, files, needs = "ours", "ours", None

    def write(self, folder: Path, rgb: Array, ir: Array) -> None:
        (folder / "decoded").mkdir()
        notes = []
        for shard, pictures, thermals in shards(rgb, ir):
            frames = [
                Frame(
                    picture,
                    thermal,
                    moments(picture, thermal.astype(np.float32)),
                    np.zeros((2, 32), np.uint8),
                )
                for picture, thermal in zip(pictures, thermals, strict=True)
            ]
            notes.append(write_shard(folder / "decoded", shard, frames, {}))
        store_of(folder, notes, len(rgb))

    def rows(self, folder: Path) -> Rows:
        return PairStore(next(folder.glob("store-*"))).read


class Mapped(Ours):
    """The same files, memory-mapped, without saying beforehand which rows are wanted."""

    name = "NumPy memory maps alone"

    def rows(self, folder: Path) -> Rows:
        rgb, ir = (
            [
                np.asarray(np.load(path, mmap_mode="r"))
                for path in sorted((folder / "decoded").glob(f"{part}-*"))
            ]
            for part in ("rgb", "ir")
        )

        def fill(row: int, picture: Array, thermal: Array) -> None:
            shard, place = divmod(row, SHARD_PAIRS)
            picture[:], thermal[:] = rgb[shard][place], ir[shard][place]

        return lambda rows: filled(rows, fill)


class Arrow:
    """One IPC file a shard, memory-mapped, its columns' buffers read as arrays."""

    name, files, needs = "Arrow IPC, by memory map", "arrow", None

    def write(self, folder: Path, rgb: Array, ir: Array) -> None:
        for shard, pictures, thermals in shards(rgb, ir):
            batch = self._batch(pictures, thermals)
            with pa.ipc.new_file(folder / f"{shard:05d}.arrow", batch.schema) as file:
                file.write_batch(batch)

    def rows(self, folder: Path) -> Rows:
        batches = [
            pa.ipc.open_file(pa.memory_map(str(path))).get_batch(0) for path in sorted(folder.glob("*.arrow"))
        ]
        rgb, ir = (
            [
                np.frombuffer(batch.column(part).buffers()[1], np.uint8).reshape(len(batch), -1)
                for batch in batches
            ]
            for part in ("rgb", "ir")
        )

        def fill(row: int, picture: Array, thermal: Array) -> None:
            shard, place = divmod(row, SHARD_PAIRS)
            picture.reshape(-1)[:] = rgb[shard][place]
            thermal.reshape(-1)[:] = ir[shard][place].view(np.uint16)

        return lambda rows: filled(rows, fill)

    @staticmethod
    def _batch(rgb: Array, ir: Array) -> pa.RecordBatch:
        columns = [
            pa.FixedSizeBinaryArray.from_buffers(pa.binary(size), len(rgb), [None, pa.py_buffer(values)])
            for values, size in ((rgb, RGB_BYTES), (ir, IR_BYTES))
        ]
        return pa.record_batch(columns, names=["rgb", "ir"])


class ArrowTake(Arrow):
    """The same files, rows gathered by `Table.take`."""

    name = "Arrow IPC, Table.take"

    def rows(self, folder: Path) -> Rows:
        table = pa.concat_tables(
            pa.ipc.open_file(pa.memory_map(str(path))).read_all() for path in sorted(folder.glob("*.arrow"))
        )

        def read(rows: Array) -> Batch:
            taken = table.take(pa.array(rows)).combine_chunks()
            rgb, ir = (taken.column(part).chunk(0).buffers()[1] for part in ("rgb", "ir"))
            return (
                np.frombuffer(rgb, np.uint8).reshape(-1, *RGB_SIZE, 3),
                np.frombuffer(ir, np.uint16).reshape(-1, *IR_SIZE),
            )

        return read


class Parquet(Arrow):
    """One file a shard, a row group a pair, which is the kindest to single rows; uncompressed."""

    name, files = "Parquet, a row group a pair", "parquet"

    def write(self, folder: Path, rgb: Array, ir: Array) -> None:
        for shard, pictures, thermals in shards(rgb, ir):
            table = pa.Table.from_batches([self._batch(pictures, thermals)])
            path = folder / f"{shard:05d}.parquet"
            pq.write_table(
                table,
                path,
                row_group_size=1,
                compression="none",
                use_dictionary=False,
                write_statistics=False,
            )

    def rows(self, folder: Path) -> Rows:
        files = [pq.ParquetFile(path, memory_map=True) for path in sorted(folder.glob("*.parquet"))]

        def fill(row: int, picture: Array, thermal: Array) -> None:
            shard, place = divmod(row, SHARD_PAIRS)
            group = files[shard].read_row_group(place, use_threads=False)
            for name, out in (("rgb", picture), ("ir", thermal)):
                bytes_into(out, group.column(name).chunk(0).buffers()[1])

        return lambda rows: filled(rows, fill)


class LitData:
    """Chunks of 64 MB; read by row, and as its own shuffled stream."""

    name, files, needs = "litdata", "litdata", "litdata"

    def write(self, folder: Path, rgb: Array, ir: Array) -> None:
        from litdata.streaming import Cache

        cache = Cache(str(folder), chunk_bytes="64MB")
        for number, (picture, thermal) in enumerate(zip(rgb, ir, strict=True)):
            cache[number] = {"number": number, "rgb": picture, "ir": thermal}
        cache.done()
        cache.merge()

    def rows(self, folder: Path) -> Rows:
        from litdata import StreamingDataset

        dataset = StreamingDataset(str(folder))

        def fill(row: int, picture: Array, thermal: Array) -> None:
            item = dataset[row]
            picture[:], thermal[:] = item["rgb"], item["ir"]

        return lambda rows: filled(rows, fill)

    def stream(
        self, folder: Path, rank: int = 0, world: int = 1, state: Mapping[str, Any] | None = None
    ) -> Stream:
        dataset = self.dataset(folder, rank, world)
        if state is not None:
            dataset.load_state_dict(dict(state))
        return ((item["number"], item["rgb"], item["ir"]) for item in dataset)

    @staticmethod
    def dataset(folder: Path, rank: int = 0, world: int = 1) -> Any:
        from litdata import StreamingDataset
        from litdata.utilities.env import _DistributedEnv

        dataset = StreamingDataset(str(folder), shuffle=True, seed=0, drop_last=False)
        dataset.distributed_env = _DistributedEnv(world, rank, 1)
        return dataset


class WebDataset:
    """Tar files; read as a stream, which is all that they are for, through a buffer that shuffles."""

    name, files, needs = "WebDataset", "webdataset", "webdataset"

    def write(self, folder: Path, rgb: Array, ir: Array) -> None:
        from webdataset import TarWriter

        numbers = itertools.count()
        for shard, pictures, thermals in shards(rgb, ir):
            with TarWriter(str(folder / f"{shard:05d}.tar")) as file:
                for picture, thermal in zip(pictures, thermals, strict=True):
                    key = f"{next(numbers):09d}"
                    file.write({"__key__": key, "rgb.bin": picture.tobytes(), "ir.bin": thermal.tobytes()})

    def stream(self, folder: Path, rank: int = 0, world: int = 1) -> Stream:
        import webdataset

        urls = [str(path) for path in sorted(folder.glob("*.tar"))]
        samples = webdataset.WebDataset(
            urls,
            shardshuffle=len(urls),
            seed=0,
            nodesplitter=lambda urls: itertools.islice(urls, rank, None, world),
        ).shuffle(SHUFFLED, seed=0)
        for sample in samples:
            rgb, ir = np.empty((*RGB_SIZE, 3), np.uint8), np.empty(IR_SIZE, np.uint16)
            bytes_into(rgb, sample["rgb.bin"])
            bytes_into(ir, sample["ir.bin"])
            yield int(sample["__key__"]), rgb, ir


ALL = (Ours(), Mapped(), Arrow(), ArrowTake(), Parquet(), LitData(), WebDataset())


def installed(kind: Any) -> bool:
    return kind.needs is None or find_spec(kind.needs) is not None
