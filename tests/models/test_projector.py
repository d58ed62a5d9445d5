"""The expander has the authors' layers."""

import pytest
import torch
from torch import nn

from sage_lightning.models.projector import Projector, RegionProjector


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


def test_every_region_goes_through_one_projector():
    projector = RegionProjector(12, 3, [16, 4]).eval()
    embedding = torch.randn(5, 12)
    found = projector(embedding)
    assert found.shape == (5, projector.num_features) == (5, 12)
    each = [projector.projector(embedding[:, 4 * r : 4 * r + 4]) for r in range(3)]
    torch.testing.assert_close(found, torch.cat(each, 1))


def test_batch_statistics_are_of_all_regions():
    projector = RegionProjector(12, 3, [16, 4])
    embedding = torch.randn(5, 12)
    torch.testing.assert_close(
        projector(embedding).reshape(15, 4), projector.projector(embedding.reshape(15, 4))
    )
