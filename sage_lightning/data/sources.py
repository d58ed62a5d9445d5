"""Where pairs come from: a collection lists its pairs, and decodes one at a time. `prepare` does the rest."""

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
from filelock import FileLock

from sage_lightning.data import index as index_table
from sage_lightning.data.quarantine import UNREADABLE, Unusable
from sage_lightning.data.scan import Scan, pairless, scan_folder
from sage_lightning.data.simulated.camera import VERSION, SimulatedCamera
from sage_lightning.data.split import by_day
from sage_lightning.errors import UserError
from sage_lightning.sage.celsius import CelsiusError, read_celsius
from sage_lightning.sage.nodes import Node, read_nodes
from sage_lightning.sage.picture import CROP_BOX, PictureError, read_optical

THERMAL_UNITS = ("celsius", "kelvin", "counts", "display")


class PairSource(Protocol):
    """A collection of pairs. It is sent to the processes that decode, so it must pickle, and be small.

    Attributes:
        root: the folder that an index's paths start from.
        thermal_unit: what a thermal value means: "celsius", "kelvin", "counts" or "display".
        ir_size: (h, w) of every thermal picture that `read` gives; None where the index tells.
        recipe: everything but the files that decides what `read` gives; plain values, ready for JSON.
    """

    root: Path
    thermal_unit: str
    ir_size: tuple[int, int] | None
    recipe: dict[str, Any]

    def scan(self) -> Scan:
        """Lists and pairs the files; label columns, where there are any, included."""
        ...

    def nodes(self) -> dict[str, Node]:
        """Where the nodes stand, by node id; empty where no one knows."""
        ...

    def split(self, index: pd.DataFrame, val: float, test: float, seed: int) -> pd.Series:
        """The split of every row of the index: "train", "val", "test", or "" in quarantine."""
        ...

    def read(
        self, rgb_path: str, ir_path: str, size: tuple[int, int]
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
        """Decodes one pair.

        Args:
            rgb_path: relative to `root`, as in the index.
            ir_path: likewise.
            size: (H, W) of the RGB picture wanted.

        Returns:
            rgb: (H, W, 3), the field of view that the thermal picture has.
            ir: (h, w) in `thermal_unit`, NaN where missing.

        Raises:
            Unusable: a file is damaged.
        """
        ...

    def read_thermal(self, ir_path: str) -> npt.NDArray[np.float32]:
        """The thermal picture alone; see `read`."""
        ...


class _Camera:
    """What files of cameras have in common."""

    root: Path
    ir_size: tuple[int, int] | None = None

    def split(self, index: pd.DataFrame, val: float, test: float, seed: int) -> pd.Series:
        """By whole local days."""
        return by_day(index, val, test, seed)

    def read_thermal(self, ir_path: str) -> npt.NDArray[np.float32]:
        """See `PairSource.read_thermal`."""
        with _damage_is_unusable():
            return read_celsius(self.root / ir_path)


class SageSource(_Camera):
    """A folder of files from Sage cameras, in the archive's layout, the node's, or flat.

    Args:
        root: the folder; everything below it is looked at.
        nodes: a CSV of where the nodes stand, or null.
        crop_box: left, top, right, bottom of the thermal field of view, as fractions of the optical half.
        thermal_unit: what the thermal values mean.

    Raises:
        UserError: a folder or file that is not there, or a crop box or unit that is none.
    """

    def __init__(
        self,
        root: str | Path,
        nodes: str | Path | None = None,
        crop_box: Sequence[float] = CROP_BOX,
        thermal_unit: str = "celsius",
    ) -> None:
        self.root = Path(root)
        self.thermal_unit = thermal_unit
        self._nodes = None if nodes is None else Path(nodes)
        problems = []
        if not self.root.is_dir():
            problems.append(f"data.root={root} is not a folder")
        if self._nodes is not None and not self._nodes.is_file():
            problems.append(f"data.nodes={nodes} is not a file")
        box = [float(edge) for edge in crop_box]
        if len(box) != 4 or not (0 <= box[0] < box[2] <= 1 and 0 <= box[1] < box[3] <= 1):
            problems.append(
                f"data.crop_box={box} must be [left, top, right, bottom] with 0 <= left < right <= 1 "
                "and 0 <= top < bottom <= 1"
            )
        if thermal_unit not in THERMAL_UNITS:
            problems.append(f"data.thermal_unit={thermal_unit} is not one of {', '.join(THERMAL_UNITS)}")
        if problems:
            raise UserError(*problems)
        self._crop_box = (box[0], box[1], box[2], box[3])
        self.recipe: dict[str, Any] = {"kind": "sage", "crop_box": box, "thermal_unit": thermal_unit}

    def scan(self) -> Scan:
        """Lists and pairs the files.

        Raises:
            UserError: there is no pair.
        """
        if line := pairless(self.root):
            raise UserError(line)
        return scan_folder(self.root)

    def nodes(self) -> dict[str, Node]:
        """The node table, by node id and, for names that say only that, by VSN."""
        table = {} if self._nodes is None else read_nodes(self._nodes)
        return table | {node.vsn: node for node in table.values()}

    def read(
        self, rgb_path: str, ir_path: str, size: tuple[int, int]
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
        """See `PairSource.read`."""
        return _read_files(self.root, rgb_path, ir_path, self._crop_box, size)


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

    def scan(self) -> Scan:
        """Writes the simulated files that are missing, then lists and pairs all; the truth becomes labels."""
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
        return dataclasses.replace(scan, index=index)

    def nodes(self) -> dict[str, Node]:
        """The node table, by node id."""
        return read_nodes(self._folder / "nodes.csv")

    def read(
        self, rgb_path: str, ir_path: str, size: tuple[int, int]
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
        """See `PairSource.read`."""
        return _read_files(self.root, rgb_path, ir_path, CROP_BOX, size)


def _read_files(
    root: Path,
    rgb_path: str,
    ir_path: str,
    crop_box: tuple[float, float, float, float],
    size: tuple[int, int],
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    # The thermal file comes first: where both are damaged, its reason is given.
    with _damage_is_unusable():
        ir = read_celsius(root / ir_path)
        return read_optical(root / rgb_path, crop_box, size), ir


@contextmanager
def _damage_is_unusable() -> Iterator[None]:
    try:
        yield
    except (CelsiusError, PictureError) as error:
        raise Unusable(error.reason) from error
    except OSError as error:  # one locked or vanished file is no reason to lose the others
        raise Unusable(UNREADABLE) from error


def read_size(key: str, value: str | Sequence[int]) -> tuple[int, int]:
    """(width, height) from "6144x2048" or [6144, 2048].

    Raises:
        UserError: it is neither.
    """
    parts = value.split("x") if isinstance(value, str) else [str(part) for part in value]
    if len(parts) != 2 or not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise UserError(f"{key}={value} is not a size: write it as {key}=6144x2048, width first")
    return int(parts[0]), int(parts[1])
