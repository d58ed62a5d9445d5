"""The expander has the authors' layers."""

import pytest
import torch
from torch import nn

from sage_lightning.models.projector import Projector


def test_layers_are_the_authors():
    layers = list(Projector(8, [16, 12, 4]).layers)
    assert [type(m).__name__ for m in layers] == [
        *("Linear", "GlobalBatchNorm1d", "ReLU"),
        *("Linear", "GlobalBatchNorm1d", "ReLU"),
        "Linear",
    ]
    assert [m.bias is not None for m in layers if isinstance(m, nn.Linear)] == [True, True, False]


def test_shape():
    projector = Projector(8, [16, 4])
    assert projector(torch.randn(5, 8)).shape == (5, projector.num_features) == (5, 4)


def test_one_width_is_a_linear_map():
    x, y = torch.randn(2, 3, 8)
    projector = Projector(8, [4])
    torch.testing.assert_close(projector(x + y), projector(x) + projector(y))


def test_no_width_is_refused():
    with pytest.raises(ValueError, match="at least one width"):
        Projector(8, [])
