"""The kept listing: what has become of it, without looking again at a name that is known."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from sage_lightning.data import known as known_module
from sage_lightning.data.files import all_files
from sage_lightning.data.known import compared, known_files, read_known
from sage_lightning.data.listing import Folder

SECOND = 10**9
START = 1_700_000_000 * SECOND


def folder(path: str, files: dict[str, int]) -> Folder:
    names = sorted(files)
    sizes = np.array([files[name] for name in names], dtype=np.int64)
    return Folder(path, pa.array(names, pa.large_string()), sizes, repr((path, sorted(files.items()))))


def random_folders(rng: np.random.Generator) -> list[Folder]:
    """Up to three folders of up to twelve files, of which most are in every draw."""
    names = [f"{START + second * SECOND}-6144x2048.jpg" for second in range(12)] + ["notes.txt", "a.nc"]
    return [
        folder(path, {name: int(rng.random() < 0.1) for name in names if rng.random() < 0.8})
        for path in ("", "a", "a/b", "a-b")
        if rng.random() < 0.8
    ]


@pytest.mark.parametrize("seed", range(20))
def test_what_is_compared_is_what_is_known_anew(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    before, after = random_folders(rng), random_folders(rng)
    known_files(before, all_files(before)).write(tmp_path / "files")
    counts = {one.path: len(one.names) for one in before}
    known = read_known(tmp_path / "files", counts, {one.path: one.digest for one in before})
    change = compared(known, after)
    expected = known_files(after, all_files(after))
    np.testing.assert_array_equal(change.files.kinds, expected.kinds)
    np.testing.assert_array_equal(change.files.times, expected.times)
    was, now = (
        {
            path: (size, int(path[-33:-14]))
            for one in folders
            for path, size in zip(one.paths().to_pylist(), one.sizes.tolist(), strict=True)
            if path.endswith("jpg")
        }
        for folders in (before, after)
    )
    changed = {path for path in was.keys() | now.keys() if was.get(path) != now.get(path)}
    assert set(change.times.tolist()) == {(was | now)[path][1] for path in changed}


def test_only_what_is_new_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"{START + second * SECOND}-6144x2048.jpg" for second in range(9)]
    before = [folder("a", {**dict.fromkeys(names[::2], 1), "notes.txt": 1}), folder("b", {names[0]: 1})]
    known = known_files(before, all_files(before))
    looked_at: list[str] = []

    def look(folders: list[Folder]) -> pa.Table:
        looked_at.extend(name for one in folders for name in one.names.to_pylist())
        return all_files(folders)

    monkeypatch.setattr(known_module, "all_files", look)
    after = [
        folder("a", {**dict.fromkeys(names[::2], 1), "notes.txt": 1, names[3]: 1, names[8]: 2}),
        before[1],
    ]
    compared(known, after)
    assert looked_at == [names[3], names[8]]


def test_names_that_became_one_are_both_kept() -> None:
    def named(names: str, digest: str) -> Folder:
        return Folder("a", pa.array(list(names), pa.large_string()), np.ones(len(names), np.int64), digest)

    before = [named("xyy", "before")]
    after = [named("ayyz", "after")]
    assert len(compared(known_files(before, all_files(before)), after).files.kinds) == 4


def test_the_files_of_a_second_are_found_in_all_folders() -> None:
    names = [f"{START + tenth * SECOND // 10}-6144x2048.jpg" for tenth in (0, 9, 10, 25)]
    files = dict.fromkeys(names, 1)
    folders = [folder("a", files | {"notes.txt": 1}), folder("b", {}), folder("c", files)]
    found = known_files(folders, all_files(folders)).within(np.array([START // SECOND, START // SECOND + 2]))
    assert [one.path for one in found] == ["a", "c"]
    assert [one.names.to_pylist() for one in found] == [[names[0], names[1], names[3]]] * 2
