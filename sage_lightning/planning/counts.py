"""How many tokens a crop is, and how many parameters each part of a method has."""

from torch import nn

from sage_lightning.models.backbone import Backbone
from sage_lightning.models.projector import Projector, RegionProjector
from sage_lightning.models.prototypes import PrototypeHead
from sage_lightning.models.towers import TwoTowers


def tokens(backbone: Backbone, size: tuple[int, int]) -> int | None:
    """Of an image: patches, and class and register tokens; None for a CNN.

    Args:
        backbone: on any device.
        size: (H, W) in pixels of the image, padding not yet counted.
    """
    if not backbone.is_vit:
        return None
    (height, width), side = size, backbone.net.patch_embed.patch_size
    rows, columns = -(-height // side[0]), -(-width // side[1])
    return int(rows * columns + backbone.net.num_prefix_tokens)


def width(head: nn.Module) -> int:
    """P of a projection."""
    assert isinstance(head, Projector | RegionProjector | PrototypeHead)
    return head.num_features


def parameters(method: nn.Module, towers: TwoTowers) -> dict[str, int]:
    """Part → how many, what two parts share counted once, in the first.

    Args:
        method: has the towers.
        towers: those that are trained.
    """
    seen: set[int] = set()

    def fresh(module: nn.Module) -> int:
        own = [p for p in module.parameters() if id(p) not in seen]
        seen.update(map(id, own))
        return sum(p.numel() for p in own)

    counts = {
        "rgb_backbone": fresh(towers.rgb_backbone),
        "ir_backbone": fresh(towers.ir_backbone),
        "rgb_head": fresh(towers.rgb_projector),
        "ir_head": fresh(towers.ir_projector),
        "teacher": fresh(method),
    }
    return counts | {"trained": sum(p.numel() for p in method.parameters() if p.requires_grad)}
