"""Cross-modal DINO with towers so small that a run of six steps takes no time."""

from collections.abc import Callable
from functools import partial

import pytest
import torch

from sage_lightning.batch import MultiCropBatch
from sage_lightning.methods.dino import DINO
from sage_lightning.models.backbone import Backbone
from sage_lightning.models.patches import PatchHeads
from sage_lightning.models.prototypes import PrototypeHead
from sage_lightning.models.towers import TwoTowers, share_prototypes, share_trunk
from sage_lightning.optim.schedule import WarmupCosine

TINY = {"embed_dim": 16, "depth": 2, "num_heads": 2}
RESNET = {"layers": (1, 1, 1, 1), "channels": (4, 4, 8, 16)}
EPOCH, EPOCHS = 3, 2


def towers(sharing, drop_path, patches=False):
    """A 2 × 2 grid of patches each; of sharing "grids", 4 × 4 of RGB and 6 × 6 of the thermal sensor."""
    torch.manual_seed(0)
    make = partial(Backbone, "vit_tiny_patch16_224", options=TINY, drop_path=drop_path, any_size=True)
    new_head = partial(PrototypeHead, 16, [16, 8], 12)
    grids = sharing == "grids"
    rgb, head = make(img_size=16, patch_size=4 if grids else 8, in_chans=3), new_head()
    heads = [new_head() for _ in range(2)] if patches else []
    if sharing == "full":
        return TwoTowers(rgb, rgb, head, head, patch_heads(heads[:1] * 2, one_token=True))
    ir = make(img_size=24 if grids else 8, patch_size=4, in_chans=1)
    if sharing == "trunk":
        share_trunk(rgb, ir)
        return TwoTowers(rgb, ir, head, head, patch_heads(heads[:1] * 2))
    if sharing == "resnet":  # separate, with batch statistics
        ir = Backbone("resnet18", 8, None, 1, options=RESNET)
    other = new_head()
    share_prototypes(head, other)
    return TwoTowers(rgb, ir, head, other, patch_heads(heads))


def patch_heads(heads, one_token=False):
    if not heads:
        return None
    share_prototypes(*heads)
    return PatchHeads(*heads, (16, 16), one_token)


def crops_of(step, channels=1, size=8):
    """Two large and three small crops a sensor of four pairs, the same for the same step."""
    draw = torch.Generator().manual_seed(step)

    def made(*shape):
        return torch.randn(*shape, generator=draw)

    number = torch.arange(4)
    crops = (made(2, 4, 3, 16, 16), made(2, 4, channels, size, size))
    local = (made(3, 4, 3, 8, 8), made(3, 4, channels, size // 2, size // 2))
    return MultiCropBatch(*crops, *local, number, number * 0, number)


@pytest.fixture
def method() -> Callable[..., DINO]:
    """method(direction, sharing, drop_path, epochs, **options of DINO): the same weights at every call."""

    def make(direction="both", sharing="separate", drop_path=0.0, epochs=EPOCHS, **options):
        steps = EPOCH * epochs
        schedule = WarmupCosine(0, 0.1, steps_per_epoch=EPOCH, total_steps=steps, batch_size=256)
        optimizer = partial(torch.optim.AdamW, lr=0.01, weight_decay=0.1)
        settings = {"momentum": 0.9, "freeze_epochs": 0, "temperature_epochs": 1} | options
        model = towers(sharing, drop_path, patches=settings.get("ibot_weight", 0) > 0)
        return DINO(model, optimizer, schedule, 1, EPOCH, steps, direction, **settings)

    return make


@pytest.fixture
def batch() -> Callable[..., MultiCropBatch]:
    """batch(step): the pairs of one step."""
    return crops_of


@pytest.fixture(params=["rgb_teacher", "ir_teacher", "both", "alternate_roles"])
def direction(request: pytest.FixtureRequest) -> str:
    """Each direction that towers of their own can take."""
    return request.param


@pytest.fixture
def fit(fit):
    """fit(model): two epochs of three steps, over `batch` or what `make` gives for each step."""

    def run(model, epochs=EPOCHS, make=crops_of, **options):
        return fit(model, [make(step) for step in range(EPOCH)], epochs, **options)

    return run
