"""Collections of cameras: a folder of their files, and the simulated one. What all have is `data.source`."""

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from filelock import FileLock

from sage_lightning.data import index as index_table
from sage_lightning.data.catalogue import Catalogue
from sage_lightning.data.disk import writing_below
from sage_lightning.data.facts import Facts
from sage_lightning.data.index import add_place_and_time
from sage_lightning.data.quarantine import OUT_OF_RANGE, TRUNCATED, Unusable, bytes_of
from sage_lightning.data.scan import Scan, scan_folder, without_pair
from sage_lightning.data.simulated.camera import VERSION, SimulatedCamera
from sage_lightning.data.source import PairFiles
from sage_lightning.data.split import Split, dealt
from sage_lightning.errors import UserError
from sage_lightning.sage.celsius import PHYSICAL_RANGE, CelsiusError, parse_celsius
from sage_lightning.sage.nodes import Box, NodeTable, read_nodes
from sage_lightning.sage.picture import CROP_BOX, PictureError, parse_optical

THERMAL_UNITS = ("celsius", "kelvin", "counts", "display")


class _Camera:
    """What files of cameras have in common."""

    root: Path
    recipe: dict[str, Any]
    dated = False  # cameras do not write a file again, and copies of archives have times of their own
    ir_size: tuple[int, int] | None = None
    thermal_size: tuple[int, int] | None = None

    def facts(self, cache_dir: Path) -> Facts:
        """See `PairSource.facts`; whether a camera's file can be used depends on no choice."""
        return Facts(cache_dir, self.root, {"kind": "camera"})

    def split(self, index: pd.DataFrame, split: Split) -> pd.Series:
        """By whole local days, unless it is said otherwise."""
        return dealt(index, dataclasses.replace(split, by=split.by or "day"))

    def read_picture(self, rgb_path: str, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
        """See `PairSource.read_picture`."""
        return _read_picture(self.root / rgb_path, CROP_BOX, size)

    def read_thermal(self, ir_path: str) -> npt.NDArray[np.float32]:
        """See `PairSource.read_thermal`."""
        return _read_thermal(self.root / ir_path)


class SageSource(_Camera):
    """A folder of files from Sage cameras, in the archive's layout, the node's, or flat.

    Args:
        root: the folder; everything below it is looked at.
        nodes: the node table, a CSV, or null.
        crop_box: left, top, right, bottom of the thermal field of view, as fractions of the optical half;
            the node table may have another for a node.
        thermal_unit: what the thermal values mean.
        keep_mismatches: uses pairs whose two names differ in position; it is null then.
        thermal_size: width and height of the thermal pictures that are used: "336x252", or two numbers; null
            for those that most names say.

    Raises:
        UserError: a folder or file that is not there, or a crop box, unit or size that is none.
    """

    def __init__(
        self,
        root: str | Path,
        nodes: str | Path | None = None,
        crop_box: Sequence[float] = CROP_BOX,
        thermal_unit: str = "celsius",
        keep_mismatches: bool = False,
        thermal_size: str | Sequence[int] | None = None,
    ) -> None:
        self.root = Path(root)
        self.thermal_unit = thermal_unit
        self.nodes = NodeTable()
        problems = []
        if not self.root.is_dir():
            problems.append(f"data.root={root} is not a folder")
        try:
            self.nodes = NodeTable() if nodes is None else read_nodes(Path(nodes))
        except UserError as error:
            problems += error.lines
        box = [float(edge) for edge in crop_box]
        if len(box) != 4 or not (0 <= box[0] < box[2] <= 1 and 0 <= box[1] < box[3] <= 1):
            problems.append(
                f"data.crop_box={box} must be [left, top, right, bottom] with 0 <= left < right <= 1 "
                "and 0 <= top < bottom <= 1"
            )
        if thermal_unit not in THERMAL_UNITS:
            problems.append(f"data.thermal_unit={thermal_unit} is not one of {', '.join(THERMAL_UNITS)}")
        try:
            if thermal_size is not None:
                width, height = read_size("data.thermal_size", thermal_size)
                self.thermal_size = (height, width)
        except UserError as error:
            problems += error.lines
        if problems:
            raise UserError(*problems)
        self._crop_box = (box[0], box[1], box[2], box[3])
        self._keep_mismatches = keep_mismatches
        self.recipe: dict[str, Any] = {"kind": "sage", "crop_box": box, "thermal_unit": thermal_unit}
        if cameras := self.nodes.cameras_recipe():
            self.recipe["cameras"] = cameras
        if keep_mismatches:
            self.recipe["keep_mismatches"] = True
        self.places: list[Any] = self.nodes.places_recipe()

    def columns(self) -> list[str]:
        """See `PairSource.columns`; names of files give no labels."""
        return list(index_table.COLUMNS)

    def scan(self, cache_dir: Path | None = None) -> Scan:
        """Lists and pairs the files.

        Raises:
            UserError: there is no pair.
        """
        scan = self.listed(cache_dir)
        if line := without_pair(self.root, scan):
            raise UserError(line)
        return scan

    def listed(self, cache_dir: Path | None = None) -> Scan:
        """As `scan`, also of files without a pair: no data to train on, but what they lack can be told."""
        if cache_dir is not None:
            return Catalogue(cache_dir, self.root, self.recipe).scan(self.nodes, self._keep_mismatches)
        scan = scan_folder(self.root, self._keep_mismatches, self.nodes)
        return dataclasses.replace(scan, index=add_place_and_time(scan.index, self.nodes))

    def read(
        self, pair: PairFiles, size: tuple[int, int]
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
        """See `PairSource.read`."""
        camera = self.nodes.at(pair.node, pair.time_ns)
        if camera is None:
            return _read_files(self.root, pair, self._crop_box, size)
        return _read_files(self.root, pair, camera.crop_box or self._crop_box, size, camera.masks)


class SimulatedSource(_Camera):
    """The simulated camera: writes its files on first use, then reads them as those of a real one.

    Args:
        root: the files go into `root/simulated-<hash of the other parameters>`.
        frames: how many frames there are, broken ones included.
        nodes: how many nodes.
        positions: presets, of 1–32, that every node returns to.
        days: how many local days, spread over a year.
        picture_size: width and height of the side-by-side picture: "6144x2048", or two numbers.
        thermal_size: width and height of the thermal picture, likewise.
        faults: the share of frames that come broken, in [0, 1).
        seed: another seed gives another world.
        workers: processes that write files; they change no byte.
    """

    def __init__(
        self,
        root: str | Path,
        frames: int,
        nodes: int,
        positions: Sequence[int],
        days: int,
        picture_size: str | Sequence[int],
        thermal_size: str | Sequence[int],
        faults: float,
        seed: int,
        workers: int,
    ) -> None:
        camera = SimulatedCamera(
            root=Path(root),
            frames=frames,
            nodes=nodes,
            positions=tuple(int(position) for position in positions),
            days=days,
            picture_size=read_size("data.picture_size", picture_size),
            thermal_size=read_size("data.thermal_size", thermal_size),
            faults=faults,
            seed=seed,
        )
        parameters = {key: value for key, value in dataclasses.asdict(camera).items() if key != "root"}
        self.thermal_unit = "celsius"
        self.recipe: dict[str, Any] = {"kind": "simulated", "version": VERSION, **parameters}
        name = hashlib.sha256(json.dumps(self.recipe, sort_keys=True).encode()).hexdigest()[:12]
        self._folder = Path(root) / f"simulated-{name}"
        self._camera = dataclasses.replace(camera, root=self._folder)
        self._workers = workers
        self.root = self._folder / "raw"
        self.nodes = NodeTable()
        self.places: list[Any] = []  # they are the simulation's, which the recipe names

    def columns(self) -> list[str]:
        """See `PairSource.columns`."""
        truth = [name for name in self._camera.truth_columns() if name != "time_ns"]
        return list(dict.fromkeys([*index_table.COLUMNS, *truth]))

    def scan(self, cache_dir: Path | None = None) -> Scan:
        """Writes the simulated files that are missing, then lists and pairs all; the truth becomes labels."""
        with writing_below(self._folder.parent):
            self._folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self._folder.with_suffix(".lock")):
                self._camera.write(workers=self._workers)
        scan = scan_folder(self.root)
        truth = pd.read_parquet(self._folder / "truth.parquet")
        labels = truth.assign(time=pd.to_datetime(truth["time_ns"], unit="ns", utc=True)).drop(
            columns="time_ns"
        )
        # What the index finds out by itself, from names and the node table, it keeps.
        own = [
            column for column in index_table.COLUMNS if column in labels and column not in ("node", "time")
        ]
        index = scan.index.merge(
            labels.drop(columns=own), on=["node", "time"], how="left", validate="many_to_one"
        )
        self.nodes = read_nodes(self._folder / "nodes.csv")
        return dataclasses.replace(scan, index=add_place_and_time(index, self.nodes))

    def read(
        self, pair: PairFiles, size: tuple[int, int]
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
        """See `PairSource.read`."""
        return _read_files(self.root, pair, CROP_BOX, size)


def _read_files(
    root: Path, pair: PairFiles, crop_box: Box, size: tuple[int, int], masks: Sequence[Box] = ()
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    # The thermal file comes first: where both are damaged, its reason is given.
    ir = _read_thermal(root / pair.ir_path)
    return _read_picture(root / pair.rgb_path, crop_box, size, masks), ir


def _read_picture(
    path: Path, crop_box: Box, size: tuple[int, int], masks: Sequence[Box] = ()
) -> npt.NDArray[np.uint8]:
    data = _bytes_of(path)
    with _damage_is_unusable():
        return parse_optical(data, path, crop_box, size, masks)


def _read_thermal(path: Path) -> npt.NDArray[np.float32]:
    data = _bytes_of(path)
    with _damage_is_unusable():
        ir = parse_celsius(data, path)
    # Of what is not NaN.
    if np.fmin.reduce(ir, axis=None) < PHYSICAL_RANGE[0] or np.fmax.reduce(ir, axis=None) > PHYSICAL_RANGE[1]:
        raise Unusable(OUT_OF_RANGE)
    return ir


def _bytes_of(path: Path) -> bytes:
    if data := bytes_of(path):
        return data
    raise Unusable(TRUNCATED)  # of which nothing is left


@contextmanager
def _damage_is_unusable() -> Iterator[None]:
    try:
        yield
    except (CelsiusError, PictureError) as error:  # alone: what the machine lacks is no damage of a file
        raise Unusable(error.reason) from error


def read_size(key: str, value: str | Sequence[int] | None) -> tuple[int, int]:
    """(width, height) from "6144x2048" or [6144, 2048].

    Raises:
        UserError: it is neither.
    """
    parts = value.split("x") if isinstance(value, str) else [str(part) for part in value or ()]
    if len(parts) != 2 or not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise UserError(f"{key}={value} is not a size: write it as {key}=6144x2048, width first")
    return int(parts[0]), int(parts[1])
