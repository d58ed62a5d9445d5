"""What is known of files stays whatever happens to other files, and goes with the file itself."""

import os
import shutil
from pathlib import Path

import pandas as pd
import pytest

from sage_lightning.data import facts as facts_module
from sage_lightning.data.facts import SIDES, Fact, Facts, state, table_of
from sage_lightning.errors import UserError

PICTURE, THERMAL = SIDES


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "files"
    root.mkdir()
    for number in range(4):
        (root / f"{number}.csv").write_bytes(b"x" * (number + 1))
    return root


def fact(
    root: Path, name: str, reason: str = "", content: bytes = b"", size: tuple[int, int] = (0, 0)
) -> Fact:
    side = THERMAL if size != (0, 0) else PICTURE
    return Fact(side, name, *state(root, name), reason, content.ljust(32, b".") if content else None, *size)


def learn(root: Path, *facts: Fact, cache: str = "cache") -> Facts:
    known = Facts(root.parent / cache, root, {})
    known.learn(table_of(list(facts)))
    return known


def amiss(known: Facts, size: tuple[int, int] | None = None) -> dict[str, str]:
    return known.amiss(size).set_index("path")["reason"].to_dict()


def test_nothing_is_known_at_first(root: Path) -> None:
    assert amiss(Facts(root.parent / "cache", root, {})) == {}


def test_what_may_keep_a_pair_out_of_use_is_told_and_nothing_else(root: Path) -> None:
    known = learn(
        root,
        fact(root, "0.csv", "truncated"),
        fact(root, "1.csv", content=b"a", size=(3, 4)),
        fact(root, "2.csv", content=b"a", size=(3, 4)),
        fact(root, "3.csv", content=b"b", size=(5, 4)),
    )
    assert amiss(known) == {"0.csv": "truncated", "1.csv": "", "2.csv": ""}
    assert set(amiss(known, (3, 4))) == {"0.csv", "1.csv", "2.csv", "3.csv"}
    assert set(amiss(Facts(root.parent / "cache", root, {}), (5, 4))) == {"0.csv", "1.csv", "2.csv"}
    assert amiss(Facts(root.parent / "cache", root, {"another": "rule"})) == {}


@pytest.mark.parametrize("change", ["length", "time", "gone"])
def test_a_fact_goes_with_its_file(root: Path, change: str) -> None:
    known = learn(root, fact(root, "0.csv", "truncated"), fact(root, "1.csv", "flat"))
    asked = pd.DataFrame({"side": PICTURE, "path": ["0.csv", "1.csv", "2.csv"]})
    assert known.are_of(asked).tolist() == [True, True, False]
    file = root / "0.csv"
    if change == "length":
        file.write_bytes(b"longer")
    elif change == "time":
        os.utime(file, ns=(0, 1))
    else:
        file.unlink()
    assert amiss(known) == {"1.csv": "flat"}
    assert known.are_of(asked).tolist() == [False, True, False]


def test_what_is_learnt_later_counts_and_the_rest_stays(root: Path) -> None:
    known = learn(root, fact(root, "0.csv", "truncated"), fact(root, "1.csv", "flat"))
    known.learn(table_of([fact(root, "0.csv", ""), fact(root, "0.csv", "all NaN", size=(1, 1))]))
    told = known.amiss(None)
    assert dict(zip(zip(told["side"], told["path"], strict=True), told["reason"], strict=True)) == {
        (THERMAL, "0.csv"): "all NaN",  # of one file, as another sensor's
        (PICTURE, "1.csv"): "flat",
    }


def test_a_folder_that_is_moved_takes_it_along_and_a_copy_is_looked_at(root: Path) -> None:
    learn(root, fact(root, "0.csv", "truncated"), fact(root, "1.csv"))
    shutil.copytree(root, root.parent / "copy")  # with the times of its files
    assert amiss(Facts(root.parent / "cache", root.parent / "copy", {})) == {}
    root.rename(root.parent / "moved")
    moved = Facts(root.parent / "cache", root.parent / "moved", {})
    assert amiss(moved) == {"0.csv": "truncated"}
    moved.learn(table_of([fact(root.parent / "moved", "2.csv", "flat")]))
    assert amiss(moved) == {"0.csv": "truncated", "2.csv": "flat"}
    moved.learn(table_of([fact(root.parent / "moved", "0.csv")]))
    assert amiss(moved) == {"2.csv": "flat"}  # its own is the later one
    other = root.parent / "other"
    other.mkdir()
    assert amiss(Facts(root.parent / "cache", other, {})) == {}


def test_a_disk_that_is_full_leaves_what_was_known(root: Path) -> None:
    known = learn(root, fact(root, "0.csv", "truncated"))
    [path] = (root.parent / "cache").glob("facts-*.parquet")
    path.with_suffix(".partial").symlink_to("/dev/full")
    with pytest.raises(UserError, match=r"^paths\.data_dir=.*cache: cannot be written"):
        known.learn(table_of([fact(root, "1.csv", "flat")]))
    assert amiss(known) == {"0.csv": "truncated"}


def test_what_is_damaged_is_told_and_learnt_anew(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    known = learn(root, fact(root, "0.csv", "truncated"))
    [path] = (root.parent / "cache").glob("facts-*.parquet")
    path.write_bytes(b"PAR1 and then nothing of the kind PAR1")
    assert amiss(known) == {}
    assert "index.verify=true tells it anew" in caplog.text
    assert amiss(learn(root, fact(root, "1.csv", "flat"))) == {"1.csv": "flat"}


def test_sound_files_are_not_looked_up(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = learn(root, *(fact(root, f"{number}.csv", content=bytes([65 + number])) for number in range(4)))
    monkeypatch.setattr(facts_module, "state", None)
    assert amiss(known) == {}
