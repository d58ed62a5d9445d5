"""Backbones compiled by torch, block by block: a block is compiled once for all that are like it."""

import torch
from torch import nn

from sage_lightning.models.backbone import Backbone

# How timm's architectures call what they repeat: ViTs; ConvNeXt and others; Swin and others.
LISTS = ("blocks", "stages", "layers")
STAGES = ("layer1", "layer2", "layer3", "layer4")  # of ResNets
# Forms of one block: stages that differ, rates of stochastic depth, crops of two sizes, with a gradient and
# without. Beyond torch's own limit of 8, the rest would not be compiled.
FORMS = 128


def compile_blocks(module: nn.Module) -> None:
    """Compiles the blocks of all backbones in a module, in place: names of weights stay as they are.

    Nothing is compiled before the first batch; copies of the module are not compiled.

    Args:
        module: may hold backbones at any depth.
    """
    torch._dynamo.config.recompile_limit = FORMS
    for backbone in module.modules():
        if isinstance(backbone, Backbone):
            for block in blocks(backbone.net):
                block.compile()


def blocks(net: nn.Module) -> list[nn.Module]:
    """A ViT's blocks, a CNN's stages, the network as a whole where neither is known.

    Args:
        net: one of timm's.
    """
    for name in LISTS:
        part = getattr(net, name, None)
        if isinstance(part, nn.Sequential | nn.ModuleList) and len(part):
            return list(part)
    return [stage for name in STAGES if (stage := getattr(net, name, None)) is not None] or [net]
