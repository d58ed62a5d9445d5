"""What was excluded and why, and that every reason of a quarantine is explained."""

import pandas as pd

from sage_lightning.data import quarantine
from sage_lightning.inventory.collection import Collection, other_files, unknowns
from sage_lightning.inventory.excluded import (
    BY_DECODING,
    BY_NAME,
    BY_READING,
    COLUMNS,
    DECODED,
    MEANINGS,
    Apart,
    excluded,
)
from sage_lightning.inventory.rows import rows_of

NORTH, SOUTH, NOWHERE = "a" * 16, "b" * 16, "c" * 16


def test_every_reason_has_a_meaning():
    reasons = {value for name, value in vars(quarantine).items() if name.isupper()}
    assert len(reasons) > 10
    assert reasons <= set(MEANINGS)


def test_reasons_by_hand(index_of, nodes):
    files = [
        ("pair", NORTH, "1", "2023-06-01"),
        *(("picture", NORTH, "1", f"2023-06-0{day}") for day in range(2, 7)),
        ("thermal", SOUTH, "1", ""),
    ]
    rows = rows_of(index_of(files), nodes)
    unread = pd.DataFrame({"reason": ["truncated"] * 2, "ir_path": ["x/2", "x/1"]})
    apart = [Apart("neither picture nor thermal file", 3, ["p.png"]), Apart("the same record again", 0)]
    found = excluded(rows, apart, unread)
    assert tuple(found) == COLUMNS
    assert found[["found", "reason", "files"]].to_numpy().tolist() == [
        [BY_NAME, "partner missing", 5],
        [BY_NAME, "neither picture nor thermal file", 3],
        [BY_READING, "truncated", 2],
        [BY_NAME, "no timestamp", 1],
    ]
    examples = dict(zip(found["reason"], found["examples"], strict=True))
    assert examples["truncated"] == "x/1 | x/2"
    assert examples["partner missing"].count(" | ") == 2
    assert set(examples["partner missing"].split(" | ")) <= set(rows["rgb_path"].dropna())
    assert (found["meaning"] != "").all()


def test_quarantine_adds_up_to_the_index(index_of, many, nodes):
    index = index_of(many(200, 3))
    held = index[index["status"] != "ok"]
    found = excluded(rows_of(index, nodes), [], None)
    assert found["files"].sum() == held[["rgb_path", "ir_path"]].notna().sum().sum()
    mixed = index.sample(frac=1, random_state=0).reset_index(drop=True)
    pd.testing.assert_frame_equal(found, excluded(rows_of(mixed, nodes), [], None))


def test_what_decoding_has_told_before_is_said_to_be_so(index_of, nodes):
    index = index_of([("pair", NORTH, "1", f"2023-06-0{day}") for day in (1, 2)])
    index = index.assign(status=["ok", "quarantined"], reason=["", "truncated"])
    (line,) = excluded(rows_of(index, nodes), [], None).to_dict("records")
    assert (line["found"], line["reason"], line["files"]) == (BY_DECODING, "truncated", 2)


def test_reasons_are_told_by_name_or_by_decoding():
    by_name = {"no timestamp", "duplicate", "ambiguous", "partner missing", "plot instead of picture"}
    by_name |= {"position mismatch", "marked bad", "in no split"}
    reasons = {value for name, value in vars(quarantine).items() if name.isupper()}
    assert set(DECODED) == reasons - by_name


def test_nothing_is_excluded(index_of, nodes):
    rows = rows_of(index_of([("pair", NORTH, "1", "2023-06-01")]), nodes)
    assert excluded(rows, [], None).empty


def test_other_files_have_examples(tmp_path):
    (tmp_path / "b").mkdir()
    plot = "right_336x252_14bit.thermal.celsius_plot.jpg"
    for name in (
        "1700000000000000000_6144x2048.jpg",
        "readme.txt",
        f"b/1700000000000000000-{plot}",
        "b/x",
        "b/y",
    ):
        (tmp_path / name).touch()
    found = other_files(tmp_path, 4)
    assert found.files == 4
    assert found.examples == ["readme.txt", f"b/1700000000000000000-{plot}", "b/x"]
    assert list(other_files(tmp_path, 0).examples) == []


def test_what_cannot_be_told_is_said(index_of, nodes, frames):
    source = frames({})

    def said(files, source=source, nodes=nodes):
        return unknowns(Collection("here", index_of(files, nodes=nodes), source, nodes))

    whole = [("pair", NORTH, "1", "2023-06-01"), ("pair", SOUTH, "2", "2023-06-01")]
    assert said(whole) == []
    (records,) = said(whole, source=None)
    assert "temperatures are unknown" in records
    (places,) = said(whole, nodes=())
    assert places.startswith("No node's place is known (data.nodes)")
    (one,) = said([*whole, ("pair", NOWHERE, "1", "2023-06-02")])
    assert one.startswith(f"data.nodes does not say where {NOWHERE} stood")
    (positions,) = said([("pair", NORTH, None, "2023-06-01")])
    assert "views are unknown" in positions
    (times,) = said([*whole, ("picture", NORTH, "1", ""), ("thermal", NORTH, "1", "")])
    assert times.startswith("Without a time: 2 files")
