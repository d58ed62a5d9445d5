"""The make-up of a collection, in columns of what it knows."""

import numpy as np
import pandas as pd

from sage_lightning.evaluation.make_up import make_up


def test_pairs_of_unknown_position_are_no_position(train, test):
    unknown = np.arange(len(test.index)) % 4 == 0
    mixed = test.index.assign(position=test.index["position"].mask(unknown, None))
    (table,) = make_up(pd.concat([train.index, mixed])).tables
    told = {row[0]: dict(zip(table.columns, row, strict=True)) for row in table.rows}
    assert told["train"]["node × position"] == told["test"]["node × position"] == "8"
    assert [told[split]["position unknown"] for split in ("train", "test")] == ["0", str(unknown.sum())]
    (table,) = make_up(test.index).tables
    assert "position unknown" not in table.columns


def test_days_on_both_sides_are_told(train, test):
    index = pd.concat([train.index, test.index.assign(local_day=train.index["local_day"][0])])
    assert "1 is in more than one split" in make_up(index).text[0]
    assert "none is in more than one split" in make_up(pd.concat([train.index, test.index])).text[0]


def test_splits_of_no_table_are_by_hash(test):
    index = test.index.assign(local_day=None, given_split="test")
    assert make_up(index).text[0].endswith("Splits are those of the collection's table.")
    index.loc[0, "given_split"] = None
    assert make_up(index).text[0].endswith("table, and dealt by hash where it says none.")
    for none in (index.assign(given_split=None), index.drop(columns="given_split")):
        assert make_up(none).text[0].endswith("Splits are dealt by hash.")
