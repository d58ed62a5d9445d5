import numpy as np
import pytest
import torch
from torch import Tensor

from sage_lightning.data.counted import Stream, normal, permutation, sample_id, uniform


def keys(n: int, epoch: int = 0) -> tuple[Tensor, Tensor]:
    return torch.full((n,), epoch), torch.arange(n) * 7919 - n


def splitmix64(state: int) -> int:
    """Steele, Lea, Flood 2014, in Python's own integers."""
    mask = 2**64 - 1
    state = (state + 0x9E3779B97F4A7C15) & mask
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & mask
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & mask
    return state ^ (state >> 31)


def test_equals_splitmix64_in_python_integers():
    seed, epoch, sample, stream = 2**63 + 5, 3, -123456789, 4
    key = 0
    for value in (seed, epoch, sample, stream):
        key = splitmix64(key ^ (value % 2**64))
    expected = [(splitmix64((key + k * 0x9E3779B97F4A7C15) % 2**64) >> 40) * 2.0**-24 for k in range(5)]
    drawn = uniform(seed, torch.tensor([epoch]), torch.tensor([sample]), stream, 5)
    assert drawn[0].tolist() == expected


def test_values_are_frozen():
    """Other numbers would break every run that is resumed."""
    epoch, sample = torch.tensor([0, 3]), torch.tensor([sample_id("a-1"), sample_id("b-2")])
    assert sample.tolist() == [7680245424303175113, -8934708200920608627]
    assert (uniform(1, epoch, sample, Stream.CROP, 2) * 2**24).long().tolist() == [
        [9465163, 12185992],
        [3188417, 5523679],
    ]
    assert permutation(1, 2, 8).tolist() == [5, 1, 6, 7, 3, 2, 4, 0]


def test_a_sample_does_not_depend_on_its_batch_nor_on_how_many_numbers_it_takes():
    epoch, sample = keys(50)
    for draw in (uniform, normal):
        whole = draw(5, epoch, sample, Stream.CROP, 7)
        order = torch.tensor([31, 4, 17])
        assert torch.equal(draw(5, epoch[order], sample[order], Stream.CROP, 3), whole[order, :3])


@pytest.mark.parametrize("other", ["seed", "epoch", "sample", "stream"])
def test_each_key_changes_everything(other: str):
    epoch, sample = keys(4000)
    first = uniform(5, epoch, sample, Stream.CROP, 1)[:, 0].numpy()
    second = uniform(
        6 if other == "seed" else 5,
        epoch + (other == "epoch"),
        sample + (other == "sample"),
        Stream.FLIP if other == "stream" else Stream.CROP,
        1,
    )[:, 0].numpy()
    # Of 4000 independent pairs |r| stays below 4 / sqrt(4000).
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.064


def test_uniform_is_uniform_and_independent():
    numbers = uniform(0, *keys(20000), Stream.CROP, 4).double().numpy()
    assert numbers.min() >= 0
    assert numbers.max() < 1
    counts = np.stack([np.histogram(column, bins=64, range=(0, 1))[0] for column in numbers.T])
    chi2 = ((counts - 20000 / 64) ** 2 / (20000 / 64)).sum(1)
    assert (chi2 < 63 + 5 * (2 * 63) ** 0.5).all()
    correlation = np.corrcoef(numbers.T) - np.eye(4)
    assert np.abs(correlation).max() < 5 / 20000**0.5


def test_normal_is_normal():
    numbers = normal(0, *keys(20000), Stream.IR_NOISE, 3).double().numpy()
    assert np.isfinite(numbers).all()
    n = numbers.size
    assert abs(numbers.mean()) < 5 / n**0.5
    assert abs(numbers.var() - 1) < 5 * (2 / n) ** 0.5
    assert abs((numbers**4).mean() - 3) < 5 * (96 / n) ** 0.5
    assert abs((np.abs(numbers) < 0.674490).mean() - 0.5) < 5 * 0.5 / n**0.5


def test_permutation():
    orders = [permutation(seed, epoch, 1000) for seed, epoch in ((0, 0), (0, 1), (1, 0))]
    for order in orders:
        assert torch.equal(order.sort().values, torch.arange(1000))
    # A fixed point is as likely as chance has it: about one.
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert int((orders[first] == orders[second]).sum()) < 8
    first_rows = torch.stack([permutation(0, epoch, 10)[:1] for epoch in range(2000)])
    assert (torch.bincount(first_rows.flatten(), minlength=10) - 200).abs().max() < 5 * 180**0.5


def test_several_epochs_at_once_are_the_same_orders():
    orders = permutation(3, torch.arange(5), 7, part=2)
    assert torch.equal(orders, torch.stack([permutation(3, epoch, 7, part=2) for epoch in range(5)]))
