"""Whose a listed pair is, and of when; of lists that contradict each other one counts."""

from pathlib import Path

import pandas as pd
import pytest

from .copies import LISTED, NODE, THERMAL, rgb, thermal, write


@pytest.mark.parametrize(
    ("folder", "node"),
    [
        ("pairs/2023", "unknown"),
        ("pairs", "unknown"),
        ("W057/pairs", "W057"),
        ("pairs/W057/2023", "W057"),
        (f"pairs/W057/{NODE.upper()}/2023", NODE),
    ],
)
def test_the_nearest_folder_that_is_a_nodes_says_whose_a_list_is(
    tmp_path: Path, folder: str, node: str
) -> None:
    base = "W057/" if folder.startswith("W") else ""
    files = {f"{base}rgb/6144x2048.jpg": "", f"{base}thermal/{THERMAL}.csv": ""}
    [row] = write(tmp_path, files | {f"{folder}/x.txt": f"6144x2048.jpg\n{THERMAL}.csv"}).to_dict("records")
    assert (row["status"], row["node"]) == ("ok", node)


def test_of_lists_that_name_one_picture_the_first_counts_as_a_whole(tmp_path: Path) -> None:
    pictures, thermals = [rgb()] * 2, [thermal("20230521-095738"), thermal("20230521-095737")]
    files = {f"rgb/{pictures[0]}": "", f"thermal/{thermals[0]}": "", f"thermal/{thermals[1]}": "longer"}
    lists = {f"pairs/{n}.txt": f"{pictures[n]}\n{thermals[n]}" for n in range(2)}
    alone, pair = write(tmp_path, files | lists).sort_values("status", ascending=False).to_dict("records")
    assert (pair["status"], pair["ir_path"]) == ("ok", f"thermal/{thermals[0]}")
    assert (alone["reason"], str(alone["time"])) == ("partner missing", "2023-05-21 09:57:37+00:00")


def test_of_lists_that_name_one_thermal_file_the_first_counts_as_a_whole(tmp_path: Path) -> None:
    pictures, thermals = [rgb("20230521-095738"), rgb("20230521-095737")], [thermal()] * 2
    files = {f"rgb/{pictures[0]}": "", f"rgb/{pictures[1]}": "longer", f"thermal/{thermals[0]}": ""}
    lists = {f"pairs/{n}.txt": f"{pictures[n]}\n{thermals[n]}" for n in range(2)}
    alone, pair = write(tmp_path, files | lists).sort_values("status", ascending=False).to_dict("records")
    assert (pair["status"], pair["rgb_path"]) == ("ok", f"rgb/{pictures[0]}")
    assert (alone["reason"], str(alone["time"])) == ("partner missing", "2023-05-21 09:57:37+00:00")


@pytest.mark.parametrize(
    ("first", "then", "owner"),
    [
        (rgb(), thermal().replace("W057", "W058"), "W057"),
        ("6144x2048.jpg", thermal(), "W057"),
        (rgb(), f"{THERMAL}.csv", "W057"),
        ("6144x2048.jpg", f"{THERMAL}.csv", "W059"),
    ],
)
def test_a_listed_pair_is_the_pictures_nodes(tmp_path: Path, first: str, then: str, owner: str) -> None:
    files = {f"rgb/{first}": "", f"thermal/{then}": "", "pairs/W059/x.txt": f"{first}\n{then}"}
    [row] = write(tmp_path, files).to_dict("records")
    assert (row["status"], row["node"]) == ("ok", owner)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (rgb(), thermal("20230521-120000")),
        (rgb(), f"{THERMAL}.csv"),
        ("6144x2048.jpg", thermal()),
    ],
)
def test_a_listed_pair_is_of_the_pictures_time(tmp_path: Path, first: str, then: str) -> None:
    files = {f"rgb/{first}": "", f"thermal/{then}": "", "pairs/W057/x.txt": f"{first}\n{then}"}
    [row] = write(tmp_path, files).to_dict("records")
    assert (row["status"], str(row["time"])) == ("ok", "2023-05-21 09:57:36+00:00")


@pytest.mark.parametrize("node", ["W056", "W057", "W058"])
def test_what_is_in_both_kinds_of_lists_is_bad(tmp_path: Path, node: str) -> None:
    text = "\n".join(LISTED)
    files = {
        f"rgb/{LISTED[0]}": "",
        f"thermal/{LISTED[1]}": "",
        "pairs/W057/x.txt": text,
        f"bad_pairs/{node}/x.txt": text,
    }
    [row] = write(tmp_path, files).to_dict("records")
    assert row["reason"] == "marked bad"


def test_a_bad_list_of_a_later_folder_comes_before_a_list(tmp_path: Path) -> None:
    files = {f"a/rgb/{LISTED[0]}": "", f"a/thermal/{LISTED[1]}": ""}
    lists = {"a/pairs/x.txt": "\n".join(LISTED), "bad_pairs/x.txt": "\n".join(files)}
    [row] = write(tmp_path, files | lists).to_dict("records")
    assert row["reason"] == "marked bad"


@pytest.mark.parametrize("name", ["6144x2048.jpg", rgb("20230521-095740")])
def test_a_list_pairs_thermal_files_of_the_other_corpus(tmp_path: Path, name: str) -> None:
    other = "20230521_095736_thermal_celsius.csv"
    files = {f"rgb/{name}": "", f"thermal/{other}": "", "pairs/W057/x.txt": f"{name}\n{other}"}
    [row] = write(tmp_path, files).to_dict("records")
    assert (row["status"], row["node"], row["ir_path"]) == ("ok", "W057", f"thermal/{other}")
    assert str(row["time"]) == f"2023-05-21 09:57:{'36' if name[0] == '6' else '40'}+00:00"
    assert (row["rgb_width"], row["rgb_height"]) == (6144, 2048)
    assert pd.isna(row["ir_width"])
    assert pd.isna(row["ir_height"])
