"""Every file is looked at for itself, and an index says of each what is the matter."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from sage_lightning.data.executor import Processes
from sage_lightning.data.sources import SageSource
from sage_lightning.data.telling import known, looked_at
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
        picture(root, 3, kept=0.0): "truncated",
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


def look(root: Path, **asked: object) -> pd.DataFrame:
    source = SageSource(root, **asked)  # type: ignore[arg-type]
    return looked_at(source, root.parent / "cache", source.scan().index, (16, 16), Processes(1))[0]


def told(root: Path, **asked: object) -> pd.DataFrame:
    source = SageSource(root, **asked)  # type: ignore[arg-type]
    return known(source, root.parent / "cache", source.scan().index)


def test_every_file_outside_of_a_usable_pair_says_what_is_the_matter(tmp_path: Path) -> None:
    root = tmp_path / "files"
    expected = collection(root)
    before = told(root)
    assert before.equals(SageSource(root).scan().index)  # nothing has been looked at
    index = look(root)
    assert reasons(index) == expected
    assert index["status"].equals(before["status"])
    pd.testing.assert_frame_equal(told(root), index)  # it is kept


def test_what_was_told_goes_with_the_file_that_it_was_told_of(tmp_path: Path) -> None:
    root = tmp_path / "files"
    expected = collection(root)
    look(root)
    mended = picture(root, 1)
    gone = next(path for path, reason in expected.items() if reason == "partner missing" and path != mended)
    (root / gone).unlink()
    expected |= {mended: "partner missing"}
    assert reasons(told(root)) == {path: reason for path, reason in expected.items() if path != gone}


def test_comparisons_follow_the_files_that_there_are(tmp_path: Path) -> None:
    root = tmp_path / "files"
    for frame in range(3):
        picture(root, frame)
        thermal(root, frame, value=1.5 + frame)
    first, later = root / thermal(root, 0, value=1.5), root / thermal(root, 2, value=1.5)
    odd = root / thermal(root, 1, value=9.0)
    write_celsius(odd, np.arange(56, dtype=np.float32).reshape(7, 8))  # its name says six rows
    index = look(root)
    assert reasons(index)[str(later.relative_to(root))] == "duplicate content"
    assert reasons(index)[str(odd.relative_to(root))] == "wrong size"
    picture(root, 7)
    thermal(root, 7, value=0.25)  # another frame changes nothing of it
    assert reasons(told(root)) == reasons(index)
    first.unlink()
    now = reasons(told(root))
    assert str(later.relative_to(root)) not in now  # whose copy it was is gone
    assert now[str(odd.relative_to(root))] == "wrong size"
    assert str(odd.relative_to(root)) not in reasons(told(root, thermal_size="8x7"))


def test_what_cannot_be_read_now_is_no_verdict(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = tmp_path / "files"
    for frame in range(3):
        picture(root, frame)
        thermal(root, frame, value=1.5 + frame)
    cut, whole = thermal(root, 1, kept=0.7, value=2.5), picture(root, 0)
    assert reasons(look(root))[cut] == "truncated"
    source = SageSource(root)
    index = source.scan().index
    for path in (cut, whole):  # as on a disk that fails: they are there, and reading them gives EIO
        (root / path).rename(tmp_path / Path(path).name)
        (root / path).symlink_to("/proc/self/mem")
    now, failed, contents = looked_at(source, tmp_path / "cache", index, (16, 16), Processes(1))
    assert (now["reason"] == "cannot be read now").sum() == 2 == len(failed)
    assert len(contents) == 1
    assert "2 pairs or files cannot be read now" in caplog.text
    assert whole in caplog.text
    for path in (cut, whole):
        (root / path).unlink()
        (tmp_path / Path(path).name).rename(root / path)
    after = reasons(told(root))  # what was known of before is, and nothing else
    assert after[cut] == "truncated"
    assert whole not in after


@pytest.mark.parametrize("change", ["frame", "list", "nodes", "crop box", "mismatches", "moved", "catalogue"])
def test_what_was_told_survives_all_that_changes_no_file(tmp_path: Path, change: str) -> None:
    root, asked = tmp_path / "files", {}
    collection(root)
    for frame in (20, 21):
        picture(root, frame)
        thermal(root, frame, kept=1.0 if frame == 20 else 0.7, value=frame)
    expected = reasons(look(root))
    assert [*expected.values()].count("truncated") > 3
    if change == "frame":
        picture(root, 30)
        thermal(root, 30, value=3.0)
    elif change == "list":
        (root / "pairs" / "W057").mkdir(parents=True)
        (root / "pairs" / "W057" / "1.txt").write_text("none.jpg\nnone.csv")
    elif change == "nodes":
        asked = {"nodes": tmp_path / "nodes.csv"}
        asked["nodes"].write_text(f"node,vsn,longitude,latitude\n{NODE},W057,-88,42\n")
    elif change == "crop box":
        asked = {"crop_box": [0, 0, 1, 1]}
    elif change == "mismatches":
        asked = {"keep_mismatches": True}
        used = {"position mismatch": "duplicate content"}  # its thermal file is frame 0's
        expected = {path: used.get(reason, reason) for path, reason in expected.items()}
    elif change == "moved":
        root = root.rename(tmp_path / "elsewhere")
    else:
        for path in (tmp_path / "cache").glob("index-*/state.json"):
            path.unlink()
    source = SageSource(root, **asked)
    assert reasons(known(source, tmp_path / "cache", source.scan(tmp_path / "cache").index)) == expected
