"""Tokens and parameters of small towers."""

from collections.abc import Callable
from typing import Any

from sage_lightning.planning.counts import parameters, tokens


def test_tokens_are_patches_and_prefixes_and_a_cnn_has_none(planner: Callable[..., Any]) -> None:
    planned = planner(
        "model/backbone@model.ir_backbone=resnet18",
        "model/backbone@model.rgb_backbone=vit_tiny",
        "+model.rgb_backbone.options.reg_tokens=4",
        "model.rgb_backbone.pad=true",
        "data.rgb_size=[30,44]",
    )
    towers = planned.towers
    assert tokens(towers.rgb_backbone, (30, 44)) == 4 * 6 + 1 + 4  # padded to 32 × 48, patches of 8
    assert tokens(towers.ir_backbone, (32, 32)) is None


def test_every_parameter_is_counted_once(planner: Callable[..., Any]) -> None:
    for sharing in ("separate", "trunk", "full"):
        three = ("thermal=bins3",) if sharing == "full" else ()
        planned = planner("model=dino_vit_pico", f"model.sharing={sharing}", *three)
        counts = parameters(planned.method, planned.towers)
        trained = counts.pop("trained")
        assert sum(counts.values()) == sum(p.numel() for p in planned.method.parameters())
        assert counts["teacher"] == trained == sum(p.numel() for p in planned.towers.parameters())
        assert (counts["ir_backbone"] == 0) == (sharing == "full")
        assert counts["rgb_backbone"] > 500_000
