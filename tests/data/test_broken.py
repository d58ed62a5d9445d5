"""Files of no usable pair are opened on request, and those that are broken say so until they change."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from sage_lightning.data.broken import BrokenFiles
from sage_lightning.data.executor import Processes
from sage_lightning.data.sources import SageSource
from sage_lightning.sage.celsius import write_celsius

NODE = "000048b02d15bc42"
NOON = 1_700_000_000_000_000_000
RNG = np.random.default_rng(0)


def picture(root: Path, frame: int, kept: float = 1.0, folder: str = "a", position: int = 3) -> str:
    path = root / folder / NODE / f"{NOON + frame}-128x32_position{position}.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(RNG.integers(0, 200, (32, 128, 3), dtype=np.uint8)).save(path)
    os.truncate(path, int(kept * path.stat().st_size))
    return str(path.relative_to(root))


def thermal(root: Path, frame: int, kept: float = 1.0, value: float = 0.0, rows: int = 6) -> str:
    path = root / "a" / NODE / f"{NOON + frame}-right_8x{rows}_14bit.thermal.celsius_position3.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_celsius(path, np.tile(value * np.arange(8, dtype=np.float32), (rows, 1)))
    os.truncate(path, int(kept * path.stat().st_size))
    return str(path.relative_to(root))


def collection(root: Path) -> dict[str, str]:
    """One sound pair, and files outside of pairs with what is the matter with them."""
    picture(root, 0)
    thermal(root, 0, value=1.5)
    plot = root / "a" / NODE / f"{NOON + 9}-right_8x6_14bit.thermal.celsius_plot_position3.jpg"
    plot.write_bytes(b"")
    return {
        picture(root, 0, kept=0.5, folder="b"): "truncated",  # a copy
        picture(root, 1, kept=0.5): "truncated",
        picture(root, 2): "partner missing",
        picture(root, 3, kept=0.0): "unreadable",
        thermal(root, 4, kept=0.7, value=1.5): "truncated",
        thermal(root, 5): "flat",
        thermal(root, 6, value=1.5, rows=7): "wrong size",
        picture(root, 7, position=4): "truncated",  # its partner is
        thermal(root, 7, kept=0.7, value=1.5): "truncated",
        picture(root, 8, position=4): "position mismatch",
        thermal(root, 8, value=1.5): "position mismatch",
        str(plot.relative_to(root)): "plot instead of picture",
        thermal(root, 9, value=1.5): "plot instead of picture",
    }


def reasons(index: pd.DataFrame) -> dict[str, str]:
    held = index[index["status"] != "ok"]
    return (
        pd.concat([held.set_index(side)["reason"] for side in ("rgb_path", "ir_path")])
        .loc[lambda found: found.index.notna()]
        .to_dict()
    )


@pytest.fixture
def looked(tmp_path: Path) -> tuple[BrokenFiles, SageSource, dict[str, str]]:
    expected = collection(tmp_path / "files")
    source = SageSource(tmp_path / "files")
    broken = BrokenFiles(tmp_path / "cache" / "index-x", source.root)
    index = source.scan().index
    assert broken.applied(index).equals(index)  # nothing has been looked at
    broken.look(index, source, (16, 16), (6, 8), Processes(1))
    return broken, source, expected


def test_every_file_outside_of_a_usable_pair_says_what_is_the_matter(looked) -> None:  # type: ignore[no-untyped-def]
    broken, source, expected = looked
    index = source.scan().index
    told = broken.applied(index)
    assert reasons(told) == expected
    assert told["status"].equals(index["status"])
    assert (told.loc[told["status"] == "ok", "reason"] == "").all()
    assert BrokenFiles(broken._path.parent, source.root).applied(index).equals(told)  # it is kept


def test_what_was_told_goes_with_the_file_that_it_was_told_of(looked) -> None:  # type: ignore[no-untyped-def]
    broken, source, expected = looked
    mended = picture(source.root, 1)
    gone = next(path for path, reason in expected.items() if reason == "unreadable")
    (source.root / gone).unlink()
    told = reasons(broken.applied(source.scan().index))
    assert told == {path: reason for path, reason in expected.items() if path != gone} | {
        mended: "partner missing"
    }


def test_what_is_kept_and_damaged_is_told_and_left(looked, caplog: pytest.LogCaptureFixture) -> None:  # type: ignore[no-untyped-def]
    broken, source, _ = looked
    broken._path.write_text("{")
    index = source.scan().index
    assert broken.applied(index).equals(index)
    assert "damaged; index.verify=true tells it anew" in caplog.text
