"""Blocks that are computed twice give what blocks that are computed once give."""

import pytest
import torch

from sage_lightning.errors import UserError
from sage_lightning.models.architecture import recomputes
from sage_lightning.models.backbone import Backbone

TINY = {"embed_dim": 16, "depth": 3, "num_heads": 2}


def vit(checkpointing, drop_path=0.0, name="vit_tiny_patch16_224", img_size=16, patch=4):
    torch.manual_seed(0)
    options = TINY if name.startswith("vit") else None
    made = Backbone(name, img_size, patch, 3, options, drop_path, grad_checkpointing=checkpointing)
    return made.double().train()


def step(backbone):
    """Output, gradients, and how much was kept for the backward pass, in numbers."""
    kept = 0

    def pack(tensor):
        nonlocal kept
        kept += tensor.numel()
        return tensor

    images = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    torch.manual_seed(2)  # of stochastic depth
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        out = backbone(images)
    out.square().sum().backward()
    return out, {name: p.grad for name, p in backbone.named_parameters()}, kept


@pytest.mark.parametrize("drop_path", [0.0, 0.5])
def test_gradients_are_those_of_one_computation(drop_path):
    once, twice = (step(vit(on, drop_path)) for on in (False, True))
    assert torch.equal(twice[0], once[0])
    assert set(twice[1]) == set(once[1])
    for name, gradient in once[1].items():
        assert torch.equal(twice[1][name], gradient), name
    assert twice[2] < once[2] / 3


def test_dropping_is_seen():
    """Without its random state kept, the second computation would have dropped other paths."""
    dropped, whole = (step(vit(True, drop_path)) for drop_path in (0.5, 0.0))
    assert not torch.equal(dropped[0], whole[0])


@pytest.mark.parametrize(("size", "patch", "on"), [(224, 4, True), (224, 8, False), (16, 4, False)])
def test_many_patches_are_recomputed_by_themselves(size, patch, on):
    with torch.device("meta"):
        made = Backbone("vit_tiny_patch16_224", size, patch, 3, TINY)
    assert made.net.grad_checkpointing is on


def test_a_cnn_is_not_and_says_so():
    assert not recomputes("resnet18")
    assert recomputes("vit_tiny_patch16_224")
    assert not Backbone("resnet18", 32, None, 3).net.grad_checkpointing
    with pytest.raises(UserError, match=r"backbone resnet18: grad_checkpointing=true: .*BatchNorm"):
        Backbone("resnet18", 32, None, 3, grad_checkpointing=True)
