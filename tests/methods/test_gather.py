"""Gathering in one process changes nothing; many ranks: ../distributed."""

import pytest
import torch

from sage_lightning.methods.gather import gather_ragged, gather_with_grad


def test_one_process_gets_its_own_rows():
    x = torch.randn(3, 2, requires_grad=True)
    assert gather_with_grad(x) is x
    assert gather_with_grad(x, [3]) is x
    assert torch.equal(gather_ragged(x), x)
    assert not gather_ragged(x).requires_grad


@pytest.mark.parametrize("counts", [[2], [3, 3], []])
def test_counts_of_other_rows_are_refused(counts):
    with pytest.raises(ValueError, match="not those of 1 ranks with 3 rows here"):
        gather_with_grad(torch.ones(3, 2), counts)
