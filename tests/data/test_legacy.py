"""Pair lists, query records and the folder of pairs put aside: what they know ends in the index."""

import gzip
import json
import logging
from pathlib import Path

import pandas as pd
import pytest

from sage_lightning.data.files import camera_files
from sage_lightning.data.legacy import Legacy
from sage_lightning.data.listing import list_folders
from sage_lightning.data.scan import scan_folder
from sage_lightning.errors import UserError

NODE = "000048b02d15bc42"
THERMAL = "right_336x252_14bit.thermal.celsius"
NS = 1_684_663_056_123_456_789  # 2023-05-21 09:57:36 and a bit, UTC


def write(root: Path, files: dict[str, str]) -> pd.DataFrame:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return scan_folder(root).index


def rgb(second: str = "20230521-095736", suffix: str = "") -> str:
    return f"rgb_{second}_W057_6144x2048{suffix}.jpg"


def thermal(second: str = "20230521-095736", suffix: str = "") -> str:
    return f"{second}_W057_right_336x252_14bit.thermal.celsius{suffix}.csv"


def record(filename: str, time: object = "2023-05-21T09:57:36.123456789Z", **meta: str) -> str:
    meta = {"filename": filename, "node": NODE, "vsn": "W057"} | meta
    url = f"https://storage.invalid/api/v1/data/1/sage-mobotix-scan/{NODE}/{filename}"
    return json.dumps({"timestamp": time, "name": "upload", "value": url, "meta": meta})


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


@pytest.mark.parametrize("suffix", [".ndjson", ".csv", ".parquet"])
def test_records_know_node_time_and_position(tmp_path: Path, suffix: str) -> None:
    lines = [
        record("6144x2048.jpg", position="7"),
        record("right_336x252_14bit.thermal.celsius.csv", position="7"),
        record("other.txt"),
    ]
    root = tmp_path / "files"
    write(root, {f"rgb/{rgb()}": "", f"thermal/{thermal()}": ""})
    (root / "sage_meta").mkdir()
    if suffix == ".ndjson":
        (root / "sage_meta/r.ndjson").write_text("\n".join([*lines, ""]))
    else:
        flat = pd.json_normalize([json.loads(line) for line in lines])
        path = root / f"sage_meta/r{suffix}"
        flat.to_csv(path) if suffix == ".csv" else flat.to_parquet(path)
    [row] = scan_folder(root).index.to_dict("records")
    assert (row["status"], row["node"], row["position"]) == ("ok", NODE, "7")
    assert row["time"].value == NS


def test_records_know_the_node_of_files_in_no_nodes_folder(tmp_path: Path) -> None:
    files = {
        f"{NS}-6144x2048.jpg": "",
        f"{NS}-right_336x252_14bit.thermal.celsius.csv": "",
        "sage_meta/r.ndjson": record("6144x2048.jpg")
        + "\n"
        + record("right_336x252_14bit.thermal.celsius.csv"),
    }
    [row] = write(tmp_path, files).to_dict("records")
    assert (row["status"], row["node"]) == ("ok", NODE)


def test_two_records_that_fit_tell_nothing(tmp_path: Path) -> None:
    times = ("2023-05-21T09:57:36.1Z", "2023-05-21T09:57:36.9Z")
    files = {
        f"rgb/{rgb()}": "",
        "sage_meta/r.ndjson": "\n".join(record("6144x2048.jpg", time) for time in times),
    }
    [row] = write(tmp_path, files).to_dict("records")
    assert row["node"] == "W057"


def packed(text: str) -> bytes:
    return gzip.compress(text.encode(), mtime=0)


ROTTEN = bytearray(packed(record("6144x2048.jpg")))
ROTTEN[20:23] = b"\xff\xff\xff"


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("r.csv", b"a,b\n1,2\n", "no column timestamp"),
        ("r.csv", b"timestamp,meta.filename,meta.node\nhello,6144x2048.jpg,0\n", "hello"),
        ("r.csv", b"", "No columns"),
        ("r.parquet", b"PAR1", "arquet"),
        ("r.ndjson.gz", packed(record("6144x2048.jpg"))[:-12], "ended before"),
        ("r.ndjson.gz", bytes(ROTTEN), "decompressing"),
        ("r.ndjson.gz", b"no gzip", "gzipped"),
        ("r.json", b"[1, 2]", "a line is no query record, a JSON object"),
        ("r.json", b"7", "a line is no query record, a JSON object"),
        ("r.json", b'{"a": 1}', "a line is no query record, a JSON object"),
        ("r.json", b'{"timestamp": "2023", "name": "upload", "value": "", "meta": null}', "no query record"),
        ("r.ndjson", record("6144x2048.jpg").encode()[:-20], "line 1 column"),
        ("r.ndjson", b"\xff\xfe\x00\x01", "."),
        ("r.ndjson", record("6144x2048.jpg", "3000-01-01T00:00:00Z").encode(), "3000"),
        ("r.ndjson", record("6144x2048.jpg", []).encode(), "."),
        ("r.ndjson", record("6144x2048.jpg", {}).encode(), "."),
        ("r.ndjson", record("6144x2048.jpg", 10**30).encode(), "."),
    ],
)
def test_records_that_cannot_be_read_are_named(tmp_path: Path, name: str, content: bytes, why: str) -> None:
    (tmp_path / "sage_meta").mkdir()
    (tmp_path / "sage_meta" / name).write_bytes(content)
    line = rf"^data\.root: sage_meta/{name} cannot be read as records of the query API \(.*{why}.*\)$"
    with pytest.raises(UserError, match=line):
        scan_folder(tmp_path)


def test_lists_and_records_are_no_other_files(tmp_path: Path) -> None:
    write(
        tmp_path, {"pairs/W057/1.txt": "a\nb", "sage_meta/r.ndjson": record("6144x2048.jpg"), "notes.txt": ""}
    )
    assert scan_folder(tmp_path).others == 1


ON_NODE = (f"{NS}_6144x2048.jpg", f"{NS}_{THERMAL}.csv")


@pytest.mark.parametrize("known", ["6144x2048.jpg", f"{THERMAL}.csv"])
@pytest.mark.parametrize("names", [(f"rgb/{rgb()}", f"thermal/{thermal()}"), ON_NODE])
def test_records_of_one_side_leave_no_partner_behind(
    tmp_path: Path, names: tuple[str, str], known: str
) -> None:
    plot = f"{names[1][:-4]}_plot.jpg"
    files = dict.fromkeys([*names, plot], "") | {"sage_meta/r.ndjson": record(known)}
    [row] = write(tmp_path, files).to_dict("records")
    assert (row["status"], row["node"], row["time"].value) == ("ok", NODE, NS)


@pytest.mark.parametrize("doubled", [(0,), (1,), (0, 1)])
def test_a_record_that_two_queries_gave_is_one(tmp_path: Path, doubled: tuple[int, ...]) -> None:
    records = [record("6144x2048.jpg", position="7"), record(f"{THERMAL}.csv", position="7")]
    files = {
        f"rgb/{rgb()}": "",
        f"thermal/{thermal()}": "",
        "sage_meta/a.ndjson": "\n".join(records),
        "sage_meta/b.ndjson": "\n".join(records[number] for number in doubled),
    }
    [row] = write(tmp_path, files).to_dict("records")
    assert (row["status"], row["node"], row["time"].value, row["position"]) == ("ok", NODE, NS, "7")


def test_where_records_of_both_sides_disagree_neither_moves(tmp_path: Path) -> None:
    files = {
        f"rgb/{rgb()}": "",
        f"thermal/{thermal()}": "",
        "sage_meta/r.ndjson": "\n".join(
            [record("6144x2048.jpg"), record(f"{THERMAL}.csv", "2023-05-21T09:57:36.9Z")]
        ),
    }
    [row] = write(tmp_path, files).to_dict("records")
    assert (row["status"], row["node"]) == ("ok", "W057")


def test_files_of_no_node_that_two_nodes_could_have_written_stay_together(tmp_path: Path) -> None:
    records = [record("6144x2048.jpg"), record(f"{THERMAL}.csv", node=NODE[::-1])]
    files = dict.fromkeys(ON_NODE, "") | {"sage_meta/r.ndjson": "\n".join(records)}
    [row] = write(tmp_path, files).to_dict("records")
    assert (row["status"], row["node"]) == ("ok", "unknown")


LISTED = (f"processed/{rgb()}", thermal("20230521-095737"))


@pytest.mark.parametrize(
    "where", ["pairs/x.txt", "pairs/W057/x.txt", "pairs/W057/2023/x.txt", "pairs/2023/W057/x.txt"]
)
@pytest.mark.parametrize("bad", ["", "bad_"])
def test_a_list_lies_at_any_depth(tmp_path: Path, where: str, bad: str) -> None:
    files = {f"a/rgb/{LISTED[0]}": "", f"a/thermal/{LISTED[1]}": "", f"a/{bad}{where}": "\n".join(LISTED)}
    [row] = write(tmp_path, files).to_dict("records")
    assert (row["reason"], row["node"]) == ("marked bad" if bad else "", "W057")


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


# Who is asked first, and who then.


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
