"""Damaged files end in quarantine with their reason, and the others are used."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sage_lightning.data import sources
from sage_lightning.data.centikelvin import decode
from sage_lightning.data.index import summary
from sage_lightning.data.store import PairStore
from sage_lightning.errors import UserError
from sage_lightning.sage.celsius import write_celsius

Prepare = Callable[..., PairStore]
PAIRS = 40


def test_each_fault_ends_in_quarantine_with_its_reason(make: Prepare, camera: Any) -> None:
    picture, thermal = camera.picture, camera.thermal
    picture(0).unlink()
    thermal(1).rename(str(thermal(1)).replace("position3", "position4"))
    picture(2).write_bytes(picture(2).read_bytes()[:-200])
    picture(3).write_bytes(b"no picture")
    thermal(4).write_bytes(thermal(4).read_bytes()[:-300])
    thermal(5).write_text("no;matrix\n")
    thermal(6).write_text(thermal(6).read_text() + "1;2;3\n")
    Image.new("RGB", (32, 32)).save(picture(7))
    write_celsius(thermal(8), np.full((14, 21), np.nan, np.float32))
    write_celsius(thermal(9), np.zeros((7, 10), np.float32))
    (camera.root / "copy" / camera.node).mkdir(parents=True)
    shutil.copy(picture(10), camera.root / "copy" / camera.node / picture(10).name)
    write_celsius(thermal(11), np.full((14, 21), 12.5, np.float32))
    write_celsius(thermal(12), np.linspace(-200, 20, 294, dtype=np.float32).reshape(14, 21))
    shutil.copy(picture(14), picture(15))
    picture(16).rename(
        thermal(16).with_name(thermal(16).name.replace("celsius", "celsius_plot")[:-3] + "jpg")
    )
    (camera.root / "bad_pairs" / camera.node).mkdir(parents=True)
    picture(17).rename(camera.root / "bad_pairs" / camera.node / picture(17).name)
    (camera.root / "notes.txt").write_text("not a camera file")

    store = make()
    held = store.index[store.index["status"] != "ok"]
    frame_at = {camera.time(frame): frame for frame in range(PAIRS)}
    frames = held["time"].astype("int64").map(frame_at)
    assert dict(zip(frames, held["reason"], strict=True)) == {
        0: "partner missing",
        1: "position mismatch",
        2: "truncated",
        3: "unreadable",
        4: "truncated",
        5: "unreadable",
        6: "wrong size",
        7: "missing half",
        8: "all NaN",
        9: "wrong size",
        10: "duplicate",
        11: "flat",
        12: "out of range",
        15: "duplicate content",
        16: "plot instead of picture",
        17: "marked bad",
    }
    assert held["split"].eq("").all()
    assert held["store_row"].isna().all()
    listed = store.index[["rgb_path", "ir_path"]].stack().dropna().tolist()
    there = [path.relative_to(camera.root).as_posix() for path in camera.root.rglob(f"{camera.node}/*")]
    assert sorted(listed) == sorted(there)
    assert store.manifest["other_files"] == 1
    assert len(store) == PAIRS - 14  # frame 15 can be read, and is not used
    assert summary(store.index).startswith(f"{PAIRS - 15} pairs (")
    assert f"{len(held)} rows in quarantine: " in summary(store.index)
    usable = store.index[store.index["status"] == "ok"]
    assert sorted({*range(PAIRS - 14)} - {*usable["store_row"]}) == [3]
    ir = store.read(usable["store_row"].tolist())[1]
    for frame, code in zip(usable["time"].astype("int64").map(frame_at), ir, strict=True):
        assert np.array_equal(decode(code), camera.matrix(frame), equal_nan=True)


def test_a_folder_of_broken_pairs_is_refused(make: Prepare, camera: Any) -> None:
    for path in camera.root.rglob("*.csv"):
        path.write_text("")
    with pytest.raises(UserError, match=r"no usable pair: 0 pairs .* 40 rows in quarantine: 40 truncated"):
        make()


def test_what_cannot_be_read_now_is_left_out_now_and_decoded_later(
    make: Prepare, camera: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    locked, read = [camera.picture(3), camera.thermal(20)], Path.read_bytes

    def refused(path: Path) -> bytes:
        if path in locked:
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refused)
    before = make()
    held = before.index[before.index["status"] != "ok"]
    assert held["reason"].tolist() == ["cannot be read now"] * 2
    assert "2 pairs or files cannot be read now" in caplog.text
    notes = {path: path.stat().st_mtime_ns for path in before.shard_folder.glob("shard-*.json")}
    assert make().index_hash == before.index_hash
    assert {path: path.stat().st_mtime_ns for path in notes} == notes  # nothing to be written
    locked.clear()
    after = make()
    assert (after.index["status"] == "ok").all()
    assert len(after) == PAIRS
    row = after.index.set_index("rgb_path")["store_row"][
        camera.picture(3).relative_to(camera.root).as_posix()
    ]
    assert np.array_equal(decode(after.read([row])[1][0]), camera.matrix(3), equal_nan=True)


def test_a_machine_without_memory_or_room_is_no_damage_of_a_file(
    make: Prepare, camera: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")  # as of a compiler that keeps what it has made

    monkeypatch.setattr(sources, "parse_celsius", full)
    with pytest.raises(UserError, match="No space left on device"):
        make()
    monkeypatch.undo()
    assert not [*camera.root.parent.glob("cache/facts-*.parquet")]
