"""Query records beside files: nodes, times and positions that names do not say end in the index."""

import gzip
import json
from pathlib import Path

import pandas as pd
import pytest

from sage_lightning.data.scan import scan_folder
from sage_lightning.errors import UserError
from sage_lightning.sage.records import read_records

from .copies import NODE, NS, THERMAL, record, rgb, thermal, write


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
        ("r.ndjson", record("6144x2048.jpg").encode()[:-20], "line 1: "),
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


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (record("6144x2048.jpg")[:-20], "left out, no query record"),
        ('{"a": 1}', "no query record, a JSON object"),
        ("[1, 2]", "no query record, a JSON object"),
        (record("6144x2048.jpg", "3000-01-01T00:00:00Z"), "timestamp 3000-01-01T00:00:00Z is no time"),
        (record("6144x2048.jpg", {}), "no query record"),
    ],
)
def test_a_line_that_is_no_record_is_left_out_and_named(
    tmp_path: Path, bad: str, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    good = [record("6144x2048.jpg").strip(), record(f"{THERMAL}.csv").strip()]
    path = tmp_path / "r.ndjson"
    path.write_text("\n".join([good[0], "", good[1]]))
    expected = read_records(path)
    assert not caplog.text
    path.write_text("\n".join(["\ufeff" + good[0], "", bad.strip(), good[1], bad.strip()]))
    pd.testing.assert_frame_equal(read_records(path), expected)
    assert f"{path}: line 3 and 1 more left out" in caplog.text
    assert why in caplog.text


def test_of_a_file_that_was_cut_the_whole_lines_count(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "r.ndjson.gz"
    path.write_bytes(packed("\n".join(record(f"{number}x2048.jpg").strip() for number in range(500)))[:-30])
    assert 0 < len(read_records(path)) < 500
    assert f"{path}: line " in caplog.text


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
