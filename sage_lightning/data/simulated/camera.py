"""The simulated camera: writes frames as files in the archive's layout, with faults as archives have them.

A frame is a function of (seed, frame number, parameters): any number of processes writes the same bytes, and
an interrupted run goes on where it stopped. `truth.parquet` and the finished manifest come last.
"""

import json
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sage_lightning.data.simulated.faults import Fault, cut_file, faults_of
from sage_lightning.data.simulated.scene import Scene, draw_scene
from sage_lightning.data.simulated.sensors import optical_picture, side_by_side, thermal_picture
from sage_lightning.data.simulated.truth import site
from sage_lightning.data.simulated.view import ViewGrid
from sage_lightning.errors import UserError
from sage_lightning.progress import track
from sage_lightning.sage.celsius import write_celsius
from sage_lightning.sage.names import archive_path, picture_name, thermal_name
from sage_lightning.sage.nodes import write_nodes
from sage_lightning.sage.positions import PRESETS

VERSION = 2  # another one wherever the same parameters give other bytes

_JOB, _TASK, _TAG = "1", "mobotix-scan", "0.24.8"
_JPEG_QUALITY = 88
_FRAMES_PER_CALL = 16  # that a worker process is handed at a time


@dataclass(frozen=True)
class SimulatedCamera:
    """A collection of simulated frames in a folder: `raw/` as in the archive, `nodes.csv`, `truth.parquet`.

    Attributes:
        root: the folder.
        frames: how many frames, faulty ones included; nodes and positions take turns.
        nodes: how many nodes, each at a place of its own.
        positions: presets, of 1–32.
        days: how many local days, spread over a year.
        picture_size: (W, H) of the side-by-side picture, pixels.
        thermal_size: (w, h) of the thermal picture, pixels.
        faults: share of frames that come broken, in [0, 1); see `Fault`.
        seed: another seed gives another world.
    """

    root: Path
    frames: int = 3000
    nodes: int = 2
    positions: tuple[int, ...] = (1, 2, 3, 4, 17, 18, 19, 20)
    days: int = 60
    picture_size: tuple[int, int] = (768, 256)
    thermal_size: tuple[int, int] = (168, 126)
    faults: float = 0.01
    seed: int = 0

    def __post_init__(self) -> None:
        set_field = object.__setattr__  # frozen: lists become tuples, once, before anyone sees them
        set_field(self, "root", Path(self.root))
        set_field(self, "positions", tuple(self.positions))
        set_field(self, "picture_size", tuple(self.picture_size))
        set_field(self, "thermal_size", tuple(self.thermal_size))
        if mistakes := list(self._mistakes()):
            raise UserError(*mistakes)

    def write(self, workers: int = 1) -> None:
        """Writes what is missing; returns at once where all is there.

        Args:
            workers: processes; 1 is this one alone.

        Raises:
            UserError: the folder holds a simulation of other parameters.
        """
        manifest = self.root / "manifest.json"
        if manifest.exists():
            found = json.loads(manifest.read_text())
            if found["simulation"] != self._parameters():
                raise UserError(f"{self.root} holds another simulation; delete it or choose another folder")
            if found["finished"]:
                return
        self.root.mkdir(parents=True, exist_ok=True)
        self._write_manifest(finished=False)
        write_nodes(self.root / "nodes.csv", [site(self.seed, number).node for number in range(self.nodes)])
        rows = list(track(self._write_all(workers), "Writing simulated frames", total=self.frames))
        unfinished = self.root / "truth.parquet.part"
        pd.DataFrame(rows).to_parquet(unfinished, index=False)
        unfinished.replace(self.root / "truth.parquet")
        self._write_manifest(finished=True)

    def scene(self, frame: int) -> tuple[Scene, np.random.Generator]:
        """A frame's scene, and its random numbers from there on, which the sensors' noise takes."""
        rng = np.random.default_rng([self.seed, frame])
        node = frame % self.nodes
        position = self.positions[frame // self.nodes % len(self.positions)]
        grid = ViewGrid(position, self.thermal_size)
        return draw_scene(rng, self.seed, node, site(self.seed, node), self.days, grid), rng

    def _write_all(self, workers: int) -> Iterator[dict[str, Any]]:
        faults = faults_of(self.seed, self.frames, self.faults)
        jobs = [(frame, faults.get(frame)) for frame in range(self.frames)]
        if workers <= 1:
            yield from map(self._write_frame, jobs)
            return
        # Not forked: the calling process may hold threads of torch's or Arrow's, which do not survive a fork.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=context) as pool:
            yield from pool.map(self._write_frame, jobs, chunksize=_FRAMES_PER_CALL)

    def _write_frame(self, job: tuple[int, Fault | None]) -> dict[str, Any]:
        """Writes the frame's files where they are missing, and returns its row of the truth table."""
        frame, fault = job
        scene, rng = self.scene(frame)
        picture, thermal = self._paths(frame, scene, fault)
        wanted = [path for path in (picture, thermal) if path is not None]
        if not all(path.exists() for path in wanted):
            celsius = thermal_picture(rng, self.seed, frame % self.nodes, scene)
            if thermal is not None:
                with _Unfinished(thermal) as path:
                    write_celsius(path, celsius)
                    if fault is Fault.CUT_THERMAL:
                        cut_file(path, frame)
            if picture is not None:
                size = (self.picture_size[0] // 2, self.picture_size[1])
                image = side_by_side(optical_picture(rng, scene, size), celsius)
                with _Unfinished(picture) as path:
                    image.save(path, "JPEG", quality=_JPEG_QUALITY)
                    if fault is Fault.TRUNCATED_PICTURE:
                        cut_file(path, frame)
        return self._truth(frame, scene, fault)

    def truth_columns(self) -> list[str]:
        """The columns of truth.parquet, whether it is written or not."""
        return list(self._truth(0, self.scene(0)[0], None))

    def _truth(self, frame: int, scene: Scene, fault: Fault | None) -> dict[str, Any]:
        moment = scene.moment
        return {
            "node": site(self.seed, frame % self.nodes).node.node,
            "time_ns": moment.time_ns,
            "position": str(moment.position),
            "local_day": moment.local_day,
            "local_hour": moment.local_hour,
            "sun_elevation": moment.sun_elevation,
            **scene.labels(),
            "fault": fault or "",
        }

    def _paths(self, frame: int, scene: Scene, fault: Fault | None) -> tuple[Path | None, Path | None]:
        """Picture and thermal file; None for one that is to be missing."""
        node, time_ns = site(self.seed, frame % self.nodes).node.node, scene.moment.time_ns
        true, wrong = str(scene.moment.position), str(scene.moment.position % PRESETS + 1)
        named = [true, true]
        if fault is Fault.POSITION_MISMATCH:
            named[frame // self.nodes % 2] = wrong  # either of the two may be the wrong one

        def archived(filename: str) -> Path:
            return self.root / "raw" / archive_path(_JOB, _TASK, _TAG, node, time_ns, filename)

        picture = archived(picture_name(*self.picture_size, named[0]))
        thermal = archived(thermal_name("right", *self.thermal_size, named[1]))
        return (
            None if fault is Fault.NO_PICTURE else picture,
            None if fault is Fault.NO_THERMAL else thermal,
        )

    def _parameters(self) -> dict[str, Any]:
        parameters = {key: value for key, value in asdict(self).items() if key != "root"}
        return json.loads(json.dumps({"version": VERSION, **parameters}))

    def _write_manifest(self, *, finished: bool) -> None:
        content = {"simulation": self._parameters(), "finished": finished}
        with _Unfinished(self.root / "manifest.json") as path:
            path.write_text(json.dumps(content, indent=2) + "\n")

    def _mistakes(self) -> Iterator[str]:
        for key in ("frames", "nodes", "days"):
            if getattr(self, key) < 1:
                yield f"data.{key}={getattr(self, key)}: it is 1 or more"
        wrong = [position for position in self.positions if not 1 <= position <= PRESETS]
        if wrong or not self.positions or len(set(self.positions)) < len(self.positions):
            yield f"data.positions={list(self.positions)}: they are different presets of 1–{PRESETS}"
        width, height = self.picture_size
        if height < 16 or width % 2 or width < 2 * height:
            yield f"data.picture_size={width}x{height}: two halves side by side, neither narrower than high"
        if min(self.thermal_size) < 16:
            yield "data.thermal_size={}x{}: it is 16x16 or more".format(*self.thermal_size)
        if not 0 <= self.faults < 1:
            yield f"data.faults={self.faults}: it is a share from 0 to below 1"


class _Unfinished:
    """A file under another name, which gets its own when the block ends well: what is there is whole."""

    def __init__(self, path: Path) -> None:
        self._path, self._part = path, path.with_name(path.name + ".part")

    def __enter__(self) -> Path:
        self._part.parent.mkdir(parents=True, exist_ok=True)
        return self._part

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._part.replace(self._path)
