"""1, 2 and 4 ranks train DINO alike: student, teacher, centre, batch statistics, and what is logged."""

import pytest

SCRIPT = "exact_dino.py"
DIRECTIONS = ("both", "rgb_teacher", "ir_teacher", "alternate_roles", "alternate_sensor")


@pytest.fixture(scope="session")
def results(worlds):
    return worlds(SCRIPT)


@pytest.mark.parametrize("world", [2, 4])
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_training_ends_in_the_same_weights(results, world, direction):
    """‖a−b‖ ≤ 1e-9 · max(‖b‖, 1e-3 · ‖all‖), tensor by tensor."""
    before, after = (results[1][0][direction][when] for when in ("before", "after"))
    whole = sum(value.double().norm() ** 2 for value in after.values()) ** 0.5
    moved = sum((after[name] - before[name]).double().norm() for name in before)
    assert moved > 1
    assert any(
        name.startswith("teacher.") and name.endswith("centre") and after[name].any() for name in after
    )
    for rank in results[world]:
        for name, value in after.items():
            difference = (rank[direction]["after"][name] - value).double().norm()
            assert difference <= 1e-9 * max(value.double().norm(), 1e-3 * whole), name


@pytest.mark.parametrize("world", [2, 4])
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_every_rank_logs_the_global_numbers(results, world, direction):
    expected = results[1][0][direction]["logged"]
    assert {"train/loss", "train/lr", "train/momentum", "train/weight_decay"} <= set(expected[0])
    for rank in results[world]:
        for step, logged in enumerate(rank[direction]["logged"]):
            assert logged == pytest.approx(expected[step], rel=1e-6)  # logged in float32
