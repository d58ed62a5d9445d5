"""Records as the archive's client has them → the index that their files would have."""

import gzip
import json
import re

import pandas as pd
import pytest
import sage_data_client

from sage_lightning.data.scan import scan_folder
from sage_lightning.errors import UserError
from sage_lightning.inventory.records import read_records, record_files, recordless

ARCHIVE = "https://storage.sagecontinuum.org/api/v1/data"
NODE, OTHER = "000048b02d15bc42", "000048b02d15bc43"
PICTURE = "6144x2048_position10.jpg"
THERMAL = "right_336x252_14bit.thermal.celsius_position10.csv"
FIRST = "2023-05-21T09:57:36.123456789Z"
FIRST_NS = 1684663056123456789


def record(filename, time=FIRST, node=NODE, *, name="upload", leave=(), **meta):
    ns = pd.Timestamp(time).as_unit("ns").value
    known = {
        "filename": filename,
        "node": node,
        "vsn": "W057",
        "plugin": "mobotix-scan:0.24.8",
        "job": "1",
        "task": "t",
    }
    return {
        "timestamp": time,
        "name": name,
        "value": f"{ARCHIVE}/1/sage-mobotix-scan-0.24.8/{node}/{ns}-{filename}",
        "meta": {key: value for key, value in (known | meta).items() if key not in leave},
    }


def write(path, *records):
    text = "".join(json.dumps(one) + "\n" for one in records)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return str(path)


def test_a_pair_to_the_nanosecond(tmp_path):
    index, _ = read_records(write(tmp_path / "r.ndjson", record(PICTURE), record(THERMAL)))
    (row,) = index.to_dict("records")
    assert row["pair_id"] == f"{NODE}-{FIRST_NS}"
    assert row["time"].value == FIRST_NS
    assert (row["status"], row["position"], row["node"]) == ("ok", "10", NODE)
    assert (row["rgb_width"], row["ir_width"]) == (6144, 336)
    assert row["rgb_path"] == f"1/sage-mobotix-scan-0.24.8/{NODE}/{FIRST_NS}-{PICTURE}"


def test_records_give_the_index_that_their_files_would(tmp_path):
    """Pairs, missing partners, two positions, no position, plots: of two nodes."""
    wrong = THERMAL.replace("10.csv", "11.csv")
    later = [f"2023-05-21T1{hour}:00:00Z" for hour in range(6)]
    plot = "right_336x252_14bit.thermal.celsius_plot_position10.jpg"
    plain = ("6144x2048.jpg", "right_336x252_14bit.thermal.celsius.csv")
    records = [
        *(record(name, later[0]) for name in (PICTURE, THERMAL, plot)),
        *(record(name, later[0], OTHER) for name in (PICTURE, wrong)),
        *(record(name, later[1]) for name in plain),
        record(PICTURE, later[2]),
        record(THERMAL, later[3], OTHER),
    ]
    for one in records:
        file = tmp_path / "files" / one["value"].removeprefix(f"{ARCHIVE}/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")
    index, apart = read_records(write(tmp_path / "r.ndjson.gz", *records))
    assert set(index["reason"]) == {"", "partner missing", "position mismatch"}
    pd.testing.assert_frame_equal(index, scan_folder(tmp_path / "files").index)
    assert {part.reason: part.files for part in apart if part.files} == {
        "neither picture nor thermal file": 1
    }


def test_mismatches_are_kept_where_that_is_asked_for(tmp_path):
    wrong = THERMAL.replace("10.csv", "11.csv")
    given = write(tmp_path / "r.ndjson", record(PICTURE), record(wrong))
    assert read_records(given)[0]["reason"].tolist() == ["position mismatch"]
    (row,) = read_records(given, keep_mismatches=True)[0].to_dict("records")
    assert (row["status"], row["reason"]) == ("ok", "")
    assert pd.isna(row["position"])


@pytest.mark.parametrize(
    "leave", [("filename",), ("node",), ("filename", "node", "vsn"), ("plugin", "job", "task")]
)
def test_what_meta_does_not_say_the_address_does(tmp_path, leave):
    whole, _ = read_records(write(tmp_path / "whole.ndjson", record(PICTURE), record(THERMAL)))
    less, _ = read_records(
        write(tmp_path / "less.ndjson", *(record(name, leave=leave) for name in (PICTURE, THERMAL)))
    )
    pd.testing.assert_frame_equal(whole, less)


def test_a_node_that_nothing_says_is_known_by_its_vsn_or_not_at_all(tmp_path):
    def read(*leave):
        made = [record(name, leave=("node", *leave)) for name in (PICTURE, THERMAL)]
        for one in made:
            one["value"] = one["value"].rpartition("/")[2]
        return read_records(write(tmp_path / "r.ndjson", *made))[0]["node"].tolist()

    assert read() == ["W057"]
    assert read("vsn") == ["unknown"]


def test_what_is_no_upload_and_what_comes_twice_stands_apart(tmp_path):
    folder = tmp_path / "records"
    folder.mkdir()
    write(
        folder / "a.ndjson",
        record(PICTURE),
        record(THERMAL),
        record("x", name="env.temperature") | {"value": 20.5},
    )
    write(folder / "b.ndjson.gz", record(THERMAL), record("right_336x252_14bit.thermal.celsius.nc"))
    write(folder / "empty.ndjson")
    (folder / "notes.txt").write_text("not looked at")
    index, apart = read_records(str(folder))
    assert index["status"].tolist() == ["ok"]
    assert {part.reason: (part.files, len(part.examples)) for part in apart} == {
        "record of no file": (1, 1),
        "the same record again": (1, 1),
        "neither picture nor thermal file": (1, 1),
    }


def test_the_order_of_records_changes_nothing(tmp_path):
    records = [
        record(name, f"2023-05-21T10:0{minute}:00Z") for minute in range(5) for name in (PICTURE, THERMAL)
    ][1:]
    one, _ = read_records(write(tmp_path / "one.ndjson", *records))
    other, _ = read_records(write(tmp_path / "other.ndjson", *reversed(records)))
    pd.testing.assert_frame_equal(one, other)


def test_files_are_named_one_by_one_by_folder_or_by_pattern(tmp_path):
    names = ("a.ndjson", "b.ndjson.gz")
    paths = [tmp_path / name for name in names]
    for path in paths:
        write(path)
    assert record_files(str(paths[0])) == paths[:1]
    assert record_files(str(tmp_path)) == record_files(f"{tmp_path}/*.ndjson*") == paths
    for wrong, line in (
        ("none", "no such file or folder"),
        ("*.csv", "no such file or folder"),
        ("", r"the folder holds no \.ndjson, \.ndjson\.gz"),
    ):
        place = tmp_path / wrong if wrong else tmp_path / "bare"
        (tmp_path / "bare").mkdir(exist_ok=True)
        with pytest.raises(UserError, match=f"inventory.records=.*: {line}"):
            record_files(str(place))


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("", "0 records, none of a camera file"),
        (json.dumps(record("x.flac")) + "\n", "1 record, none of a camera file"),
        ("<html>\n", "line 1 of r.ndjson is no query record"),
        (json.dumps(record("x.flac")) + '\n{"timestamp": "2023"}\n', "line 2 of r.ndjson is no query record"),
        ("[1]\n", "line 1 of r.ndjson is no query record"),
    ],
)
def test_records_without_a_camera_file_are_told_of_in_a_line(tmp_path, lines, said):
    path = tmp_path / "r.ndjson"
    path.write_text(lines)
    assert (recordless(str(path)) or "").startswith(f"inventory.records={path}: {said}")


def test_one_camera_file_is_enough_and_a_bad_line_behind_it_is_told_of_when_it_is_read(tmp_path):
    path = tmp_path / "r.ndjson"
    path.write_text(json.dumps(record(PICTURE)) + "\nnot a record\n")
    assert recordless(str(path)) is None
    with pytest.raises(UserError, match=r"line 2 of r\.ndjson is no query record"):
        read_records(str(path))


def test_a_file_that_is_cut_or_none_of_its_kind_is_told_of(tmp_path):
    cut = tmp_path / "cut.ndjson.gz"
    write(cut, *(record(PICTURE, f"2023-05-21T10:{minute:02d}:00Z") for minute in range(50)))
    cut.write_bytes(cut.read_bytes()[:-20])
    other = tmp_path / "other.ndjson.gz"
    other.write_text("{}")
    for path in (cut, other):
        with pytest.raises(UserError, match=rf"inventory\.records=.*: {path.name} cannot be read"):
            read_records(str(path))
    assert "other.ndjson.gz cannot be read" in (recordless(str(other)) or "")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_table_of_the_client_says_the_same(tmp_path, kind):
    """A position that the name does not say stands in the record itself."""
    plain = ("6144x2048.jpg", "right_336x252_14bit.thermal.celsius.csv")
    lines = write(
        tmp_path / "r.ndjson", *(record(name, position="7") for name in plain), record(PICTURE, node=OTHER)
    )
    table = sage_data_client.load(lines)
    path = tmp_path / f"table.{kind}"
    table.to_csv(path, index=False) if kind == "csv" else table.to_parquet(path)
    assert recordless(str(path)) is None
    index, _ = read_records(lines)
    assert index["position"].tolist() == ["7", "10"]
    pd.testing.assert_frame_equal(read_records(str(path))[0], index)


@pytest.mark.parametrize("name", ["other.csv", "other.parquet"])
def test_a_table_of_something_else_is_told_of(tmp_path, name):
    path = tmp_path / name
    table = pd.DataFrame({"timestamp": ["2023-05-21"], "size": [3]})
    table.to_csv(path) if name.endswith("csv") else table.to_parquet(path)
    line = f"inventory.records={path}: {name} cannot be read (no column name, value)"
    assert recordless(str(path)) == line
    with pytest.raises(UserError, match=re.escape(line)):
        read_records(str(path))


def test_a_record_without_a_time_has_that_of_its_address(tmp_path):
    records = [record(name) | {"timestamp": None} for name in (PICTURE, THERMAL)]
    bare = record("right_336x252_14bit.thermal.celsius.csv") | {"timestamp": None, "value": "https://x/y.csv"}
    index, _ = read_records(write(tmp_path / "r.ndjson", *records, bare))
    assert index["pair_id"].tolist() == [f"{NODE}-{FIRST_NS}", f"{NODE}-unknown"]
    assert index["reason"].tolist() == ["", "no timestamp"]
