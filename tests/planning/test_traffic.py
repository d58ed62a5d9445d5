"""Bytes between ranks, by hand."""

from collections.abc import Callable
from typing import Any

import pytest

from sage_lightning.planning.traffic import traffic


def test_vicreg_moves_gradients_projections_and_statistics(planner: Callable[..., Any]) -> None:
    method = planner("model=vicreg_vit_pico").method
    moved = traffic(method, ranks=4, batch=8, steps=1, item=4, crops=1)
    trained = sum(p.numel() for p in method.parameters())
    assert moved.gradients == pytest.approx(2 * 3 / 4 * 4 * trained)
    # Two sensors, 8 pairs of 64 numbers: gathered (3/4), and their gradients summed (2 · 3/4).
    assert moved.projections == 3 * 3 / 4 * (2 * 8 * 64 * 4)
    # One BatchNorm of 64 channels in each projector; four numbers a channel, summed around the ring.
    assert moved.statistics == 2 * 3 / 4 * (2 * 64 * 4 * 4)
    assert moved.total == moved.gradients + moved.projections + moved.statistics
    assert traffic(method, 4, 8, 1, item=2, crops=1).projections == moved.projections / 2


def test_one_rank_moves_nothing_and_many_move_at_most_twice_the_gradients(
    planner: Callable[..., Any],
) -> None:
    method = planner("model=vicreg_vit_pico").method
    assert traffic(method, 1, 8, 1, 4, 1).total == 0
    bytes_of = [traffic(method, ranks, 8, 1, 4, 1).gradients for ranks in (2, 8, 64, 1024)]
    assert bytes_of == sorted(bytes_of)
    assert bytes_of[-1] < 2 * 4 * sum(p.numel() for p in method.parameters())


def test_dino_moves_what_its_options_ask_for(planner: Callable[..., Any]) -> None:
    few = planner("model=dino_vit_pico", "model.prototypes=32").method  # sinkhorn, KoLeo
    many = planner("model=dino_vit_pico", "model.prototypes=32", pairs=200_000).method  # a centre, no KoLeo
    one, other = (traffic(method, 2, 8, 1, 4, 2) for method in (few, many))
    assert one.gradients == other.gradients  # the teacher's have none
    assert one.gradients == sum(p.numel() for p in few.student.parameters()) * 4
    assert one.projections == 3 / 2 * (2 * 2 * 8 * 64 * 4)  # both sensors' bottlenecks of two crops
    assert other.projections == 0
    assert one.statistics == 4 * other.statistics == 4 * (2 * 32 * 4)  # three rounds beside a centre


def test_hidden_patches_have_centres_and_balance_of_their_own(planner: Callable[..., Any]) -> None:
    options = ("model=dino_vit_pico", "model.prototypes=32", "model.koleo_weight=0")
    for centring, rounds in (("mean", 0), ("sinkhorn", 3)):
        plain, masked = (
            planner(*options, f"model.centring={centring}", f"model.ibot_weight={weight}").method
            for weight in (0, 1)
        )
        one, other = (traffic(method, 2, 8, steps=2, item=4, crops=2) for method in (plain, masked))
        # Each sensor's patch head: its centre once, its balance in both parts of a step, and int64 counts.
        assert other.statistics - one.statistics == 2 * 4 * (32 + 2 * (rounds * 32 + 2))
        assert one.statistics == 2 * 4 * (32 + 2 * rounds * 32)
