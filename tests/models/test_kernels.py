"""Training goes through the fast kernels: fused attention, and channels last for CNNs."""

import copy
import io

import pytest
import timm
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from sage_lightning.models.backbone import Backbone

TINY = {"embed_dim": 16, "depth": 2, "num_heads": 2}
RESNET = {"layers": (1, 1, 1, 1), "channels": (4, 4, 8, 8)}
LAST = {"memory_format": torch.channels_last}


class Called(TorchDispatchMode):
    """Counts what is called, by name."""

    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.append(func.name())
        return func(*args, **(kwargs or {}))

    def count(self, part):
        return sum(part in name for name in self.names)


@pytest.mark.parametrize(
    "name",
    [
        "vit_tiny_patch16_224",
        "deit_tiny_distilled_patch16_224",
        "vit_small_patch16_dinov3",
        "eva02_tiny_patch14_224",
    ],
)
@pytest.mark.parametrize("half", [False, True])
def test_each_block_attends_by_the_fused_kernel(name, half):
    backbone = Backbone(name, 16, 4, 3, TINY).train()
    with Called() as called, torch.autocast("cpu", torch.bfloat16, enabled=half):
        backbone(torch.randn(2, 3, 16, 16)).float().sum().backward()
    assert called.count("scaled_dot_product") == 2 * 2  # two blocks, forward and backward
    assert called.count("softmax") == 0


def test_the_plain_form_would_be_found():
    backbone = Backbone("vit_tiny_patch16_224", 16, 4, 3, TINY).train()
    for block in backbone.net.blocks:
        block.attn.fused_attn = False
    with Called() as called:
        backbone(torch.randn(2, 3, 16, 16))
    assert called.count("scaled_dot_product") == 0
    assert called.count("softmax") == 2


def resnet():
    torch.manual_seed(0)
    return Backbone("resnet18", 32, None, 3, RESNET)


def test_a_cnn_keeps_channels_last_from_end_to_end():
    backbone, seen = resnet().train(), []
    kernels = [weight for weight in backbone.parameters() if weight.ndim == 4]
    assert len(kernels) > 8
    assert all(kernel.is_contiguous(**LAST) for kernel in kernels)
    for part in backbone.modules():
        part.register_forward_hook(lambda part, arguments, output: seen.append(output))
    backbone(torch.randn(2, 3, 32, 32)).sum().backward()
    maps = [output for output in seen if output.ndim == 4 and min(output.shape[2:]) > 1]
    assert len(maps) > 20
    assert all(output.is_contiguous(**LAST) for output in maps)
    assert all(kernel.grad.is_contiguous(**LAST) for kernel in kernels)


def test_copies_and_files_keep_them():
    backbone, file = resnet(), io.BytesIO()
    torch.save(backbone.state_dict(), file)
    file.seek(0)
    loaded = torch.load(file, weights_only=True)
    other = resnet()
    other.load_state_dict({name: value.contiguous() for name, value in loaded.items()})
    for state in (loaded, copy.deepcopy(backbone).state_dict(), other.state_dict()):
        assert all(value.is_contiguous(**LAST) for value in state.values() if value.ndim == 4)


def test_embeddings_are_timms():
    backbone = resnet().double().eval()
    plain = timm.create_model("resnet18", num_classes=0, **RESNET).double().eval()
    plain.load_state_dict(backbone.net.state_dict())
    images = torch.randn(2, 3, 32, 32, dtype=torch.float64)
    torch.testing.assert_close(backbone(images), plain(images), rtol=1e-12, atol=1e-12)
