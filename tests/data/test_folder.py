"""A collection that a table describes: what it says is kept, what is amiss told, degrees are degrees."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from sage_lightning.data.folder import FolderSource
from sage_lightning.data.index import label_columns
from sage_lightning.data.prepare import Kept, prepare
from sage_lightning.data.source import PairFiles
from sage_lightning.data.split import Split
from sage_lightning.data.store import PairStore
from sage_lightning.data.tables import table_problems
from sage_lightning.errors import UserError
from sage_lightning.sage.celsius import write_celsius

COLUMNS = {"rgb": "visible", "ir": "thermal"}
HEADS = "visible, thermal, fold, sequence, weather, split"
PAIRS = 40


def collection(folder: Path) -> pd.DataFrame:
    """Forty pairs of different sizes, some of them grey, with labels; written with its table."""
    (folder / "rgb").mkdir(parents=True)
    (folder / "ir").mkdir()
    rows = []
    for pair in range(PAIRS):
        rng = np.random.default_rng(pair)
        shape = (20 + pair % 3, 30 + pair % 4)
        pixels = rng.integers(0, 256, shape if pair % 5 == 0 else (*shape, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"rgb/{pair}.png")
        thermal = np.full(shape, pair, np.uint8)
        thermal[-1] += 100  # a picture without a difference in it is no picture
        Image.fromarray(thermal).save(folder / f"ir/{pair}.png")
        rows.append(
            {
                "visible": f"rgb/{pair}.png",
                "thermal": f"ir/{pair}.png",
                "fold": "test" if pair < 10 else "train" if pair < 38 else "unassigned",
                "sequence": pair // 4,
                "weather": "clear" if pair % 2 else "cloudy",
                "split": "of another paper",
            }
        )
    table = pd.DataFrame(rows)
    table.to_csv(folder / "pairs.csv", index=False)
    return table


def source(root: Path, columns: dict[str, Any] = COLUMNS, **options: Any) -> FolderSource:
    settings: dict[str, Any] = {
        "table": "pairs.csv",
        "tables": {},
        "ir_size": (10, 15),
        "thermal_unit": "display",
    }
    return FolderSource(root, columns=columns, **(settings | options))


def made(tmp_path: Path, columns: dict[str, Any] = COLUMNS, **options: Any) -> PairStore:
    found = source(tmp_path / "data", columns, **options)
    return prepare(found, tmp_path / "cache", Kept((12, 18)), Split(val=0.2, test=0.2))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    collection(tmp_path / "data")
    return tmp_path


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


def test_pictures_of_all_sizes_are_kept_at_one(folder: Path) -> None:
    store = made(folder)
    assert store.rgb_size == (12, 18)
    assert store.ir_size == (10, 15)
    index = store.index.set_index("rgb_path")
    rgb, ir = store.read(index["store_row"].to_numpy(dtype=np.int64))
    numbers = index.index.str.extract(r"(\d+)", expand=False).astype(int).to_numpy()
    top = ir[:, :5]
    np.testing.assert_allclose(top, np.broadcast_to(numbers[:, None, None], top.shape), rtol=1e-6)
    grey = numbers % 5 == 0
    assert (rgb[grey] == rgb[grey][..., :1]).all()
    assert not (rgb[~grey] == rgb[~grey][..., :1]).all()


def test_one_table_a_split_is_the_same_as_a_column(folder: Path) -> None:
    table = pd.read_csv(folder / "data/pairs.csv")
    for split, rows in (("train", table[10:30]), ("val", table[30:]), ("test", table[:10])):
        rows.drop(columns=["fold", "split"]).to_parquet(folder / f"data/{split}.parquet")
    tables = {split: f"{split}.parquet" for split in ("train", "val", "test")}
    index = made(folder, table=None, tables=tables).index
    assert index["split"].value_counts().to_dict() == {"train": 20, "val": 10, "test": 10}


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


@pytest.mark.parametrize(
    ("suffix", "unit", "scale", "offset"),
    [
        (".png", "kelvin", 0.01, 0),
        (".tif", "celsius", 1, 0),
        (".npy", "kelvin", 1, 0),
        (".csv", "celsius", 1, 0),
    ],
)
def test_degrees_are_degrees_whatever_the_file(
    tmp_path: Path, suffix: str, unit: str, scale: float, offset: float
) -> None:
    celsius = np.round(np.random.default_rng(0).uniform(-40, 30, (10, 15)), 2).astype(np.float32)
    path = tmp_path / f"ir{suffix}"
    if suffix == ".png":
        Image.fromarray(np.rint((celsius.astype(np.float64) + 273.15) * 100).astype(np.uint16)).save(path)
    elif suffix == ".tif":
        Image.fromarray(celsius).save(path)
    elif suffix == ".npy":
        np.save(path, celsius.astype(np.float64) + 273.15)
    else:
        write_celsius(path, celsius)
    Image.new("RGB", (8, 8)).save(tmp_path / "rgb.png")
    pd.DataFrame({"visible": ["rgb.png"], "thermal": [path.name]}).to_csv(tmp_path / "pairs.csv", index=False)
    found = source(tmp_path, thermal_unit=unit, thermal_scale=scale, thermal_offset=offset)
    assert found.thermal_unit == "celsius"
    np.testing.assert_allclose(
        found.read(PairFiles("rgb.png", path.name, "unknown", -1), (8, 8))[1], celsius, atol=2e-3
    )


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


def test_a_table_may_have_a_group_of_its_own_beside_the_one_that_is_named(folder: Path) -> None:
    table = pd.read_csv(folder / "data/pairs.csv")
    table.assign(group="x", given_split="y").to_csv(folder / "data/pairs.csv", index=False)
    index = made(folder, COLUMNS | {"group": "sequence"}).index
    assert set(index["group_label"]) == {"x"}
    assert (index.groupby("group")["split"].nunique() == 1).all()


def test_numbers_that_name_places_stay_whole_beside_an_empty_cell(folder: Path) -> None:
    table = pd.read_csv(folder / "data/pairs.csv", dtype="str")
    table["place"], table["node"] = "7", "0012"
    table.loc[3, "place"] = None
    table.to_csv(folder / "data/pairs.csv", index=False)
    index = made(folder, COLUMNS | {"position": "place", "node": "node"}).index
    assert set(index["position"].dropna()) == {"7"}
    assert index["position"].isna().sum() == 1
    assert set(index["node"]) == {"0012"}
    table["place"] = pd.to_numeric(table["place"])
    table.to_parquet(folder / "data/pairs.parquet")
    columns = COLUMNS | {"position": "place", "node": "node"}
    index = made(folder, columns, table="pairs.parquet").index
    assert set(index["position"].dropna()) == {"7"}


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


def test_marks_for_no_value_are_no_temperatures(tmp_path: Path) -> None:
    matrix = np.full((10, 15), 290.0)
    matrix[0, 0], matrix[0, 1] = -9999, 65535
    np.save(tmp_path / "IR.NPY", matrix)
    (tmp_path / "IR.NPY.npy").rename(tmp_path / "IR.NPY")
    Image.new("RGB", (8, 8)).save(tmp_path / "rgb.png")
    pd.DataFrame({"visible": ["rgb.png"], "thermal": ["IR.NPY"]}).to_csv(tmp_path / "pairs.csv", index=False)
    for unit, missing in (("kelvin", 2), ("counts", 0)):
        found = source(tmp_path, thermal_unit=unit).read(
            PairFiles("rgb.png", "IR.NPY", "unknown", -1), (8, 8)
        )[1]
        assert np.isnan(found).sum() == missing


def placed(folder: Path) -> pd.DataFrame:
    table = pd.read_csv(folder / "data/pairs.csv")
    table["site"], table["place"] = ["a", "b"] * (PAIRS // 2), ["1", "2", "2", "1"] * (PAIRS // 4)
    table["when"] = "2023-05-01T12:00:00Z"
    table.to_csv(folder / "data/pairs.csv", index=False)
    return table


PLACED = COLUMNS | {"node": "site", "position": "place", "time": "when"}


@pytest.mark.parametrize(
    ("role", "name", "values"),
    [
        ("node", "site", ["a", "a", "b", "b"]),
        ("position", "place", ["1", "1", "2", "2"]),
        ("time", "when", ["2023-05-01", "2023-05-02", "2023-05-03", "2023-05-04"]),
    ],
)
def test_other_places_and_times_in_the_table_are_seen(
    folder: Path, role: str, name: str, values: list[str]
) -> None:
    table = placed(folder)
    before = made(folder, PLACED).shard_folder
    table.assign(**{name: values * (PAIRS // 4)}).to_csv(folder / "data/pairs.csv", index=False)
    store = made(folder, PLACED)
    found = store.index.set_index("rgb_path")[role].reindex(table["visible"]).tolist()
    said = [pd.Timestamp(value, tz="UTC") if role == "time" else value for value in values]
    assert found == said * (PAIRS // 4)
    assert store.shard_folder == before  # no picture is decoded again


def test_a_position_of_a_table_is_no_preset_of_a_camera(folder: Path) -> None:
    placed(folder)
    index = source(folder / "data", PLACED).scan().index
    assert set(index["position"]) == {"1", "2"}
    assert index["view"].isna().all()


def test_another_column_for_a_role_is_seen(folder: Path) -> None:
    placed(folder)
    one, other = PLACED, PLACED | {"node": "place", "position": "site"}
    before, after = made(folder, one).index, made(folder, other).index
    assert (before["node"].tolist(), before["position"].tolist()) == (
        after["position"].tolist(),
        after["node"].tolist(),
    )


def test_a_file_that_is_written_anew_at_the_same_length_is_decoded_again(folder: Path) -> None:
    table = pd.read_csv(folder / "data/pairs.csv")
    path, matrix = folder / "data/ir/0.npy", np.arange(150.0).reshape(10, 15)
    table.loc[0, "thermal"] = "ir/0.npy"
    table.to_csv(folder / "data/pairs.csv", index=False)

    def first() -> np.ndarray:
        store = made(folder)
        row = store.index.set_index("rgb_path").loc["rgb/0.png", "store_row"]
        return store.read([row])[1][0]

    np.save(path, matrix)
    hashes = [made(folder).index_hash]
    np.testing.assert_array_equal(first(), matrix)
    np.save(path, matrix + 7)
    later = path.stat().st_mtime_ns + 1
    os.utime(path, ns=(later, later))
    np.testing.assert_array_equal(first(), matrix + 7)
    assert [made(folder).index_hash] == hashes


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
