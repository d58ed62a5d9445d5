"""What lists and records say is read once, and again when one of them changes."""

import os
from pathlib import Path

import pandas as pd
import pytest

from sage_lightning.data.listing import list_folders
from sage_lightning.data.told import Told, told

from .copies import record, rgb, thermal, write

LIST, RECORDS = "pairs/W057/1.txt", "sage_meta/r.ndjson"


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    folder = tmp_path / "kept"
    folder.mkdir()
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "files"
    write(root, {LIST: f"{rgb()}\n{thermal()}", RECORDS: record("6144x2048.jpg")})
    return root


def ask(root: Path, kept: Path | None) -> Told:
    return told(root, list_folders(root), kept)


def same(a: Told, b: Told) -> bool:
    assert a.records is not None
    pd.testing.assert_frame_equal(a.lists, b.lists)
    pd.testing.assert_frame_equal(a.records, b.records)
    return (a.count, a.digest) == (b.count, b.digest)


def test_what_was_kept_is_what_is_read(root: Path, kept: Path) -> None:
    first, again, fresh = ask(root, kept), ask(root, kept), ask(root, None)
    assert first.count == 2
    assert same(first, again)
    assert same(first, fresh)


@pytest.mark.parametrize("name", [LIST, RECORDS])
def test_an_unchanged_file_is_not_opened_and_a_changed_one_is(root: Path, kept: Path, name: str) -> None:
    first, times = ask(root, kept), (root / name).stat()
    (root / name).write_bytes(b"x" * times.st_size)
    os.utime(root / name, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert same(first, ask(root, kept))
    (root / LIST).write_text(f"{rgb('20230521-095737')}\n{thermal()}")
    (root / RECORDS).write_text(record("6144x2047.jpg"))
    changed = ask(root, kept)
    assert changed.digest != first.digest
    assert same(changed, ask(root, None))


@pytest.mark.parametrize("name", ["lists", "records"])
def test_what_was_kept_and_is_damaged_is_read_again(root: Path, kept: Path, name: str) -> None:
    first = ask(root, kept)
    (kept / f"{name}.parquet").write_bytes(b"PAR1 nothing PAR1")
    assert same(first, ask(root, kept))
    (kept / f"{name}.parquet").unlink()
    assert same(first, ask(root, kept))


def test_without_records_there_are_none(root: Path, kept: Path) -> None:
    (root / RECORDS).unlink()
    assert [ask(root, kept).records for _ in range(2)] == [None, None]
    (root / LIST).unlink()
    assert ask(root, kept).digest == ""
