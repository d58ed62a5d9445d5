"""What a report says of the run that it is of."""

import pytest

from sage_lightning.build.evaluation import tower
from sage_lightning.models.backbone import Backbone

MEAN = {"class_token": False, "global_pool": "avg"}
PICO = {"embed_dim": 48, "depth": 2, "num_heads": 4, **MEAN}
VIT = "vit_tiny_patch16_224"


@pytest.mark.parametrize(
    ("backbone", "said"),
    [
        ((VIT, 32, 8, 3, PICO), "ViT, 48 wide, 2 deep, patch 8 px"),
        ((VIT, 32, 8, 3, MEAN), "vit_tiny, 192 wide, 12 deep, patch 8 px"),
        (("resnet18", 32, 8, 1), "resnet18"),
    ],
)
def test_a_tower_is_called_what_it_is(backbone, said):
    """Not by the name whose options have changed it, nor with a patch that it has not."""
    assert tower(Backbone(*backbone)) == said
