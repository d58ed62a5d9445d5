"""What a validation logs, of a split of eight pairs."""

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import torch

from sage_lightning.callbacks.online import SPACES, OnlineMetrics


class Watched:
    """What the callback asks of a method."""

    device = torch.device("cpu")

    def __init__(self):
        self.logged: dict[str, float] = {}

    def loss_terms(self, z_rgb, z_ir):
        return {"loss": (z_rgb - z_ir).square().mean()}

    def log_dict(self, dictionary, *, rank_zero_only):
        self.logged |= dictionary


def logged(positions: list[int | None]) -> dict[str, float]:
    draw = torch.Generator().manual_seed(0)
    spaces = {name: torch.randn(8, 4, generator=draw) for name in SPACES}
    callback, method = OnlineMetrics(), Watched()
    index = pd.DataFrame({"node": "W000", "position": pd.array(positions, "Int64")})
    trainer: Any = SimpleNamespace(datamodule=SimpleNamespace(split_index=lambda split: index))
    for rows in (slice(4, 8), slice(0, 4)):  # whatever the order of ranks
        part = {name: space[rows] for name, space in spaces.items()} | {"row": torch.arange(8)[rows]}
        callback.on_validation_batch_end(trainer, Any, part, None, 0)
    callback.on_validation_epoch_end(trainer, method)
    expected = (spaces["rgb_projection"] - spaces["ir_projection"]).square().mean()
    assert method.logged["val/loss"] == pytest.approx(float(expected))
    return method.logged


def test_within_a_position_fewer_are_searched():
    found = logged([1, 2] * 4)
    names = [f"val/retrieval{scope}_rgb_to_ir_r1" for scope in ("", "_within_position")]
    assert found[names[1]] >= found[names[0]]
    assert {name.partition("/")[0] for name in found} == {"val", "health"}


def test_without_positions_there_is_no_retrieval_within_one():
    found = logged([None] * 8)
    assert "val/retrieval_rgb_to_ir_r1" in found
    assert not [name for name in found if "within_position" in name]


def test_pairs_of_unknown_position_are_not_searched_within_one():
    """Of whatever node: only the four of one position are, and as if they were the whole split."""
    name = "val/retrieval_within_position_rgb_to_ir_r1"
    others = logged([1] * 4 + [2, 3, 4, 5])  # alone in theirs, and so left out
    assert logged([1] * 4 + [None] * 4)[name] == others[name]
    assert logged([1] * 8)[name] != others[name]
