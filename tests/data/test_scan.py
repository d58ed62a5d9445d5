"""Every camera file of a folder ends in exactly one row of the index."""

import os
from pathlib import Path

import pandas as pd
import pytest

from sage_lightning.data.scan import Scan, scan_folder

NODE = "000048b02d15bc42"
TASK = f"12/sage-mobotix-scan-0.24.8/{NODE}"
NOON = 1_700_000_000_000_000_000


def picture(time: int, position: str = "_position3") -> str:
    return f"{TASK}/{time}-6144x2048{position}.jpg"


def thermal(time: int, position: str = "_position3") -> str:
    return f"{TASK}/{time}-right_336x252_14bit.thermal.celsius{position}.csv"


def scan(root: Path, *paths: str) -> Scan:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")
    return scan_folder(root)


def reasons(index: pd.DataFrame) -> dict[str, str]:
    """The reason of every file, by path; fails where a path stands twice."""
    found: dict[str, str] = {}
    for column in ("rgb_path", "ir_path"):
        rows = index[index[column].notna()]
        for path, reason in zip(rows[column], rows["reason"], strict=True):
            assert path not in found
            found[path] = reason
    return found


def test_a_pair(tmp_path: Path) -> None:
    [row] = scan(tmp_path, picture(NOON + 7), thermal(NOON + 7)).index.to_dict("records")
    assert row["pair_id"] == f"{NODE}-{NOON + 7}"
    assert (row["node"], row["position"], row["status"], row["reason"]) == (NODE, "3", "ok", "")
    assert row["time"].value == NOON + 7
    assert (row["rgb_path"], row["ir_path"]) == (picture(NOON + 7), thermal(NOON + 7))
    assert [row[size] for size in ("rgb_width", "rgb_height", "ir_width", "ir_height")] == [
        6144,
        2048,
        336,
        252,
    ]


def test_every_file_has_one_row_and_its_reason(tmp_path: Path) -> None:
    files = {
        picture(NOON): "",
        thermal(NOON): "",
        picture(NOON + 1): "partner missing",
        thermal(NOON + 2): "partner missing",
        picture(NOON + 3, "_position1"): "position mismatch",
        thermal(NOON + 3, "_position2"): "position mismatch",
        picture(NOON + 4, "_positionNEH"): "",
        thermal(NOON + 4, ""): "",
        f"a/{NODE}/{NOON + 5}-6144x2048.jpg": "",
        f"b/{NODE}/{NOON + 5}-6144x2048.jpg": "duplicate",
        thermal(NOON + 5): "",
        "6144x2048_position4.jpg": "no timestamp",
        "other/6144x2048_position4.jpg": "no timestamp",
        f"{10**19}_6144x2048.jpg": "no timestamp",
        f"{NOON}_6144x2048.jpg": "",
        f"{NOON}_right_336x252_14bit.thermal.celsius.csv": "",
    }
    others = [
        "readme.txt",
        f"{TASK}/{NOON}-right_336x252_14bit.thermal.celsius_plot_position3.jpg",
        "nodes.csv",
    ]
    found = scan(tmp_path, *files, *others)
    assert reasons(found.index) == files
    assert found.others == len(others)
    assert found.pictures + found.thermals == len(files)
    assert (found.index["status"] == "ok").eq(found.index["reason"] == "").all()
    assert found.index.loc[found.index["status"] == "ok", "pair_id"].is_unique


def test_a_cut_copy_hides_no_whole_file(tmp_path: Path) -> None:
    cut, whole = (f"{folder}/{NODE}/{thermal(NOON).rpartition('/')[2]}" for folder in ("0", "1"))
    scan(tmp_path, picture(NOON), cut, whole)
    (tmp_path / whole).write_bytes(b"whole")
    files = {picture(NOON): "", cut: "duplicate", whole: ""}
    assert reasons(scan_folder(tmp_path).index) == files


def test_positions(tmp_path: Path) -> None:
    index = scan(
        tmp_path,
        picture(NOON, "_positionNEH"),
        thermal(NOON, ""),
        picture(NOON + 1, "_position1"),
        thermal(NOON + 1, "_position2"),
    ).index
    named, raced = index["position"]
    assert named == "NEH"  # one name is enough
    assert pd.isna(raced)  # one of the two is wrong


def test_pairs_that_name_two_positions_are_used_on_request(tmp_path: Path) -> None:
    scan(
        tmp_path,
        picture(NOON, "_position1"),
        thermal(NOON, "_position2"),
        picture(NOON + 1),
        thermal(NOON + 1),
    )
    index = scan_folder(tmp_path, keep_mismatches=True).index
    assert index["status"].tolist() == ["ok", "ok"]
    assert index["position"].fillna("unknown").tolist() == ["unknown", "3"]


def test_a_plot_stands_for_a_picture_that_is_missing_and_is_no_picture(tmp_path: Path) -> None:
    plot = thermal(NOON).replace("celsius", "celsius_plot").replace(".csv", ".jpg")
    found = scan(
        tmp_path,
        plot,
        thermal(NOON),
        picture(NOON + 1),
        thermal(NOON + 1),
        plot.replace(str(NOON), str(NOON + 1)),
    )
    row = found.index.set_index("rgb_path").loc[plot]
    assert (row["status"], row["reason"], row["ir_path"]) == (
        "quarantined",
        "plot instead of picture",
        thermal(NOON),
    )
    assert found.others == 1  # the plot of a frame that has its picture


def test_what_was_put_aside_is_no_pair(tmp_path: Path) -> None:
    aside = [f"bad_pairs/{NODE}/{name(NOON).rpartition('/')[2]}" for name in (picture, thermal)]
    [row] = scan(tmp_path, *aside).index.to_dict("records")
    assert (row["status"], row["reason"]) == ("quarantined", "marked bad")


def test_pairs_need_the_exact_nanosecond_and_the_same_node(tmp_path: Path) -> None:
    other_node = picture(NOON + 1).replace(NODE, NODE[::-1])
    found = scan(tmp_path, picture(NOON), thermal(NOON + 1), other_node)
    assert set(reasons(found.index).values()) == {"partner missing"}


def local(kind: str, position: str, folder: str = "") -> str:
    name = "6144x2048{}.jpg" if kind == "rgb" else "right_336x252_14bit.thermal.celsius{}.csv"
    return f"{folder}20230521-095736_W057_{name.format(position)}"


def test_two_frames_of_one_second_are_paired_by_position(tmp_path: Path) -> None:
    sides = [local(kind, position) for position in ("_position2", "_position10") for kind in ("rgb", "ir")]
    index = scan(tmp_path, *sides).index
    assert index["status"].tolist() == ["ok", "ok"]
    assert index["position"].tolist() == ["10", "2"]
    assert index["pair_id"].is_unique
    for name in ("rgb_path", "ir_path"):
        assert index[name].str.extract(r"position(\d+)", expand=False).tolist() == ["10", "2"]


def test_what_has_no_position_among_several_of_one_second_is_ambiguous(tmp_path: Path) -> None:
    files = {
        local("rgb", "_position2"): "partner missing",
        local("rgb", "_position10"): "",
        local("ir", "_position10"): "",
        local("ir", ""): "ambiguous",
        local("ir", "", "copy/"): "duplicate",
    }
    assert reasons(scan(tmp_path, *files).index) == files


def test_rows_are_sorted_by_pair_id(tmp_path: Path) -> None:
    times = [NOON + 5, NOON + 1, NOON + 3]
    index = scan(tmp_path, *(name(time) for time in times for name in (picture, thermal))).index
    assert index["pair_id"].tolist() == sorted(index["pair_id"])


def test_an_empty_folder_gives_an_empty_index(tmp_path: Path) -> None:
    assert scan(tmp_path).index.empty


def test_content_follows_paths_and_lengths_not_place_or_time(tmp_path: Path) -> None:
    before = scan(tmp_path / "a", picture(NOON), thermal(NOON)).content
    assert scan(tmp_path / "b", thermal(NOON), picture(NOON)).content == before
    (tmp_path / "b" / picture(NOON)).write_bytes(b"longer")
    assert scan_folder(tmp_path / "b").content != before


def test_links_are_followed_and_circles_end(tmp_path: Path) -> None:
    scan(tmp_path / "disk", picture(NOON), thermal(NOON))
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "linked").symlink_to(tmp_path / "disk")
    (tmp_path / "disk" / "back").symlink_to(tmp_path / "root")
    [path] = scan_folder(tmp_path / "root").index["rgb_path"]
    assert path == f"linked/{picture(NOON)}"


@pytest.mark.parametrize("order", [("m", "a"), ("a", "m")])
def test_a_folder_goes_by_its_own_name_whatever_links_lead_to_it(
    tmp_path: Path, order: tuple[str, str]
) -> None:
    for name in order:
        if name == "m":
            (tmp_path / "m").mkdir(exist_ok=True)
        else:
            (tmp_path / "a").symlink_to(tmp_path / "m")
    [path] = scan(tmp_path, f"m/{picture(NOON)}", f"m/{thermal(NOON)}").index["rgb_path"]
    assert path == f"m/{picture(NOON)}"


def test_a_folder_that_is_no_unicode_has_its_bytes_spelt_out(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xff")).mkdir()
    (tmp_path / os.fsdecode(b"\xff") / "6144x2048.jpg").touch()
    [path] = scan_folder(tmp_path).index["rgb_path"]
    assert path == "\\udcff/6144x2048.jpg"


@pytest.mark.parametrize("kinds", [("picture",), ("thermal",)])
def test_one_kind_alone_is_complete(tmp_path: Path, kinds: tuple[str]) -> None:
    names = [picture(NOON + n) if "picture" in kinds else thermal(NOON + n) for n in range(3)]
    assert reasons(scan(tmp_path, *names).index) == dict.fromkeys(names, "partner missing")


def test_local_copies_are_paired_by_node_and_second(tmp_path: Path) -> None:
    def names(second: str, position: str) -> tuple[str, str]:
        return (
            f"rgb/processed/rgb_20230521-{second}_W057_6144x2048{position}.jpg",
            f"thermal/20230521-{second}_W057_right_336x252_14bit.thermal.celsius{position}.csv",
        )

    index = scan(
        tmp_path, *names("095736", "_position10"), *names("095806", ""), names("100000", "")[0]
    ).index
    assert index["status"].tolist() == ["ok", "ok", "quarantined"]
    assert index["node"].tolist() == ["W057"] * 3
    assert index["position"].fillna("unknown").tolist() == ["10", "unknown", "unknown"]
    assert str(index["time"][0]) == "2023-05-21 09:57:36+00:00"


def test_a_plot_is_counted_once_whatever_it_stands_beside(tmp_path: Path) -> None:
    thermals = [thermal(NOON, f"_position{position}") for position in (1, 2, 3)]
    plot = thermals[0].replace("celsius", "celsius_plot").replace(".csv", ".jpg")
    found = scan(tmp_path, *thermals, plot)
    assert reasons(found.index) == {
        plot: "plot instead of picture",
        thermals[0]: "plot instead of picture",
        thermals[1]: "partner missing",
        thermals[2]: "partner missing",
    }
    assert (found.pictures, found.thermals, found.others) == (0, 3, 0)


def test_a_plot_beside_a_file_that_was_put_aside_is_counted_once(tmp_path: Path) -> None:
    name = f"{NOON}-right_336x252_14bit.thermal.celsius"
    found = scan(tmp_path, f"bad_pairs/{NODE}/{name}.csv", f"bad_pairs/{NODE}/{name}_plot.jpg")
    assert set(reasons(found.index).values()) == {"marked bad"}
    files = int(found.index[["rgb_path", "ir_path"]].notna().sum().sum())
    assert files + found.others == 2
