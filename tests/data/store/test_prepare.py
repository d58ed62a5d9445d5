"""Every file is decoded once; whoever does it, and however often it stops, the bytes are the same."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sage_lightning.data import executor
from sage_lightning.data import prepare as prepare_module
from sage_lightning.data.index import label_columns
from sage_lightning.data.source import PairFiles
from sage_lightning.data.sources import SageSource
from sage_lightning.data.split import Split
from sage_lightning.data.store import PairStore
from sage_lightning.data.telling import known
from sage_lightning.errors import UserError
from sage_lightning.sage.picture import read_optical

Prepare = Callable[..., PairStore]
RGB = (12, 16)
PAIRS = 40


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".lock"
    }


def test_a_second_call_decodes_nothing(make: Prepare, monkeypatch: pytest.MonkeyPatch) -> None:
    first = make()
    monkeypatch.setattr(SageSource, "read", None)
    assert make().folder == first.folder


def test_another_split_decodes_nothing(make: Prepare, monkeypatch: pytest.MonkeyPatch) -> None:
    first = make()
    monkeypatch.setattr(SageSource, "read", None)
    second = make(split=Split(val=0.2, test=0.3, seed=5))
    assert second.folder != first.folder
    assert second.index["split"].tolist() != first.index["split"].tolist()
    assert second.index_hash == first.index_hash


@pytest.mark.parametrize("asked", [{"rgb_store_size": (6, 8)}, {"crop_box": (0.0, 0.0, 1.0, 1.0)}])
def test_another_recipe_is_another_store(make: Prepare, asked: dict[str, Any]) -> None:
    assert make().shard_folder != make(**asked).shard_folder


def test_moving_and_touching_the_files_changes_nothing(make: Prepare, camera: Any) -> None:
    first = make()
    moved = camera.root.rename(camera.root.with_name("elsewhere"))
    for path in moved.rglob("*.jpg"):
        os.utime(path, (0, 0))
    assert make(root=moved).folder == first.folder


@pytest.mark.parametrize(
    "damage",
    [
        lambda shards: (shards / "rgb-00001.npy").unlink(),
        lambda shards: (shards / "shard-00002.json").unlink(),
        lambda shards: (shards / "shard-00001.json").write_bytes(b'{"places": 16, "files"'),
        lambda shards: (shards / "shard-00001.json").write_bytes(b"\xff"),
        lambda shards: (shards / "shard-00001.json").write_text("[]"),
        lambda shards: (shards / "shard-00001.json").write_text("{}"),
        lambda shards: (shards / "ir-00000.npy").write_bytes((shards / "ir-00000.npy").read_bytes()[:-9]),
        lambda shards: shutil.rmtree(shards),
    ],
)
def test_what_is_lost_is_made_again_to_the_byte(
    make: Prepare, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    store = make()
    before = bytes_of(tmp_path / "cache")
    damage(store.shard_folder)
    assert make().folder == store.folder
    assert bytes_of(tmp_path / "cache") == before


def test_a_shard_that_another_command_makes_again_meanwhile_is_one_line(
    make: Prepare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part's, say: it takes the note away first, and a store without that shard would show other pairs."""
    decode = prepare_module.decode_shards

    def and_another(decoder: Any, plan: Any, pairs: Any, folder: Path, *rest: Any) -> None:
        decode(decoder, plan, pairs, folder, *rest)
        (folder / "shard-00001.json").unlink()

    monkeypatch.setattr(prepare_module, "decode_shards", and_another)
    with pytest.raises(UserError, match="another command makes shard 1 again"):
        make()
    assert not list((tmp_path / "cache").glob("store-*"))
    monkeypatch.undo()
    assert len(make().index) >= PAIRS


def test_after_an_interruption_only_the_missing_shards_are_decoded(
    make: Prepare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = make(cache="whole")
    read, calls = SageSource.read, []

    def stopping(self: SageSource, pair: PairFiles, size: tuple[int, int]) -> Any:
        if len(calls) == 20:
            raise KeyboardInterrupt
        calls.append(pair.rgb_path)
        return read(self, pair, size)

    monkeypatch.setattr(SageSource, "read", stopping)
    with pytest.raises(KeyboardInterrupt):
        make()
    assert not list((tmp_path / "cache").glob("store-*"))
    calls = [""]
    monkeypatch.setattr(SageSource, "read", lambda *asked: calls.append("") or read(*asked))
    assert make().folder.name == whole.folder.name
    assert len(calls) - 1 == PAIRS - 16  # the first shard had been finished
    assert bytes_of(tmp_path / "cache") == bytes_of(tmp_path / "whole")


@pytest.mark.parametrize("part", ["rgb", "ir", "moments", "contents"])
def test_a_shard_whose_bytes_have_changed_is_found_by_its_checksum_and_alone_made_again(
    make: Prepare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    store = make()
    before = bytes_of(tmp_path / "cache")
    rotten = store.shard_folder / f"{part}-00001.npy"
    text = rotten.read_bytes()
    rotten.write_bytes(text[:-1] + bytes([text[-1] ^ 1]))
    read, calls = SageSource.read, []
    monkeypatch.setattr(SageSource, "read", lambda *asked: calls.append("") or read(*asked))
    make(verify=True)
    assert len(calls) == 16
    assert bytes_of(tmp_path / "cache") == before


def test_several_processes_write_the_same_bytes(
    make: Prepare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(cache="serial")
    monkeypatch.setattr(executor, "POOL_PAYS_FROM", 0)
    make(cache="parallel", workers=2)
    assert bytes_of(tmp_path / "serial") == bytes_of(tmp_path / "parallel")


def test_nodes_give_local_days_and_daylight(make: Prepare, camera: Any, tmp_path: Path) -> None:
    (tmp_path / "nodes.csv").write_text(f"node,vsn,longitude,latitude\n{camera.node},W057,-87.6,41.8\n")
    placed, unplaced = make(nodes=tmp_path / "nodes.csv"), make()
    assert placed.shard_folder == unplaced.shard_folder
    assert placed.index["daylight"].notna().all()
    assert unplaced.index["daylight"].isna().all()
    assert not label_columns(placed.index)


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        (
            {"balance": ["positon"]},
            r"data\.balance=\[positon\]: no column positon; the index has daylight, ir_",
        ),
        ({"balance": ["position", "sun_elevation"]}, "sun_elevation is a continuous number"),
        ({"select": "veiw == 'sky'"}, "no column veiw; the index has daylight, ir_"),
        ({"select": "position == 1"}, "position holds texts, and 1 is none; write it as '1'"),
    ],
)
def test_columns_that_are_not_there_are_refused_before_decoding(
    make: Prepare, camera: Any, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any], line: str
) -> None:
    monkeypatch.setattr(SageSource, "read", None)
    with pytest.raises(UserError, match=line):
        make(**asked)
    monkeypatch.undo()
    store = make(balance=["position", "daylight", "split", "view"], select="view.isna()")
    assert sorted(SageSource(camera.root).columns()) == sorted(store.index.columns)


def test_an_impossible_split_is_refused_before_decoding(
    make: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SageSource, "read", None)
    with pytest.raises(UserError, match=r"data\.split\.test=0\.001"):
        make(split=Split(val=0.2, test=0.001))


def test_what_decoding_tells_is_written_back_to_the_index(make: Prepare, camera: Any, tmp_path: Path) -> None:
    camera.picture(3).write_bytes(b"no picture")
    make()
    source = SageSource(camera.root)
    judged = known(source, tmp_path / "cache", source.scan().index).set_index("pair_id")["reason"]
    assert judged[judged != ""].to_dict() == {f"{camera.node}-{camera.time(3)}": "unreadable"}
    camera.write(3)
    assert (known(source, tmp_path / "cache", source.scan().index)["reason"] == "").all()


def test_each_camera_has_its_own_field_of_view_and_masks(make: Prepare, camera: Any, tmp_path: Path) -> None:
    nodes = tmp_path / "nodes.csv"
    head = "node,vsn,longitude,latitude,valid_from,valid_to,crop_box,masks"
    move = pd.Timestamp(camera.time(20), unit="ns", tz="UTC").isoformat()
    nodes.write_text(
        f"{head}\n{camera.node},W057,-88,42,,{move},,\n"
        f"{camera.node},W057,-88,42,{move},,0 0 0.5 0.5,0 0 0.25 0.25\n"
    )
    store, plain = make(nodes=nodes), make()
    assert store.shard_folder != plain.shard_folder
    rgb, before = store.read(range(PAIRS))[0], plain.read(range(PAIRS))[0]
    assert np.array_equal(rgb[:20], before[:20])
    expected = read_optical(camera.picture(25), (0, 0, 0.5, 0.5), (12, 16))
    assert np.array_equal(rgb[25][6:], expected[6:])
    masked = rgb[25][:6, :8]
    assert (masked == masked[0, 0]).all()
    outside = np.ones((12, 16), dtype=bool)
    outside[:6, :8] = False
    np.testing.assert_allclose(masked[0, 0], expected[outside].mean(0), atol=0.5)


DISK_IS_FULL = """
import resource, sys
from pathlib import Path
from sage_lightning.data.catalogue import Catalogue
from sage_lightning.data.prepare import Kept, prepare
from sage_lightning.data.sources import SageSource
from sage_lightning.data.split import Split
from sage_lightning.errors import UserError
from sage_lightning.sage.picture import read_optical

resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
try:
    prepare(SageSource(sys.argv[1]), Path(sys.argv[2]), Kept((12, 16)), Split(val=0.2, test=0.3))
except UserError as error:
    sys.exit(error.lines[0])
"""


@pytest.mark.parametrize("room", [2_000, 20_000])  # bytes a file may have: not even the index, and no shard
def test_a_full_disk_is_one_line_and_leaves_what_is_whole(
    camera: Any, tmp_path: Path, environment: dict[str, str], room: int
) -> None:
    cache = tmp_path / "full"
    script = [sys.executable, "-c", DISK_IS_FULL, str(camera.root), str(cache)]
    full = subprocess.run([*script, str(room)], env=environment, capture_output=True, text=True, check=False)
    assert full.returncode == 1
    [line] = full.stderr.splitlines()
    assert line.startswith(f"paths.data_dir={cache}: cannot be written (")
    assert "File too large" in line or "no room" in line
    script.append(str(10**9))
    again = subprocess.run(script, env=environment, capture_output=True, text=True, check=False)
    assert (again.returncode, again.stderr) == (0, "")
    assert len(list(cache.glob("store-*"))) == 1
