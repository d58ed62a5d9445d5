"""The content hash follows all that an index says, and nothing of where or in which order it is said."""

from pathlib import Path

import pandas as pd
import pytest

from sage_lightning.data.index import COLUMNS, add_place_and_time, index_hash
from sage_lightning.data.table_hash import table_hash
from sage_lightning.sage.nodes import Node, NodeTable

from .test_index import index

PLACES = NodeTable([Node("a", "W1", longitude=-90.0, latitude=40.0)])


def table(nodes: NodeTable = PLACES) -> pd.DataFrame:
    return add_place_and_time(index(), nodes).assign(split=["train", "", "val"])


def test_rows_and_columns_may_come_in_any_order() -> None:
    mixed = table().sample(frac=1, random_state=1).sample(frac=1, axis="columns", random_state=1)
    assert table_hash(mixed) == table_hash(table())
    assert table_hash(table().assign(store_row=[0, 1, 2])) == table_hash(table())


@pytest.mark.parametrize("column", [name for name in COLUMNS if name in table()] + ["cloud"])
def test_every_column_counts(column: str) -> None:
    changed = table()
    if pd.api.types.is_string_dtype(changed[column]):
        changed.loc[0, column] = "other"
    else:
        changed[column] = changed[column].shift(1)
    assert table_hash(changed) != table_hash(table())


def test_a_node_table_changes_it_and_not_the_hash_of_the_pairs() -> None:
    assert table_hash(table(NodeTable())) != table_hash(table())
    assert index_hash(table(NodeTable())) == index_hash(table())


def test_nothing_is_no_empty_text_and_texts_have_ends() -> None:
    one, other = (table().assign(node=["a", "", "b"]) for _ in range(2))
    assert table_hash(one.assign(node=pd.Series(["a", None, "b"], dtype="str"))) != table_hash(one)
    assert table_hash(other.assign(node=["", "a", "b"])) != table_hash(one)


def test_it_survives_the_file_and_the_last_digits_of_the_sun(tmp_path: Path) -> None:
    table().to_parquet(tmp_path / "index.parquet", row_group_size=2)
    read = pd.read_parquet(tmp_path / "index.parquet")
    read["sun_elevation"] *= 1 + 1e-15
    assert table_hash(read) == table_hash(table())


def test_it_is_pinned_so_that_another_machine_must_agree() -> None:
    assert table_hash(table()) == "b9eceaed39bb723617a8dc5af60ff133208c9c7aa62418714cf311239e09abae"
