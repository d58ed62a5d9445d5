import pytest

from sage_lightning.data.counted import permutation
from sage_lightning.data.sampler import CountedBatchSampler

N, BATCH = 43, 8  # 5 steps, 3 rows left out


def sampler(
    rank: int = 0,
    world: int = 1,
    accumulate: int = 1,
    step: int = 0,
    seed: int = 0,
    n: int = N,
    batch: int = BATCH,
) -> CountedBatchSampler:
    return CountedBatchSampler(n, batch, seed, rank, world, accumulate, lambda: step)


def epochs(first: int, last: int) -> list[list[tuple[int, int]]]:
    """The global batches of whole epochs, from the definition."""
    return [
        [(epoch, row) for row in permutation(0, epoch, N)[start : start + BATCH].tolist()]
        for epoch in range(first, last)
        for start in range(0, N - BATCH + 1, BATCH)
    ]


@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize("world", [1, 2, 4])
@pytest.mark.parametrize("step", [0, 3])
def test_any_world_sees_the_same_global_batches_in_the_same_order(world: int, accumulate: int, step: int):
    ranks = [list(sampler(rank, world, accumulate, step)) for rank in range(world)]
    assert {len(rank) for rank in ranks} == {5 * accumulate}
    batches = []
    for first in range(0, 5 * accumulate, accumulate):
        turns = range(first, first + accumulate)
        batches.append([key for turn in turns for rank in ranks for key in rank[turn]])
    assert batches == epochs(0, 2)[step : step + 5]


def test_a_pass_begun_anywhere_goes_on_as_an_uninterrupted_run():
    run = epochs(0, 4)
    for step in range(15):
        assert list(sampler(step=step)) == run[step : step + 5]
    assert len(sampler(accumulate=2, step=3)) == 10


def test_an_epoch_repeats_nothing_and_leaves_out_others_each_time():
    left_out = []
    for epoch in range(6):
        rows = [row for batch in sampler(step=5 * epoch) for _, row in batch]
        assert len(set(rows)) == 40
        left_out.append(set(range(N)) - set(rows))
    assert len(set().union(*left_out)) > 9


def test_the_seed_changes_the_order():
    assert list(sampler(seed=1)) != list(sampler(seed=0))


def test_what_does_not_divide_is_refused():
    with pytest.raises(ValueError, match="batch_size=8 is no multiple of 3 ranks x 1"):
        sampler(world=3)
    with pytest.raises(ValueError, match="batch_size=8 is no multiple of 4 ranks x 4"):
        sampler(world=4, accumulate=4)
    with pytest.raises(ValueError, match="7 rows are less than one batch of 8"):
        sampler(n=7)
