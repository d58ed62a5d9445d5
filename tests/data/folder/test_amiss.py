"""What is amiss with a table or a file that it names is told."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sage_lightning.data.folder import FolderSource
from sage_lightning.data.index import summary
from sage_lightning.data.tables import table_problems
from sage_lightning.errors import UserError

from .collection import COLUMNS, HEADS, made, source


def test_a_file_that_is_missing_broken_or_named_twice_is_in_quarantine(folder: Path) -> None:
    (folder / "data/ir/3.png").unlink()
    (folder / "data/rgb/4.png").write_bytes(b"no picture")
    table = pd.read_csv(folder / "data/pairs.csv")
    table.loc[5, "visible"] = table.loc[6, "visible"]
    table.to_csv(folder / "data/pairs.csv", index=False)
    index = made(folder).index
    held = index[index["status"] != "ok"].set_index("ir_path", drop=False)
    assert held["reason"].value_counts().to_dict() == {"partner missing": 1, "unreadable": 1, "duplicate": 1}
    assert held.loc["ir/4.png", "reason"] == "unreadable"
    assert "3 rows in quarantine: 1 duplicate, 1 partner missing, 1 unreadable" in summary(index)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"visible": "rgb/none.png"}, "partner missing"),
        ({"thermal": "ir/none.png"}, "partner missing"),
        ({"fold": "unused"}, "in no split"),
        ({"fold": "unused", "visible": "rgb/39.png"}, "in no split"),
    ],
)
def test_a_row_that_cannot_be_used_takes_its_files_from_no_other(
    folder: Path, first: bool, row: dict[str, str], reason: str
) -> None:
    table = pd.read_csv(folder / "data/pairs.csv").assign(fold="train")
    other = table.iloc[[5]].assign(**row)
    pd.concat([other, table] if first else [table, other]).to_csv(folder / "data/pairs.csv", index=False)
    index = source(folder / "data", COLUMNS | {"split": "fold"}).scan().index
    held = index[index["status"] != "ok"]
    assert held["reason"].tolist() == [reason]
    assert sorted(index["pair_id"].drop(held.index)) == sorted(table["visible"])
    assert index["pair_id"].is_unique


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        ({"root": "/no/such"}, ["data.root=/no/such: no such folder"]),
        ({"table": "paris.csv"}, ["data.table=paris.csv: no such file in data.root={root}"]),
        (
            {"table": None},
            ["data.table has no value: give data.table=<table in data.root>, or data.tables.train=…"],
        ),
        (
            {"tables": {"train": "pairs.csv"}},
            ["data.table and data.tables are two truths: give one table, or one for each split"],
        ),
        (
            {"columns": {"rgb": "visibel", "ir": "thermal", "group": "night"}},
            [
                f"data.columns.rgb=visibel: pairs.csv has only {HEADS}",
                f"data.columns.group=night: pairs.csv has only {HEADS}",
            ],
        ),
        (
            {"columns": COLUMNS | {"labels": ["wether", "fold"]}},
            [f"data.columns.labels=[wether,fold]: pairs.csv has no column wether; it has {HEADS}"],
        ),
        (
            {"columns": COLUMNS | {"group": "sequence", "labels": ["sequence", "split"]}},
            [
                "data.columns.labels=[sequence,split]: sequence is data.columns.group already; "
                "leave it out of one",
                "data.columns.labels=[sequence,split]: split is what an index calls a column of its own; "
                "rename it in pairs.csv",
            ],
        ),
    ],
)
def test_each_mistake_gives_its_line(folder: Path, options: dict[str, Any], lines: list[str]) -> None:
    root = str(folder / "data")
    given: dict[str, Any] = {"root": root, "table": "pairs.csv", "tables": {}, "columns": COLUMNS} | options
    assert table_problems(**given) == [line.format(root=root) for line in lines]
    with pytest.raises(UserError):
        FolderSource(**given, ir_size=(4, 4), thermal_unit="display")


def test_the_path_of_a_file_that_is_missing_is_told(folder: Path) -> None:
    (folder / "data/ir/3.png").unlink()
    index = made(folder).index.set_index("rgb_path")
    assert index.loc["rgb/3.png", ["ir_path", "reason"]].tolist() == ["ir/3.png", "partner missing"]


@pytest.mark.parametrize(
    ("change", "columns", "line"),
    [
        (
            {"seen": "yesterday, perhaps"},
            {"time": "seen"},
            "data.columns.time=seen: 'yesterday, perhaps' in row",
        ),
        ({"fold": "a"}, {"split": "fold"}, "data.columns.split=fold: no row says train, but 40 'a'"),
        (None, {}, "data.table=pairs.csv: cannot be read as a table ("),
    ],
)
def test_what_a_table_cannot_mean_is_one_line(
    folder: Path, change: dict[str, str] | None, columns: dict[str, str], line: str
) -> None:
    path = folder / "data/pairs.csv"
    if change is None:
        path.write_text(path.read_text() + "one,cell,too,many,for,this,table,x,y\n")
    else:
        pd.read_csv(path).assign(**change).to_csv(path, index=False)
    with pytest.raises(UserError) as caught:
        made(folder, COLUMNS | columns)
    assert [found.startswith(line) for found in caught.value.lines] == [True]


def test_both_files_of_a_pair_in_one_column_are_refused(folder: Path) -> None:
    columns = {"rgb": "visible", "ir": "visible"}
    [line] = table_problems(folder / "data", "pairs.csv", {}, columns)
    assert line == "data.columns.rgb and data.columns.ir are both visible: a pair has two files"


@pytest.mark.parametrize("name", ["", "ir", "x" * 300, "ir/3.png\0", "../" * 2000 + "x"])
@pytest.mark.parametrize("column", ["visible", "thermal"])
def test_a_cell_that_names_no_file_is_a_missing_partner(folder: Path, column: str, name: str) -> None:
    table = pd.read_csv(folder / "data/pairs.csv").drop(columns="split")
    table.loc[[3, 5], column] = name or None
    table.to_parquet(folder / "data/pairs.parquet")
    index = source(folder / "data", table="pairs.parquet").scan().index
    held = index[index["status"] != "ok"]
    assert held["reason"].tolist() == ["partner missing"] * 2
    assert index["pair_id"].is_unique
    assert index["pair_id"].notna().all()
    if not name:
        table.to_csv(folder / "data/pairs.csv", index=False)
        assert source(folder / "data").scan().index["reason"].tolist() == index["reason"].tolist()
