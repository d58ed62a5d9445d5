"""Gathering in one process changes nothing; many ranks: ../distributed."""

import torch

from sage_lightning.methods.gather import gather_ragged, gather_with_grad


def test_one_process_gets_its_own_rows():
    x = torch.randn(3, 2, requires_grad=True)
    assert gather_with_grad(x) is x
    assert torch.equal(gather_ragged(x), x)
    assert not gather_ragged(x).requires_grad
