"""Cached gradients under DDP: chunks on any number of ranks take one process's plain step."""

import pytest
import torch


@pytest.mark.parametrize("world", [1, 2, 4])
def test_chunks_on_any_number_of_ranks_take_the_plain_step(worlds, world):
    results = worlds("exact_chunks.py")
    expected = results[1][0]["plain"]
    whole = torch.stack([value.double().norm() for value in expected.values()]).norm()
    assert whole > 0.1
    for rank in results[world]:
        for name, value in expected.items():
            difference = (rank["cached"][name] - value).double().norm()
            assert difference <= 1e-9 * max(value.double().norm(), 1e-3 * whole), name
