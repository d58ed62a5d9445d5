"""In one process the global BatchNorm is torch's; conversion changes the class alone."""

import copy

import pytest
import timm
import torch
from timm.layers.norm_act import BatchNormAct2d
from torch import nn

from sage_lightning.models.batchnorm import GlobalBatchNorm1d, convert_batchnorm


@pytest.mark.parametrize("momentum", [0.1, None])
@pytest.mark.parametrize("training", [True, False])
def test_one_process_equals_torch(momentum, training):
    ours = GlobalBatchNorm1d(5, momentum=momentum).train(training)
    torchs = nn.BatchNorm1d(5, momentum=momentum).train(training)
    for seed in range(3):
        x = torch.randn(7, 5, generator=torch.Generator().manual_seed(seed))
        assert torch.equal(ours(x), torchs(x))
    for name, value in torchs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], value)


@pytest.mark.parametrize(
    "name", ["resnet18", "efficientnet_lite0"]
)  # the second has activations in its norms
def test_conversion_keeps_outputs_parameters_and_names(name):
    torch.manual_seed(0)
    before = timm.create_model(name, num_classes=0)
    after = convert_batchnorm(copy.deepcopy(before))
    assert list(after.state_dict()) == list(before.state_dict())
    converted = [m for m in after.modules() if isinstance(m, nn.BatchNorm2d)]
    assert converted
    assert all(type(m).__name__.startswith("Global") for m in converted)
    x = torch.randn(4, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(after.train()(x), before.train()(x))
        assert torch.equal(after.eval()(x), before.eval()(x))


def test_conversion_keeps_the_parameters_themselves_and_the_mode():
    norm = nn.BatchNorm2d(3).eval()
    module = convert_batchnorm(nn.Sequential(norm))
    assert module[0].weight is norm.weight
    assert module[0].running_mean is norm.running_mean
    assert not module[0].training


def test_converting_twice_changes_nothing():
    module = convert_batchnorm(nn.Sequential(nn.BatchNorm1d(3), BatchNormAct2d(3)))
    first = list(module)
    assert list(convert_batchnorm(module)) == first


def test_a_norm_without_counterpart_is_refused():
    with pytest.raises(TypeError, match="BatchNorm3d"):
        convert_batchnorm(nn.Sequential(nn.BatchNorm3d(3)))


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match="2D or 3D"):
        GlobalBatchNorm1d(3)(torch.ones(2, 3, 4, 4))
