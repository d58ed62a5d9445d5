"""A small folder of real files: forty pairs, four a day, from one node."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sage_lightning.data import plan
from sage_lightning.data.executor import Processes
from sage_lightning.data.prepare import Kept, prepare
from sage_lightning.data.sources import SageSource
from sage_lightning.data.split import Split
from sage_lightning.data.store import PairStore
from sage_lightning.sage.celsius import write_celsius

PAIRS = 40
NODE = "000048b02d15bc42"
DAY_NS = 86_400_000_000_000
START = 19_700 * DAY_NS + DAY_NS // 2


@dataclass(frozen=True)
class CameraFolder:
    """Files of frames 0 to 39; where they are and what they hold is a function of the frame."""

    root: Path
    node: str = NODE
    pairs: int = PAIRS

    def time(self, frame: int) -> int:
        return START + frame * DAY_NS // 4 + 7  # no multiple of a hundred: float64 would not hold it

    def picture(self, frame: int) -> Path:
        return self.root / NODE / f"{self.time(frame)}-128x32_position3.jpg"

    def thermal(self, frame: int) -> Path:
        return self.root / NODE / f"{self.time(frame)}-right_21x14_14bit.thermal.celsius_position3.csv"

    def matrix(self, frame: int) -> np.ndarray[Any, np.dtype[np.float32]]:
        raw = np.random.default_rng(frame).integers(5000, 8000, (14, 21))
        celsius = np.round(0.04 * raw - 273.15, 2).astype(np.float32)
        celsius[0, 0] = np.nan
        return celsius

    def write(self, frame: int) -> None:
        pixels = np.random.default_rng(1000 + frame).integers(0, 256, (32, 128, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(self.picture(frame), quality=90)
        write_celsius(self.thermal(frame), self.matrix(frame))


@pytest.fixture
def camera(tmp_path: Path) -> CameraFolder:
    folder = CameraFolder(tmp_path / "files")
    (folder.root / NODE).mkdir(parents=True)
    for frame in range(PAIRS):
        folder.write(frame)
    return folder


@pytest.fixture
def make(camera: CameraFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., PairStore]:
    """Prepares the folder, in shards of 16 pairs; what is asked for otherwise is said by name."""
    monkeypatch.setattr(plan, "SHARD_PAIRS", 16)

    def prepared(root: Path = camera.root, cache: str = "cache", **asked: Any) -> PairStore:
        source = {key: asked.pop(key) for key in ("thermal_unit", "nodes", "crop_box") if key in asked}
        kept = Kept(asked.pop("rgb_store_size", (12, 16)), asked.pop("rgb_store_kind", "raw"))
        wanted = {"split": Split(val=0.2, test=0.3), "executor": Processes(asked.pop("workers", 1))} | asked
        return prepare(SageSource(root, **source), tmp_path / cache, kept, **wanted)

    return prepared
