"""Compiled blocks compute what plain ones do, and nothing else about a backbone changes."""

import copy
import shutil

import pytest
import torch

from sage_lightning.models.backbone import Backbone
from sage_lightning.models.compiled import blocks, compile_blocks

TINY = {"embed_dim": 16, "depth": 2, "num_heads": 2}


def vit(**more):
    torch.manual_seed(0)
    return Backbone("vit_tiny_patch16_224", 16, 8, 3, TINY, any_size=True, **more).train()


@pytest.mark.parametrize(
    ("name", "patch", "count"),
    [
        ("vit_tiny_patch16_224", 8, 12),
        ("eva02_tiny_patch14_224", 8, 12),
        ("resnet18", None, 4),
        ("convnext_atto", None, 4),
        ("vgg11", None, 1),
    ],
)
def test_blocks_are_found(name, patch, count):
    with torch.device("meta"):
        net = Backbone(name, 64, patch, 3).net
    found = blocks(net)
    assert len(found) == count
    weights = sum(weight.numel() for block in found for weight in block.parameters())
    assert weights > 0.9 * sum(weight.numel() for weight in net.parameters())


def test_names_of_weights_stay_and_copies_are_plain():
    plain, compiled = vit(), vit()
    compile_blocks(torch.nn.ModuleList([compiled]))
    assert list(compiled.state_dict()) == list(plain.state_dict())
    assert all(block._compiled_call_impl is not None for block in compiled.net.blocks)
    assert all(block._compiled_call_impl is None for block in copy.deepcopy(compiled).net.blocks)
    compiled.load_state_dict(plain.state_dict())


# torch looks for gradients of what has none, and hides its own warning, but not from a filter for errors.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning")
@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")
@pytest.mark.slow
@pytest.mark.parametrize("checkpointing", [False, True])
def test_outputs_and_gradients_are_those_of_plain_blocks(checkpointing):
    plain = vit(grad_checkpointing=checkpointing)
    compiled = copy.deepcopy(plain)
    compile_blocks(compiled)
    for size in (16, 8):  # large and small crops
        images = torch.randn(4, 3, size, size)
        outputs = []
        for net in (plain, compiled):
            net.zero_grad()
            outputs.append(net(images))
            outputs[-1].square().mean().backward()
        torch.testing.assert_close(*outputs, rtol=1e-4, atol=1e-5)
        whole = torch.cat([weight.grad.flatten() for weight in plain.parameters()]).norm()
        for one, other in zip(plain.parameters(), compiled.parameters(), strict=True):
            assert (one.grad - other.grad).norm() <= 1e-4 * max(one.grad.norm(), 1e-3 * whole)
