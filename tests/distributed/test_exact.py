"""1, 2 and 4 ranks compute what one process does: losses, gradients, batch statistics, weights."""

import pytest
import torch

SCRIPT = "exact.py"
MANY = (2, 4)
TERMS = ("invariance", "variance", "covariance")


@pytest.fixture(scope="session")
def results(worlds):
    return worlds(SCRIPT)


def assert_same(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    """‖a−b‖ ≤ 1e-9 · max(‖b‖, 1e-3 · ‖all‖), tensor by tensor: some true gradients are 0."""
    assert list(found) == list(expected)
    whole = torch.stack([value.double().norm() for value in expected.values()]).norm()
    for name, value in expected.items():
        difference = (found[name] - value).double().norm()
        assert difference <= 1e-9 * max(value.double().norm(), 1e-3 * whole), name


@pytest.mark.parametrize("world", MANY)
@pytest.mark.parametrize("term", TERMS)
def test_each_term_and_its_gradient(results, world, term):
    (one,) = results[1]
    expected = one["terms"][term]
    assert sum(g.norm() for g in expected["gradient"].values()) > 1e-3
    for rank in results[world]:
        assert rank["terms"][term]["value"] == pytest.approx(expected["value"], rel=1e-12)
        assert_same(rank["terms"][term]["gradient"], expected["gradient"])


@pytest.mark.parametrize("world", MANY)
@pytest.mark.parametrize("norm", ["1d", "1d long", "2d"])
def test_batch_statistics_with_uneven_counts(results, world, norm):
    (one,) = results[1]
    for rank in results[world]:
        assert_same(rank["norms"][norm], one["norms"][norm])


@pytest.mark.parametrize("world", MANY)
def test_uneven_rows_are_gathered_in_order(results, world):
    for rank in results[world]:
        assert rank["gathered rows"].tolist() == list(range(8))


@pytest.mark.parametrize("world", MANY)
def test_ten_steps_of_training_end_in_the_same_weights(results, world):
    (one,) = results[1]
    before, after = one["training"]["before"], one["training"]["after"]
    assert sum((after[name] - before[name]).double().norm() for name in before) > 1
    for rank in results[world]:
        assert_same(rank["training"]["after"], after)


@pytest.mark.parametrize("world", MANY)
def test_every_rank_logs_the_global_loss(results, world):
    (one,) = results[1]
    expected = one["training"]["losses"]
    assert len(expected) == 10
    assert set(expected[0]) == {"train/loss", "train/lr", *(f"train/loss_{term}" for term in TERMS)}
    for rank in results[world]:
        for step, logged in enumerate(rank["training"]["losses"]):
            assert logged == pytest.approx(expected[step], rel=1e-6)  # logged in float32
