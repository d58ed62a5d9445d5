"""Each sensor goes through its own tower only."""

import pytest
import torch

from sage_lightning.models.backbone import Backbone
from sage_lightning.models.projector import Projector
from sage_lightning.models.towers import TwoTowers

TINY = {"embed_dim": 16, "depth": 1, "num_heads": 2}


@pytest.fixture
def towers():
    torch.manual_seed(0)
    rgb = Backbone("vit_tiny_patch16_224", 32, 16, 3, TINY)
    ir = Backbone("vit_tiny_patch16_224", (8, 16), 4, 1, TINY | {"embed_dim": 8})
    return TwoTowers(rgb, ir, Projector(16, [12, 6]), Projector(8, [6]))


def test_forward_is_embedding_then_projection(towers):
    towers.eval()
    rgb, ir = torch.randn(4, 3, 32, 32), torch.randn(4, 1, 8, 16)
    z_rgb, z_ir = towers(rgb, ir)
    assert z_rgb.shape == z_ir.shape == (4, 6)
    assert torch.equal(z_rgb, towers.project_rgb(towers.embed_rgb(rgb)))
    assert torch.equal(z_ir, towers.project_ir(towers.embed_ir(ir)))
    assert towers.embed_rgb(rgb).shape == (4, 16)
    assert towers.embed_ir(ir).shape == (4, 8)


@pytest.mark.parametrize("sensor", [0, 1])
def test_a_sensors_loss_reaches_its_tower_and_no_other(towers, sensor):
    towers(torch.randn(4, 3, 32, 32), torch.randn(4, 1, 8, 16))[sensor].square().sum().backward()
    own, other = (("rgb", "ir"), ("ir", "rgb"))[sensor]
    for name, parameter in towers.named_parameters():
        if name.startswith(own):
            assert parameter.grad is not None, name
        else:
            assert name.startswith(other)
            assert parameter.grad is None, name


def test_towers_share_no_storage(towers):
    pointers = [parameter.data_ptr() for parameter in towers.parameters()]
    assert len(set(pointers)) == len(pointers)
