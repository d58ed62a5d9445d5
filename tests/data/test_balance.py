"""Strata are drawn equally often, rows of one by turns, the same for any number of ranks."""

import pandas as pd
import pytest
import torch

from sage_lightning.data.balance import balanced_order, strata_of
from sage_lightning.data.sampler import CountedBatchSampler
from sage_lightning.errors import UserError

INDEX = pd.DataFrame(
    {
        "position": pd.Series(["1"] * 50 + ["2"] * 8 + [None] * 2, dtype="str"),
        "daylight": ["day", "night"] * 30,
        "sun_elevation": [0.5] * 60,
    }
)


def test_every_combination_is_a_stratum_and_so_is_what_is_not_known() -> None:
    strata, sizes = strata_of(INDEX, ["position", "daylight"])
    assert sorted(sizes) == [1, 1, 4, 4, 25, 25]
    for number in range(6):
        rows = INDEX[strata == number]
        assert len(rows[["position", "daylight"]].drop_duplicates()) == 1


def test_strata_are_equal_and_their_rows_take_turns() -> None:
    strata = torch.from_numpy(strata_of(INDEX, ["position"])[0])
    order = balanced_order(1, 0, strata)
    assert len(order) == 60
    drawn = order.view(20, 3)
    assert torch.equal(strata[drawn], torch.arange(3).expand(20, 3))
    small = drawn[:, 1]  # 8 rows, drawn 20 times
    assert len(set(small[:8].tolist())) == len(set(small[8:16].tolist())) == 8
    assert small[:8].tolist() != small[8:16].tolist()
    assert len(set(drawn[:, 0].tolist())) == 20  # none of 50 twice


def test_epochs_and_seeds_differ_and_repeat() -> None:
    strata = torch.from_numpy(strata_of(INDEX, ["position"])[0])
    orders = {tuple(balanced_order(seed, epoch, strata).tolist()) for seed in (1, 2) for epoch in (0, 1)}
    assert len(orders) == 4
    assert tuple(balanced_order(2, 1, strata).tolist()) in orders


@pytest.mark.parametrize("world", [2, 4])
def test_ranks_share_the_same_batches(world: int) -> None:
    strata = torch.from_numpy(strata_of(INDEX, ["position"])[0])

    def batches(rank: int, world: int) -> list[list[tuple[int, int]]]:
        return list(CountedBatchSampler(60, 12, 0, rank, world, 1, lambda: 3, strata))

    ranks = [batches(rank, world) for rank in range(world)]
    shared = [[key for rank in ranks for key in rank[step]] for step in range(5)]
    assert shared == batches(0, 1)
    for batch in shared:
        counts = torch.bincount(strata[[row for _, row in batch]], minlength=3)
        assert counts.tolist() == [4, 4, 4]


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        (["positon"], r"data\.balance=\[positon\]: no column positon; the index has daylight, position, sun"),
        (["position", "sun_elevation"], "sun_elevation is a continuous number"),
    ],
)
def test_what_makes_no_strata_is_refused(columns: list[str], line: str) -> None:
    with pytest.raises(UserError, match=line):
        strata_of(INDEX, columns)
