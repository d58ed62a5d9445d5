"""Pair lists and the folder of pairs put aside: who belongs to whom ends in the index."""

import logging
from pathlib import Path

import pandas as pd
import pytest

from sage_lightning.data.files import camera_files
from sage_lightning.data.legacy import Legacy
from sage_lightning.data.listing import list_folders
from sage_lightning.data.scan import scan_folder
from sage_lightning.errors import UserError

from .copies import LISTED, NODE, NS, THERMAL, rgb, thermal, write


def test_a_list_pairs_files_whose_seconds_differ(tmp_path: Path) -> None:
    files = {
        f"rgb/processed/{rgb()}": "",
        f"thermal/{thermal('20230521-095737')}": "",
        "pairs/W057/1.txt": f"processed/{rgb()}\n{thermal('20230521-095737')}\n",
    }
    [row] = write(tmp_path, files).to_dict("records")
    assert (row["status"], row["node"]) == ("ok", "W057")
    assert (row["rgb_path"], row["ir_path"]) == tuple(files)[:2]
    assert str(row["time"]) == "2023-05-21 09:57:36+00:00"


def test_a_list_pairs_files_without_a_time(tmp_path: Path) -> None:
    files = {
        "rgb/a/6144x2048_position3.jpg": "",
        "thermal/a/right_336x252_14bit.thermal.celsius_position3.csv": "",
        "rgb/b/6144x2048.jpg": "",
        f"pairs/{NODE}/a.txt": f"a/6144x2048_position3.jpg\r\na/{THERMAL}_position3.csv",
    }
    alone, pair = write(tmp_path, files).sort_values("status", ascending=False).to_dict("records")
    assert (alone["reason"], alone["rgb_path"]) == ("no timestamp", "rgb/b/6144x2048.jpg")
    assert (pair["status"], pair["node"], pair["position"]) == ("ok", NODE, "3")
    assert pd.isna(pair["time"])


def test_what_was_put_aside_is_marked(tmp_path: Path) -> None:
    other, third = "20230521-100000", "20230521-110000"
    files = {
        **{f"rgb/{rgb(second)}": "" for second in ("20230521-095736", other)},
        **{f"thermal/{thermal(second)}": "" for second in ("20230521-095736", other)},
        "pairs/W057/1.txt": f"{rgb()}\n{thermal()}\n",
        "bad_pairs/W057/2.txt": f"{rgb(other)}\n{thermal(other)}\n",
        f"bad_pairs/{rgb(third)}": "",
        f"bad_pairs/{thermal(third)}": "",
    }
    index = write(tmp_path, files).sort_values("time")
    assert index["reason"].tolist() == ["", "marked bad", "marked bad"]
    assert index["ir_path"].notna().all()


def test_a_list_that_names_what_is_not_there_changes_nothing(tmp_path: Path) -> None:
    files = {
        f"rgb/{rgb()}": "",
        f"thermal/{thermal()}": "",
        "pairs/W057/1.txt": f"{rgb()}\nnone.csv\n",
        "pairs/W057/2.txt": "one line",
    }
    [row] = write(tmp_path, files).to_dict("records")
    assert row["status"] == "ok"


@pytest.mark.parametrize(
    "where", ["pairs/x.txt", "pairs/W057/x.txt", "pairs/W057/2023/x.txt", "pairs/2023/W057/x.txt"]
)
@pytest.mark.parametrize("bad", ["", "bad_"])
def test_a_list_lies_at_any_depth(tmp_path: Path, where: str, bad: str) -> None:
    files = {f"a/rgb/{LISTED[0]}": "", f"a/thermal/{LISTED[1]}": "", f"a/{bad}{where}": "\n".join(LISTED)}
    [row] = write(tmp_path, files).to_dict("records")
    assert (row["reason"], row["node"]) == ("marked bad" if bad else "", "W057")


@pytest.mark.parametrize(
    "text",
    [
        "rgb/{}\nthermal/{}\n",
        "./{}\n./{}",
        "./rgb/{}\n./thermal/{}",
        "/{}\r\n/thermal/{}",
        "\n\n  {}\n\n{}\n",
        "\ufeff{}\n{}\n",
        "\ufeffrgb/{}\n{}\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_the_lines_of_a_list_may_be_written_in_several_ways(tmp_path: Path, text: str, encoding: str) -> None:
    files = {f"rgb/{LISTED[0]}": "", f"thermal/{LISTED[1]}": ""}
    write(tmp_path, files | {"pairs/W057/x.txt": ""})
    text = text.format(*LISTED).removeprefix("\ufeff" if encoding == "utf-16" else "")
    (tmp_path / "pairs/W057/x.txt").write_bytes(text.encode(encoding))
    [row] = scan_folder(tmp_path).index.to_dict("records")
    assert (row["status"], row["rgb_path"], row["ir_path"]) == ("ok", *files)


def test_a_folder_rgb_below_rgb_is_meant_first(tmp_path: Path) -> None:
    files = {f"rgb/rgb/{rgb()}": "", f"rgb/{rgb()}": "", f"thermal/{LISTED[1]}": ""}
    index = write(tmp_path, files | {"pairs/x.txt": f"rgb/{rgb()}\n{LISTED[1]}"})
    assert index.loc[index["status"] == "ok", "rgb_path"].tolist() == [f"rgb/rgb/{rgb()}"]


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="a file that is there and cannot be read")
def test_a_list_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "pairs").mkdir()
    (tmp_path / "pairs/x.txt").symlink_to("/proc/self/mem")
    with pytest.raises(UserError, match=r"^data\.root: the list pairs/x\.txt cannot be read \(.+\)$"):
        scan_folder(tmp_path)


def test_lists_that_match_nothing_are_counted_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "sage_lightning")
    files = {f"rgb/{LISTED[0]}": "", f"thermal/{LISTED[1]}": "", "pairs/1.txt": "\n".join(LISTED)}
    write(tmp_path, files)
    assert not caplog.records
    write(
        tmp_path, {"pairs/2.txt": f"{LISTED[0]}\nnone.csv", "pairs/3.txt": "none.jpg", "bad_pairs/4.txt": ""}
    )
    [said] = caplog.records
    assert said.getMessage() == "3 of 4 pair lists name no two files that are there"
    folders = list_folders(tmp_path)
    legacy = Legacy(tmp_path, folders)
    legacy.applied(camera_files(folders))
    assert legacy.unmatched == 3


def test_a_list_leaves_nanoseconds_whole(tmp_path: Path) -> None:
    names = [
        (f"{time}_6144x2048.jpg", f"{time}_right_336x252_14bit.thermal.celsius.csv") for time in (NS, NS + 1)
    ]
    files = {
        f"{side}/{NODE}/{name}": ""
        for pair in names
        for side, name in zip(("rgb", "thermal"), pair, strict=True)
    }
    index = write(tmp_path, files | {f"pairs/{NODE}/1.txt": "\n".join(f"{NODE}/{name}" for name in names[0])})
    assert [time.value for time in index["time"]] == [NS, NS + 1]
