"""The kept index: equal to one made anew, whatever happens to the folder between two scans."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sage_lightning.data import catalogue as catalogue_module
from sage_lightning.data.catalogue import Catalogue
from sage_lightning.data.files import camera_files
from sage_lightning.data.index import add_place_and_time, index_hash
from sage_lightning.data.scan import Scan, scan_folder
from sage_lightning.errors import UserError
from sage_lightning.sage.nodes import Node, NodeTable

NODES = [f"000048b02d15bc4{digit}" for digit in range(3)]
PLACES = NodeTable([Node(NODES[0], "W057", -87.9, 41.7), Node(NODES[1], "W056", -117.2, 32.9)])
START = 1_700_000_000_000_000_007


def path(rng: np.random.Generator) -> str:
    """A name of a picture, a thermal file, a plot or something else, of few moments, so that many meet."""
    time, position = START + int(rng.integers(30)) * 10**9, rng.choice(["", "_position1", "_position2"])
    name = rng.choice(
        [
            f"6144x2048{position}.jpg",
            f"right_336x252_14bit.thermal.celsius{position}.csv",
            f"right_336x252_14bit.thermal.celsius_plot{position}.jpg",
            "notes.txt",
        ],
        p=[0.45, 0.45, 0.05, 0.05],
    )
    return f"{rng.choice(['a', 'b'])}/{rng.choice(NODES)}/{time}-{name}"


def change(root: Path, rng: np.random.Generator) -> None:
    """Adds, lengthens and removes some files."""
    for _ in range(12):
        file = root / path(rng)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x" * int(rng.integers(1, 9)))
    there = sorted(file for file in root.rglob("*") if file.is_file())
    for number in rng.permutation(len(there))[:4]:
        there[number].unlink()


def pairs(root: Path) -> None:
    """Three sound pairs."""
    for number in range(3):
        for name in ("6144x2048.jpg", "right_336x252_14bit.thermal.celsius.csv"):
            file = root / NODES[0] / f"{START + number}-{name}"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"x")


def anew(root: Path) -> Scan:
    scan = scan_folder(root)
    return Scan(
        add_place_and_time(scan.index, PLACES), scan.pictures, scan.thermals, scan.others, scan.content
    )


def assert_same(found: Scan, expected: Scan) -> None:
    pd.testing.assert_frame_equal(found.index, expected.index)
    assert (found.pictures, found.thermals, found.others) == (
        expected.pictures,
        expected.thermals,
        expected.others,
    )
    assert found.content == expected.content


@pytest.mark.parametrize("seed", range(4))
def test_what_is_kept_is_what_is_made_anew(tmp_path: Path, seed: int) -> None:
    rng, root = np.random.default_rng(seed), tmp_path / "files"
    root.mkdir()
    kept = Catalogue(tmp_path / "cache", root, {})
    for _ in range(6):
        change(root, rng)
        assert_same(kept.scan(PLACES, keep_mismatches=False), anew(root))


def test_local_copies_that_name_the_short_name_are_known_again(tmp_path: Path) -> None:
    root = tmp_path / "files"
    root.mkdir()
    (root / "rgb_20230521-095736_W056_6144x2048.jpg").touch()
    thermal = root / "20230521-095736_W056_right_336x252_14bit.thermal.celsius.csv"
    thermal.touch()
    kept = Catalogue(tmp_path / "cache", root, {})
    assert kept.scan(PLACES, keep_mismatches=False).index["node"].tolist() == [NODES[1]]
    thermal.write_text("longer")
    assert_same(kept.scan(PLACES, keep_mismatches=False), anew(root))
    thermal.unlink()
    assert_same(kept.scan(PLACES, keep_mismatches=False), anew(root))


def test_an_unchanged_folder_costs_its_listing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, rng = tmp_path / "files", np.random.default_rng(0)
    change(root, rng)
    kept = Catalogue(tmp_path / "cache", root, {})
    before = kept.scan(PLACES, keep_mismatches=False)
    for name in ("camera_files", "pair_files", "add_place_and_time"):
        monkeypatch.setattr(catalogue_module, name, None)
    assert_same(kept.scan(PLACES, keep_mismatches=False), before)


def test_a_new_file_costs_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, rng = tmp_path / "files", np.random.default_rng(0)
    change(root, rng)
    kept = Catalogue(tmp_path / "cache", root, {})
    kept.scan(PLACES, keep_mismatches=False)
    (root / "new" / NODES[0]).mkdir(parents=True)
    (root / "new" / NODES[0] / f"{START + 10**12}-6144x2048.jpg").touch()
    paired, looked_at = [], []
    pair, look = catalogue_module.pair_files, camera_files
    monkeypatch.setattr(catalogue_module, "pair_files", lambda f, k: paired.append(len(f)) or pair(f, k))
    monkeypatch.setattr(
        catalogue_module, "camera_files", lambda folders: looked_at.append(len(folders)) or look(folders)
    )
    assert_same(kept.scan(PLACES, keep_mismatches=False), anew(root))
    assert (paired, looked_at) == ([1], [1])


def test_other_places_are_told_anew(tmp_path: Path) -> None:
    pairs(tmp_path / "files")
    kept = Catalogue(tmp_path / "cache", tmp_path / "files", {})
    assert kept.scan(NodeTable(), keep_mismatches=False).index["daylight"].isna().all()
    assert_same(kept.scan(PLACES, keep_mismatches=False), anew(tmp_path / "files"))


def test_an_interrupted_writing_is_begun_again(tmp_path: Path) -> None:
    root = tmp_path / "files"
    change(root, np.random.default_rng(2))
    kept = Catalogue(tmp_path / "cache", root, {})
    kept.scan(PLACES, keep_mismatches=False)
    (kept.folder / "state.json").unlink()
    (kept.folder / "index.parquet").write_bytes(b"half")
    assert_same(kept.scan(PLACES, keep_mismatches=False), anew(root))


def test_moving_the_folder_changes_no_hash(tmp_path: Path) -> None:
    root = tmp_path / "files"
    change(root, np.random.default_rng(3))
    before = Catalogue(tmp_path / "cache", root, {}).scan(PLACES, keep_mismatches=False)
    shutil.copytree(root, tmp_path / "elsewhere")
    after = Catalogue(tmp_path / "cache", tmp_path / "elsewhere", {}).scan(PLACES, keep_mismatches=False)
    assert_same(after, before)
    assert index_hash(after.index) == index_hash(before.index)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file, not a folder")
    change(tmp_path / "files", np.random.default_rng(4))
    with pytest.raises(UserError, match=r"paths\.data_dir=.*cache: cannot be written"):
        Catalogue(tmp_path / "cache", tmp_path / "files", {}).scan(PLACES, keep_mismatches=False)


def test_a_folder_that_is_gone_is_noticed(tmp_path: Path) -> None:
    root = tmp_path / "files"
    pairs(root)
    (root / "more" / NODES[1]).mkdir(parents=True)
    (root / "more" / NODES[1] / f"{START}-6144x2048.jpg").touch()
    kept = Catalogue(tmp_path / "cache", root, {})
    assert len(kept.scan(PLACES, keep_mismatches=False).index) == 4
    shutil.rmtree(root / "more")
    assert_same(kept.scan(PLACES, keep_mismatches=False), anew(root))


def test_lists_are_heeded_when_they_come_and_when_they_go(tmp_path: Path) -> None:
    root = tmp_path / "files"
    pairs(root)
    names = [f"{START}-6144x2048.jpg", f"{START}-right_336x252_14bit.thermal.celsius.csv"]
    for side, name in zip(("rgb", "thermal"), names, strict=True):
        (root / side).mkdir()
        (root / NODES[0] / name).rename(root / side / name)
    kept = Catalogue(tmp_path / "cache", root, {})
    assert_same(kept.scan(PLACES, keep_mismatches=False), anew(root))
    aside = root / "bad_pairs" / NODES[0] / "1.txt"
    aside.parent.mkdir(parents=True)
    aside.write_text("\n".join(names))
    found = kept.scan(PLACES, keep_mismatches=False)
    assert "marked bad" in set(found.index["reason"])
    assert_same(found, anew(root))
    aside.write_text("\n".join([names[0], names[1].replace("celsius", "sulcise")]))  # of the same length
    assert "marked bad" not in set(kept.scan(PLACES, keep_mismatches=False).index["reason"])
    assert_same(kept.scan(PLACES, keep_mismatches=False), anew(root))
    (root / "notes.md").touch()
    assert_same(kept.scan(PLACES, keep_mismatches=False), anew(root))
    aside.unlink()
    assert_same(kept.scan(PLACES, keep_mismatches=False), anew(root))


@pytest.mark.parametrize("damage", ["state.json", "index.parquet", "files.arrow"])
def test_a_catalogue_that_is_damaged_is_made_again(tmp_path: Path, damage: str) -> None:
    root = tmp_path / "files"
    pairs(root)
    kept = Catalogue(tmp_path / "cache", root, {})
    kept.scan(PLACES, keep_mismatches=False)
    if damage == "state.json":
        (kept.folder / damage).write_text("{")
    else:
        (kept.folder / damage).unlink()
    assert_same(kept.scan(PLACES, keep_mismatches=False), anew(root))


@pytest.mark.parametrize("changed", [False, True])
@pytest.mark.parametrize("name", ["index.parquet", "files.arrow", "state.json"])
@pytest.mark.parametrize("content", [b"", b"PAR1 and then nothing of the kind PAR1"])
def test_a_damaged_file_of_the_catalogue_is_made_anew(
    tmp_path: Path, name: str, content: bytes, changed: bool
) -> None:
    root = tmp_path / "files"
    pairs(root)
    kept = Catalogue(tmp_path / "cache", root, {})
    kept.scan(PLACES, False)
    (kept.folder / name).write_bytes(content)
    if changed:
        (root / NODES[0] / f"{START + 9}-6144x2048.jpg").touch()
    index = kept.scan(PLACES, False).index
    pd.testing.assert_frame_equal(index, Catalogue(tmp_path / "other", root, {}).scan(PLACES, False).index)


def test_a_disk_that_is_full_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, kept = tmp_path / "files", Catalogue(tmp_path / "cache", tmp_path / "files", {})
    pairs(root)
    before = kept.scan(PLACES, False)
    held = {path.name: path.read_bytes() for path in kept.folder.iterdir() if path.suffix != ".partial"}
    shutil.copytree(root / NODES[0], root / "b" / NODES[1])
    (kept.folder / "index.partial").symlink_to("/dev/full")  # which answers as a disk without room
    with pytest.raises(UserError, match=r"^paths\.data_dir=.*cache: cannot be written \(.*\); name another$"):
        kept.scan(PLACES, False)
    assert {name: (kept.folder / name).read_bytes() for name in held} == held
    (kept.folder / "index.partial").unlink(missing_ok=True)
    shutil.rmtree(root / "b")
    monkeypatch.setattr(catalogue_module, "pair_files", None)  # it need not be made again
    assert_same(kept.scan(PLACES, False), before)
