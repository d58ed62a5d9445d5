"""A sorted table with rows put in and taken out is the sorted whole."""

import numpy as np
import pyarrow as pa
import pytest

from sage_lightning.data import merging
from sage_lightning.data.merging import merged


@pytest.mark.parametrize("most_runs", [0, 10_000])
@pytest.mark.parametrize("seed", range(5))
def test_it_is_what_sorting_gives(monkeypatch: pytest.MonkeyPatch, most_runs: int, seed: int) -> None:
    monkeypatch.setattr(merging, "_MOST_RUNS", most_runs)
    rng = np.random.default_rng(seed)
    keys = np.sort(rng.choice(1000, 60, replace=False)).astype(str)
    keys.sort()
    is_new, stay = rng.random(60) < 0.4, rng.random(60) < 0.7
    table = pa.table({"key": pa.array(keys.tolist(), pa.large_string()), "n": np.arange(60)})
    old, new = table.filter(pa.array(~is_new)), table.filter(pa.array(is_new))
    found = merged(old, stay[~is_new], new, "key")
    assert found.to_pydict() == table.filter(pa.array(is_new | stay)).to_pydict()


@pytest.mark.parametrize("most_runs", [0, 10_000])
def test_nothing_may_be_left_and_nothing_come(monkeypatch: pytest.MonkeyPatch, most_runs: int) -> None:
    monkeypatch.setattr(merging, "_MOST_RUNS", most_runs)
    table = pa.table({"key": pa.array(["a", "b"], pa.large_string())})
    none, all_ = np.zeros(2, dtype=bool), np.ones(2, dtype=bool)
    assert merged(table, none, table[:0], "key").num_rows == 0
    assert merged(table, all_, table[:0], "key").equals(table)
    assert merged(table[:0], none[:0], table, "key").equals(table)
