"""What DINO can do, and which crops each method takes."""

import pytest

from sage_lightning import config
from sage_lightning.errors import UserError

DINO = "model=dino_vit_pico"
SHARED = (DINO, "model.sharing=full", "thermal=bins3")


def lines(*overrides: str) -> tuple[str, ...]:
    with pytest.raises(UserError) as caught:
        config.check(list(overrides), "train", False)
    return caught.value.lines


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (
            [DINO, "model.direction=up"],
            "model.direction=up: not one of rgb_teacher, ir_teacher, both, alternate_roles, alternate_sensor",
        ),
        ([DINO, "model.sharing=some"], "model.sharing=some: not one of separate, trunk, full"),
        (
            [DINO, "model.intra_weight=0"],
            "model.intra_weight=0: a separate tower that only teaches never learns; "
            "give it a weight, or use model.sharing=trunk",
        ),
        (
            [DINO, "model.direction=alternate_sensor"],
            "model.direction=alternate_sensor trains two unrelated models with model.sharing=separate; "
            "use model.sharing=trunk or full",
        ),
        (
            [DINO, "model.sharing=full"],
            "model.sharing=full: thermal=celsius has one channel, and RGB three; use thermal=bins3, "
            "or data.look=common",
        ),
        (
            [*SHARED, "data.ir_patch=6"],
            "model.sharing=full: data.rgb_patch=8 and data.ir_patch=6 must be the same",
        ),
        (
            [DINO, "model.sharing=trunk", "model.ir_backbone.options.depth=3"],
            "model.sharing=trunk: model.rgb_backbone and model.ir_backbone must be the same",
        ),
        (
            ["model=dino_resnet50", "model.sharing=trunk"],
            "model.sharing=trunk: needs ViTs, each with patches of its own; use model.sharing=full",
        ),
        ([DINO, "augment=paired"], "augment: DINO needs several crops of each pair; use augment=multicrop"),
        (
            ["augment=multicrop"],
            "augment=multicrop: VICReg takes one view of each pair; use augment=paired or none",
        ),
        (
            [DINO, "augment.view.global_crops=1", "augment.view.local_crops=0"],
            "augment.view.global_crops=1 without local crops: same-sensor terms need another crop; use 2, "
            "or augment.view.local_crops",
        ),
    ],
)
def test_a_mistake_gives_its_line(overrides: list[str], line: str) -> None:
    assert lines(*overrides) == (line,)


@pytest.mark.parametrize(
    "overrides",
    [
        [DINO, "model.direction=alternate_sensor", "model.sharing=trunk"],
        [DINO, "model.intra_weight=0", "model.sharing=trunk", "model.direction=rgb_teacher"],
        [*SHARED, "model.direction=alternate_roles"],
        [DINO, "model.sharing=full", "data.look=common"],
        [DINO, "augment=multicrop_style", "data.look=common"],
        ["model=dino_vit_tiny", "data.ir_patch=8"],
    ],
)
def test_what_goes_together_is_taken(overrides: list[str]) -> None:
    config.check(overrides, "train", False)
