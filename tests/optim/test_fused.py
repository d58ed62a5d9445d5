"""The fused kernel takes the steps of the plain loop, and is used where it works unless told otherwise."""

import copy
from functools import partial

import pytest
import torch

from sage_lightning.models.backbone import Backbone
from sage_lightning.optim.fused import fused
from sage_lightning.optim.groups import parameter_groups
from sage_lightning.optim.lars import LARS

ADAMW = partial(torch.optim.AdamW, lr=0.01, betas=(0.9, 0.95), weight_decay=0.05)
RESNET = {"layers": (1, 1, 1, 1), "channels": (4, 4, 8, 8)}


def network():
    torch.manual_seed(0)
    return Backbone("resnet18", 16, None, 3, RESNET).double()


def steps(net, optimizer, count, first=0):
    for step in range(first, first + count):
        draw = torch.Generator().manual_seed(step)
        images = torch.randn(4, 3, 16, 16, generator=draw, dtype=torch.float64)
        net.zero_grad()
        net(images).square().mean().backward()
        optimizer.step()


def test_ten_steps_are_those_of_the_plain_loop():
    """Of a network with kernels, norms and biases: a layout that the kernel misreads would show."""
    nets = network(), network()
    makes = partial(ADAMW, fused=False, foreach=False), fused(ADAMW)
    for net, make in zip(nets, makes, strict=True):
        steps(net, make(parameter_groups(net)), 10)
    for (name, plain), fast in zip(nets[0].named_parameters(), nets[1].parameters(), strict=True):
        torch.testing.assert_close(fast, plain, rtol=1e-9, atol=1e-12, msg=name)


@pytest.mark.parametrize("make", [torch.optim.AdamW, torch.optim.SGD, ADAMW])
def test_what_has_a_kernel_uses_it(make):
    weight = torch.nn.Parameter(torch.ones(2, 2))
    optimizer = fused(make)([{"params": [weight]}, {"params": [], "weight_decay": 0.0}])
    assert [group["fused"] for group in optimizer.param_groups] == [True, True]
    assert not optimizer._step_supports_amp_scaling


@pytest.mark.parametrize("said", [{"fused": False}, {"foreach": True}, {"foreach": False}])
def test_what_was_said_holds(said):
    weight = torch.nn.Parameter(torch.ones(2, 2))
    (group,) = fused(partial(ADAMW, **said))([{"params": [weight]}]).param_groups
    assert {key: group[key] for key in said} == said
    assert not group["fused"]


def test_what_has_no_kernel_is_left_alone():
    weight = torch.nn.Parameter(torch.ones(2, 2))
    assert "fused" not in fused(partial(LARS, lr=0.1))([{"params": [weight]}]).param_groups[0]
    assert not fused(partial(torch.optim.NAdam, lr=0.1))([{"params": [weight]}]).param_groups[0].get("fused")
    elsewhere = torch.nn.Parameter(torch.ones(2, 2, device="meta"))
    assert not fused(ADAMW)([{"params": [weight, elsewhere]}]).param_groups[0]["fused"]


@pytest.mark.parametrize("begun", [ADAMW, fused(ADAMW)])
def test_state_goes_on_as_it_was_begun(begun):
    """To the bit, with the kernel or without it."""
    whole, half = network(), network()
    optimizer = begun(parameter_groups(whole))
    steps(whole, optimizer, 6)
    first = begun(parameter_groups(half))
    steps(half, first, 3)
    resumed = copy.deepcopy(half)
    second = fused(ADAMW)(parameter_groups(resumed))
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    steps(resumed, second, 3, first=3)
    for (name, expected), found in zip(whole.named_parameters(), resumed.parameters(), strict=True):
        assert torch.equal(found, expected), name
