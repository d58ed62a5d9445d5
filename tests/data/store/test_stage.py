"""A copy on a disk of the node's own: the same store, copied once, whole or refused."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from sage_lightning.data.stage import staged
from sage_lightning.data.store import PairStore
from sage_lightning.errors import UserError

Prepare = Callable[..., PairStore]
PAIRS = 40


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    }


@pytest.mark.parametrize("kind", ["raw", "jpeg"])
def test_the_copy_is_the_store(make: Prepare, tmp_path: Path, kind: str) -> None:
    store = make(rgb_store_kind=kind, select="position == '3'")
    copy = staged(store, tmp_path / "nvme" / "mine")
    assert copy.folder == tmp_path / "nvme" / "mine" / store.folder.name
    assert copy.select == store.select
    assert copy.statistics == store.statistics
    expected = store.read(range(PAIRS))
    shutil.rmtree(tmp_path / "cache")  # nothing is read from where it was
    found = PairStore(copy.folder).read(range(PAIRS))
    assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))


def test_what_is_there_is_not_copied_again_and_what_is_damaged_is(make: Prepare, tmp_path: Path) -> None:
    store, stage = make(), tmp_path / "nvme"
    copy = staged(store, stage)
    before = bytes_of(stage)
    times = {path: path.stat().st_ctime_ns for path in stage.rglob("*.npy")}
    rotten = copy.shard_folder / "rgb-00001.npy"
    rotten.write_bytes(b"cut")
    staged(store, stage)
    assert bytes_of(stage) == before
    changed = {path for path, time in times.items() if path.stat().st_ctime_ns != time}
    assert changed == {rotten}


def test_a_store_that_has_grown_is_copied_in_part(make: Prepare, camera, tmp_path: Path) -> None:
    gone = [camera.picture(39), camera.thermal(39)]
    for path in gone:
        path.rename(path.with_suffix(".away"))
    stage = tmp_path / "nvme"
    staged(make(), stage)
    for path in gone:
        path.with_suffix(".away").rename(path)
    store = make()
    copy = staged(store, stage)
    assert len(copy) == PAIRS
    assert all(np.array_equal(a, b) for a, b in zip(copy.read([39, 3]), store.read([39, 3]), strict=True))


def test_no_room_is_one_line_with_the_numbers(
    make: Prepare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make()
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=2000))
    with pytest.raises(
        UserError, match=r"^paths\.stage=\S+ has 0\.00 GB free, and the store takes 0\.00 more$"
    ):
        staged(store, tmp_path / "nvme")
    assert not list((tmp_path / "nvme").rglob("*.npy"))


def test_a_folder_that_cannot_be_written_is_one_line(make: Prepare, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"^paths\.stage=\S+: cannot be written \(Not a directory\)"):
        staged(make(), tmp_path / "file" / "below")


COPY = """
import sys
from pathlib import Path
from sage_lightning.data.stage import staged
from sage_lightning.data.store import PairStore
print(staged(PairStore(Path(sys.argv[1])), Path(sys.argv[2])).read([1, 30])[0].sum())
"""


def test_ranks_of_one_node_ask_at_the_same_time(
    make: Prepare, tmp_path: Path, environment: dict[str, str]
) -> None:
    store = make()
    command = [sys.executable, "-c", COPY, str(store.folder), str(tmp_path / "nvme")]
    root = environment | {"PYTHONPATH": str(Path.cwd())}
    ranks = [subprocess.Popen(command, env=root, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = {rank.communicate()[0] for rank in ranks}
    assert [rank.returncode for rank in ranks] == [0, 0, 0]
    assert said == {f"{store.read([1, 30])[0].sum()}\n"}
    assert not list((tmp_path / "nvme").rglob("*.partial"))
