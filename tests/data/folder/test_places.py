"""Nodes, positions and times that a table says."""

from pathlib import Path

import pandas as pd
import pytest

from .collection import COLUMNS, PAIRS, made, source


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
