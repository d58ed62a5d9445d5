"""The digest of lists and records, and that they are counted as nothing else."""

from pathlib import Path

import pytest

from sage_lightning.data.legacy import Legacy
from sage_lightning.data.listing import list_folders
from sage_lightning.data.scan import scan_folder

from .copies import record, rgb, thermal, write


def test_lists_and_records_are_no_other_files(tmp_path: Path) -> None:
    write(
        tmp_path, {"pairs/W057/1.txt": "a\nb", "sage_meta/r.ndjson": record("6144x2048.jpg"), "notes.txt": ""}
    )
    assert scan_folder(tmp_path).others == 1


def digest(root: Path) -> str:
    return Legacy(root, list_folders(root)).digest


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("pairs/x.txt", f"{rgb()}\n{thermal()}", f"{rgb('20230521-095737')}\n{thermal()}"),
        ("bad_pairs/W057/x.txt", "a\nb", "a\nc"),
        ("sage_meta/r.ndjson", record("6144x2048.jpg"), record("6144x2047.jpg")),
    ],
)
def test_the_digest_sees_what_was_edited_at_equal_length(
    tmp_path: Path, name: str, before: str, after: str
) -> None:
    assert len(before) == len(after)
    write(tmp_path, {rgb(): ""})
    assert digest(tmp_path) == ""
    write(tmp_path, {"notes.txt": "a\nb"})
    assert digest(tmp_path) == ""
    write(tmp_path, {name: before})
    kept = digest(tmp_path)
    write(tmp_path, {name: after})
    assert digest(tmp_path) not in (kept, "")
    write(tmp_path / "elsewhere", {name: before, thermal(): ""})
    assert digest(tmp_path / "elsewhere") == kept
    write(tmp_path / "elsewhere", {"pairs/new.txt": ""})
    assert digest(tmp_path / "elsewhere") != kept
