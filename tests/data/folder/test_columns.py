"""Splits, groups and labels that a table says."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sage_lightning.data.index import label_columns
from sage_lightning.data.strata import strata_of
from sage_lightning.data.tables import table_problems
from sage_lightning.errors import UserError

from .collection import COLUMNS, HEADS, PAIRS, made, source


def test_the_splits_are_those_of_the_table_and_validation_is_dealt(folder: Path) -> None:
    index = made(folder, COLUMNS | {"split": "fold"}).index
    assert set(index.loc[index["split"] == "test", "weather"]) == {"clear", "cloudy"}
    assert sorted(index.loc[index["split"] == "test", "rgb_path"]) == sorted(
        f"rgb/{n}.png" for n in range(10)
    )
    assert index["split"].value_counts().sum() == PAIRS
    assert (index.loc[index["status"] != "ok", "reason"] == "in no split").all()
    assert len(index[index["status"] != "ok"]) == 2
    assert 0 < (index["split"] == "val").sum() < 14
    assert set(index["split_label"]) == {"of another paper"}


def test_a_row_that_says_val_moves_no_pair_that_was_dealt_to_it(folder: Path) -> None:
    columns, path = COLUMNS | {"split": "fold"}, folder / "data/pairs.csv"
    before = made(folder, columns).index.set_index("pair_id")["split"]
    table = pd.read_csv(path)
    table.loc[PAIRS - 1, "fold"] = "val"
    table.to_csv(path, index=False)
    with pytest.raises(
        UserError, match=r"^data\.columns\.split=fold: only 1 row says val, .*deal=\[val\] deals"
    ):
        made(folder, columns)
    after = made(folder, columns, deal=("val",)).index.set_index("pair_id")["split"]
    assert after[before != ""].equals(before[before != ""])
    assert after[before == ""].tolist() == ["", "val"]
    assert (made(folder, columns, deal=()).index["split"] == "val").sum() == 1


def test_a_table_that_is_not_given_is_dealt_whatever_the_others_hold(folder: Path) -> None:
    table = pd.read_csv(folder / "data/pairs.csv").drop(columns=["fold", "split"])
    for split, rows in (("train", table[10:]), ("test", table[:1])):
        rows.to_csv(folder / f"data/{split}.csv", index=False)
    index = made(folder, table=None, tables={"train": "train.csv", "test": "test.csv"}).index
    assert (index["split"] == "test").sum() == 1
    assert 0 < (index["split"] == "val").sum() < 14


def test_without_a_split_groups_stay_together(folder: Path) -> None:
    index = made(folder, COLUMNS | {"group": "sequence"}).index
    assert (index.groupby("group")["split"].nunique() == 1).all()
    assert set(index["split"]) == {"train", "val", "test"}


def test_adding_pairs_moves_none(folder: Path) -> None:
    before = made(folder).index.set_index("pair_id")["split"]
    table = pd.read_csv(folder / "data/pairs.csv")
    table.iloc[:30].to_csv(folder / "data/pairs.csv", index=False)
    after = made(folder).index.set_index("pair_id")["split"]
    assert len(after) == 30
    assert (before[after.index] == after).all()


def test_one_table_a_split_is_the_same_as_a_column(folder: Path) -> None:
    table = pd.read_csv(folder / "data/pairs.csv")
    for split, rows in (("train", table[10:30]), ("val", table[30:]), ("test", table[:10])):
        rows.drop(columns=["fold", "split"]).to_parquet(folder / f"data/{split}.parquet")
    tables = {split: f"{split}.parquet" for split in ("train", "val", "test")}
    index = made(folder, table=None, tables=tables).index
    assert sorted(source(folder / "data", table=None, tables=tables).columns()) == sorted(index.columns)
    assert index["split"].value_counts().to_dict() == {"train": 20, "val": 10, "test": 10}


def test_a_table_may_have_a_group_of_its_own_beside_the_one_that_is_named(folder: Path) -> None:
    table = pd.read_csv(folder / "data/pairs.csv")
    table.assign(group="x", given_split="y").to_csv(folder / "data/pairs.csv", index=False)
    index = made(folder, COLUMNS | {"group": "sequence"}).index
    assert set(index["group_label"]) == {"x"}
    assert (index.groupby("group")["split"].nunique() == 1).all()


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"split": "fold", "group": "sequence"},
        {"labels": ["weather", "fold"]},
        {"node": "split", "group": "sequence", "labels": []},
    ],
)
def test_columns_are_said_before_a_file_is_looked_at(folder: Path, columns: dict[str, Any]) -> None:
    said = source(folder / "data", COLUMNS | columns).columns()
    assert sorted(said) == sorted(made(folder, COLUMNS | columns).index.columns)


@pytest.mark.parametrize("name", ["pairs.pq", "PAIRS.PARQUET", "pairs.parquet.old"])
def test_a_parquet_table_is_one_whatever_it_is_called(folder: Path, name: str) -> None:
    pd.read_csv(folder / "data/pairs.csv").to_parquet(folder / "data" / name)
    assert table_problems(folder / "data", name, {}, COLUMNS) == []
    index = source(folder / "data", table=name).scan().index
    pd.testing.assert_frame_equal(index, source(folder / "data").scan().index)


def test_a_column_that_names_the_rows_of_a_parquet_table_is_a_column(folder: Path) -> None:
    table = pd.read_csv(folder / "data/pairs.csv")
    table.set_index(["visible", "sequence"]).to_parquet(folder / "data/pairs.parquet")
    found = made(folder, COLUMNS | {"group": "sequence"}, table="pairs.parquet").index
    assert found["group"].tolist() == made(folder, COLUMNS | {"group": "sequence"}).index["group"].tolist()
    table[table["weather"] == "clear"].to_parquet(folder / "data/some.parquet")  # rows' names without a name
    [line] = table_problems(folder / "data", "some.parquet", {}, COLUMNS | {"node": "x"})
    assert line == f"data.columns.node=x: some.parquet has only {HEADS}"


def test_labels_that_are_lists_or_mixed_are_texts(folder: Path) -> None:
    table = pd.read_csv(folder / "data/pairs.csv")
    table["tags"] = [["a", "b"], [], None, ["c"]] * (PAIRS // 4)
    table.to_parquet(folder / "data/pairs.parquet")
    index = made(folder, table="pairs.parquet").index.set_index("rgb_path").loc[table["visible"]]
    assert index["tags"].iloc[:4].fillna("none").tolist() == ["['a', 'b']", "[]", "none", "['c']"]
    for split, value in (("train", 1), ("test", "many")):
        table.drop(columns="tags").assign(n=value).to_csv(folder / f"data/{split}.csv", index=False)
    tables = {"train": "train.csv", "test": "test.csv"}
    index = source(folder / "data", table=None, tables=tables).scan().index
    assert set(index["n"]) == {"1", "many"}


@pytest.mark.parametrize("tables", [{}, {"train": "pairs.csv"}])
def test_no_column_of_a_table_is_taken_for_a_split_that_is_not_named(
    folder: Path, tables: dict[str, str]
) -> None:
    table = pd.read_csv(folder / "data/pairs.csv")
    table.assign(_split="mine").to_csv(folder / "data/pairs.csv", index=False)
    index = source(folder / "data", table=None if tables else "pairs.csv", tables=tables).scan().index
    assert set(index["_split"]) == {"mine"}
    assert (index["status"] == "ok").all()
    assert ("given_split" in index) == bool(tables)


def test_splits_are_taken_as_people_spell_them_and_what_is_left_out_is_told(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = pd.read_csv(folder / "data/pairs.csv")
    spelt = [
        "Train ",
        "training",
        "TRAIN",
        "train",
        " val",
        "Valid",
        "validation",
        "TEST",
        "testing",
        "unused",
    ]
    table["fold"] = spelt * (PAIRS // 10)
    table.loc[0, "fold"] = None
    table.to_csv(folder / "data/pairs.csv", index=False)
    with caplog.at_level("INFO"):
        index = source(folder / "data", COLUMNS | {"split": "fold"}).scan().index
    assert index["given_split"].value_counts().to_dict() == {"train": 15, "val": 12, "test": 8, "unused": 4}
    assert (index["reason"] == "in no split").sum() == 5
    [line] = [record.getMessage() for record in caplog.records]
    assert line == (
        "data.columns.split=fold: left out are 5 rows that say neither train, val nor test: 4 'unused', 1 ''"
    )


def test_labels_are_all_other_columns_or_those_that_are_named(folder: Path) -> None:
    columns = COLUMNS | {"group": "sequence", "split": "fold"}
    index = source(folder / "data", columns).scan().index
    assert label_columns(index) == ["weather", "split_label", "given_split", "group"]
    named = source(folder / "data", columns | {"labels": ["weather"]}).scan().index
    assert label_columns(named) == ["weather", "given_split", "group"]
    assert label_columns(source(folder / "data", COLUMNS | {"labels": []}).scan().index) == []


@pytest.mark.parametrize("lacks", ["a cell", "a table"])
def test_whole_numbers_with_gaps_make_strata(folder: Path, lacks: str) -> None:
    table = pd.read_csv(folder / "data/pairs.csv").drop(columns=["fold", "split"])
    table["w"] = [n % 3 for n in range(PAIRS)]
    parts = {"train": table[10:], "test": table[:10]}
    if lacks == "a cell":
        parts["train"] = parts["train"].astype({"w": "Int64"})
        parts["train"].iloc[0, parts["train"].columns.get_loc("w")] = pd.NA
    else:
        parts["test"] = parts["test"].drop(columns="w")
    for split, rows in parts.items():
        rows.to_csv(folder / f"data/{split}.csv", index=False)
    index = (
        source(folder / "data", table=None, tables={split: f"{split}.csv" for split in parts}).scan().index
    )
    assert sorted(strata_of(index, ["w"])[1]) == ([1, 12, 13, 14] if lacks == "a cell" else [10, 10, 10, 10])
