"""Strata are drawn equally often, rows of one by turns, the same for any number of ranks."""

import pandas as pd
import pytest
import torch

from sage_lightning.data.balance import balanced_order
from sage_lightning.data.sampler import CountedBatchSampler
from sage_lightning.data.strata import check_strata_names, strata_of
from sage_lightning.errors import UserError

INDEX = pd.DataFrame(
    {
        "position": pd.Series(["1"] * 50 + ["2"] * 8 + [None] * 2, dtype="str"),
        "daylight": ["day", "night"] * 30,
        "sun_elevation": [0.5] * 60,
        "view": pd.Series([None] * 60, dtype="str"),
        "weather": [float("nan")] * 60,
    }
)


def test_every_combination_is_a_stratum_and_so_is_what_is_not_known() -> None:
    strata, sizes = strata_of(INDEX, ["position", "daylight"])
    assert sorted(sizes) == [1, 1, 4, 4, 25, 25]
    for number in range(6):
        rows = INDEX[strata == number]
        assert len(rows[["position", "daylight"]].drop_duplicates()) == 1


def test_a_gap_in_whole_numbers_is_a_stratum_beside_them() -> None:
    whole = pd.Series([3, 1, 2, 1, 3, 2])
    gap = whole.where(whole.index != 4)  # which pandas reads as 3.0, 1.0 …
    assert strata_of(pd.DataFrame({"w": whole}), ["w"])[1] == [2, 2, 2]
    strata, sizes = strata_of(pd.DataFrame({"w": gap}), ["w"])
    assert sizes == [2, 2, 1, 1]
    assert strata.tolist() == [2, 0, 1, 0, 3, 1]
    with pytest.raises(UserError, match="w is a continuous number"):
        strata_of(pd.DataFrame({"w": gap + 0.5}), ["w"])


def test_a_table_s_own_column_is_named_as_the_index_has_it() -> None:
    index = pd.DataFrame({"split": ["train", "val"], "group_label": [1, 2], "w": [0, 1]})
    line = r"no column group; the index has group_label, split, w; the table's own group is group_label$"
    with pytest.raises(UserError, match=line):
        check_strata_names(["group"], index.columns)
    with pytest.raises(UserError, match=r"no column grop; the index has group_label, split, w$"):
        check_strata_names(["grop"], index.columns)
    check_strata_names(["group_label"], index.columns)


def test_strata_are_equal_and_their_rows_take_turns() -> None:
    strata = torch.from_numpy(strata_of(INDEX, ["position"])[0])
    drawn = balanced_order(1, 0, strata, 60)
    rounds = strata[drawn].view(20, 3)
    assert torch.equal(rounds.sort(dim=1).values, torch.arange(3).expand(20, 3))
    assert len(rounds.unique(dim=0)) > 1
    small, large = (drawn[strata[drawn] == stratum].tolist() for stratum in (1, 0))  # of 8 and of 50 rows
    assert len(set(small[:8])) == len(set(small[8:16])) == 8
    assert small[:8] != small[8:16]
    assert len(set(large)) == 20  # none of 50 twice


@pytest.mark.parametrize(("n", "count", "batch"), [(60, 60, 51), (60, 7, 16), (60, 40, 60), (9, 2, 4)])
def test_over_epochs_strata_and_the_rows_of_each_are_drawn_equally_often(
    n: int, count: int, batch: int
) -> None:
    """Whatever does not divide: at every step, within one."""
    strata = (torch.arange(n) % count)[torch.randperm(n, generator=torch.Generator().manual_seed(0))]
    steps, by_stratum, by_row = n // batch, torch.zeros(count), torch.zeros(n)
    for epoch in range(20):
        batches = list(CountedBatchSampler(n, batch, 0, 0, 1, 1, lambda step=epoch * steps: step, strata))
        for keys in batches:
            rows = torch.tensor([row for _, row in keys])
            by_row += torch.bincount(rows, minlength=n)
            by_stratum += torch.bincount(strata[rows], minlength=count)
            assert by_stratum.max() - by_stratum.min() <= 1
    for stratum in range(count):
        drawn = by_row[strata == stratum]
        assert drawn.max() - drawn.min() <= 1


def test_an_epoch_is_a_piece_of_one_sequence() -> None:
    strata = torch.from_numpy(strata_of(INDEX, ["position"])[0])
    pieces = torch.cat([balanced_order(3, epoch, strata, 10) for epoch in range(9)])
    assert torch.equal(pieces, balanced_order(3, 0, strata, 90))


def test_epochs_and_seeds_differ_and_repeat() -> None:
    strata = torch.from_numpy(strata_of(INDEX, ["position"])[0])
    orders = {tuple(balanced_order(seed, epoch, strata, 60).tolist()) for seed in (1, 2) for epoch in (0, 1)}
    assert len(orders) == 4
    assert tuple(balanced_order(2, 1, strata, 60).tolist()) in orders


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
        ([], r"data\.balance=\[\]: must hold at least one column"),
        (["position", "sun_elevation"], "sun_elevation is a continuous number"),
        (["view"], r"data\.balance=\[view\]: no pair has a value of view, so all are one stratum"),
        (["view", "weather"], r"\[view,weather\]: no pair has a value of view or weather, so all are one"),
    ],
)
def test_what_makes_no_strata_is_refused(columns: list[str], line: str) -> None:
    with pytest.raises(UserError, match=line):
        strata_of(INDEX, columns)
