"""What a layer leaves out is what changes nothing: gradients are the witness."""

import pytest
import torch
from timm.layers import Conv2dSame
from torch import nn

from sage_lightning.models.backbone import Backbone
from sage_lightning.models.coverage import left_out

LAYERS = {
    "patch": lambda: nn.Conv2d(1, 2, 4, 4),
    "overlap": lambda: nn.Conv2d(1, 2, 7, 2, 3),
    "uneven": lambda: nn.Conv2d(1, 2, (3, 5), (3, 4), (1, 0)),
    "valid": lambda: nn.Conv2d(1, 2, 3, 2),
    "pool": lambda: nn.AvgPool2d(2),
    "ceil": lambda: nn.AvgPool2d(2, ceil_mode=True),
    "same": lambda: Conv2dSame(1, 2, 3, 2),
}


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("size", [(16, 24), (17, 23), (18, 21), (19, 26)])
def test_what_is_left_out_has_no_gradient(layer, size):
    net = nn.Sequential(LAYERS[layer]())
    image = torch.randn(1, 1, *size, dtype=torch.float32, requires_grad=True)
    rows, columns = left_out(net, net, image)
    net(image).square().sum().backward()
    seen = image.grad[0, 0] != 0
    assert (size[0] - 1 - seen.any(1).nonzero().max(), size[1] - 1 - seen.any(0).nonzero().max()) == (
        rows,
        columns,
    )


def test_of_a_deep_layer_it_is_said_in_pixels():
    net = nn.Sequential(nn.Conv2d(1, 2, 4, 4), nn.Conv2d(2, 2, 2, 2))
    assert left_out(net, net, torch.zeros(1, 1, 20, 24)) == (4, 0)


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_the_cnns_that_conf_offers_leave_nothing_out(name):
    with torch.device("meta"):
        backbone = Backbone(name, 32, None, 1)
        assert {backbone.left_out(side, side) for side in range(32, 66)} == {(0, 0)}
