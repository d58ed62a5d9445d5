"""A small collection that a table describes."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from sage_lightning.data.folder import FolderSource
from sage_lightning.data.prepare import Kept, prepare
from sage_lightning.data.split import Split
from sage_lightning.data.store import PairStore

COLUMNS = {"rgb": "visible", "ir": "thermal"}

HEADS = "visible, thermal, fold, sequence, weather, split"

PAIRS = 40


def collection(folder: Path) -> pd.DataFrame:
    """Forty pairs of different sizes, some of them grey, with labels; written with its table."""
    (folder / "rgb").mkdir(parents=True)
    (folder / "ir").mkdir()
    rows = []
    for pair in range(PAIRS):
        rng = np.random.default_rng(pair)
        shape = (20 + pair % 3, 30 + pair % 4)
        pixels = rng.integers(0, 256, shape if pair % 5 == 0 else (*shape, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"rgb/{pair}.png")
        thermal = np.full(shape, pair, np.uint8)
        thermal[-1] += 100  # a picture without a difference in it is no picture
        Image.fromarray(thermal).save(folder / f"ir/{pair}.png")
        rows.append(
            {
                "visible": f"rgb/{pair}.png",
                "thermal": f"ir/{pair}.png",
                "fold": "test" if pair < 10 else "train" if pair < 38 else "unassigned",
                "sequence": pair // 4,
                "weather": "clear" if pair % 2 else "cloudy",
                "split": "of another paper",
            }
        )
    table = pd.DataFrame(rows)
    table.to_csv(folder / "pairs.csv", index=False)
    return table


def source(root: Path, columns: dict[str, Any] = COLUMNS, **options: Any) -> FolderSource:
    settings: dict[str, Any] = {
        "table": "pairs.csv",
        "tables": {},
        "ir_size": (10, 15),
        "thermal_unit": "display",
    }
    return FolderSource(root, columns=columns, **(settings | options))


def made(
    tmp_path: Path, columns: dict[str, Any] = COLUMNS, deal: tuple[str, ...] | None = None, **options: Any
) -> PairStore:
    found = source(tmp_path / "data", columns, **options)
    return prepare(found, tmp_path / "cache", Kept((12, 18)), Split(val=0.2, test=0.2, deal=deal))
