"""Cross-modal DINO in float64, in every direction, for test_exact.py."""

from functools import partial
from typing import Any

import torch
from harness import Case, observer

from sage_lightning.batch import MultiCropBatch
from sage_lightning.methods.dino import DINO
from sage_lightning.models.backbone import Backbone
from sage_lightning.models.patches import PatchHeads
from sage_lightning.models.prototypes import PrototypeHead
from sage_lightning.models.towers import TwoTowers, share_prototypes, share_trunk
from sage_lightning.optim.schedule import WarmupCosine

PAIRS, STEPS, EPOCH, PROTOTYPES = 8, 10, 2, 12
VIT = partial(
    Backbone, "vit_tiny_patch16_224", options={"embed_dim": 16, "depth": 1, "num_heads": 2}, any_size=True
)
RESNET = partial(
    Backbone, "resnet18", patch_size=None, options={"layers": (1, 1, 1, 1), "channels": (4, 4, 8, 8)}
)
FEW = {"centring": "sinkhorn", "koleo_weight": 0.5, "teacher_temperature": (0.02, 0.02)}


def towers(sharing: str) -> TwoTowers:
    """ViTs with one trunk, two ViTs, or a ViT and a thermal ResNet with BatchNorm; one set of prototypes.

    Of "grids", two ViTs with heads for patches: 4 × 4 of RGB, 3 × 3 of a thermal crop that is padded.
    """
    torch.manual_seed(0)
    if sharing == "grids":
        backbones = VIT(16, 4, 3), VIT(32, 12, 1, pad=True)
        heads = [PrototypeHead(16, [16, 8], PROTOTYPES) for _ in range(4)]
        share_prototypes(*heads[:2])
        share_prototypes(*heads[2:])
        patches = PatchHeads(heads[2], heads[3], (16, 16), one_token=False)
        return TwoTowers(*backbones, heads[0], heads[1], patches).double()
    rgb = VIT(img_size=16, patch_size=8, in_chans=3)
    head = PrototypeHead(16, [16, 8], PROTOTYPES)
    if sharing == "trunk":
        ir = VIT(img_size=32, patch_size=16, in_chans=1)
        share_trunk(rgb, ir)
        return TwoTowers(rgb, ir, head, head).double()
    ir = RESNET(img_size=32, in_chans=1) if sharing == "norms" else VIT(32, 8, 1)
    other = PrototypeHead(ir.num_features, [16, 8], PROTOTYPES)
    share_prototypes(head, other)
    return TwoTowers(rgb, ir, head, other).double()


def batch(step: int) -> MultiCropBatch:
    """Two large and three small crops a sensor."""
    draw = torch.Generator().manual_seed(step)
    shapes = ((2, 3, 16), (2, 1, 32), (3, 3, 8), (3, 1, 16))
    crops = (
        torch.randn(count, PAIRS, channels, size, size, generator=draw, dtype=torch.float64)
        for count, channels, size in shapes
    )
    return MultiCropBatch(*crops, *[torch.arange(PAIRS)] * 3)


def dino(direction: Any, sharing: str, few: bool, ibot: float = 0.0) -> Case:
    """Where `few`, with all that few pairs need. Prototypes are frozen at first; all schedules move."""
    schedule = WarmupCosine(0, 0.1, steps_per_epoch=EPOCH, total_steps=STEPS, batch_size=256)
    optimizer = partial(torch.optim.SGD, lr=0.1, momentum=0.9, weight_decay=0.01)
    numbers: dict[str, Any] = {"momentum": 0.8, "temperature_epochs": 2, "weight_decay_end": 0.1}
    numbers |= (FEW if few else {}) | {"ibot_weight": ibot}
    method = DINO(towers(sharing), optimizer, schedule, 1, EPOCH, STEPS, direction, **numbers)
    rests = direction == "alternate_sensor"
    return Case(method, [batch(step) for step in range(STEPS)], rests, clip=3.0)


check = observer(
    {
        "both": partial(dino, "both", "norms", True),
        "rgb_teacher": partial(dino, "rgb_teacher", "separate", False),
        "ir_teacher": partial(dino, "ir_teacher", "norms", True),
        "alternate_roles": partial(dino, "alternate_roles", "trunk", False),
        "alternate_sensor": partial(dino, "alternate_sensor", "trunk", True),
        "masked": partial(dino, "both", "grids", True, 1.0),
        "masked_rgb_teacher": partial(dino, "rgb_teacher", "grids", False, 1.0),
    }
)
