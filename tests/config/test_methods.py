"""What DINO can do, and which crops each method takes."""

import pytest

from sage_lightning import config
from sage_lightning.errors import UserError

DINO = "model=dino_vit_pico"
SENSOR = (DINO, "model.sharing=trunk", "model.direction=alternate_sensor")
ACCUMULATED = "trainer.accumulate_grad_batches=2"
ONE_REGION = ("model.rgb_backbone.regions=1", "model.ir_backbone.regions=1")
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
        (
            [DINO, "model.freeze_epochs=.inf"],
            "model.freeze_epochs=.inf: not a number; write model.freeze_epochs=inf",
        ),
        (
            ["thermal=bins3", "thermal.thresholds=[5,5]"],
            "thermal.thresholds=[5,5]: must rise, each number above the one before",
        ),
        ([DINO, "model.sharing=some"], "model.sharing=some: not one of separate, trunk, full"),
        (
            [DINO, "model.intra_weight=0", "model.direction=ir_teacher"],
            "model.intra_weight=0: a separate tower that only teaches never learns; "
            "give it a weight, or use model.sharing=trunk or full",
        ),
        (
            [DINO, "model.intra_weight=0"],  # both directions: both towers would learn
            "model.intra_weight=0: is for towers that share; "
            "give it a weight, or use model.sharing=trunk or full",
        ),
        (
            [DINO, "augment=multicrop", "data.ir_local_size=[32,56]"],
            "data.ir_local_size=[32,56]: no larger than data.ir_size=48",
        ),
        (
            [DINO, "augment=multicrop", "data.rgb_patch=96"],
            "data.rgb_patch=96 does not divide data.rgb_size=48: use 48 or another divisor, "
            "or data.rgb_size=96",
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
            [*SHARED, "data.ir_size=[48,56]"],
            "model.sharing=full: data.rgb_size=48 and data.ir_size=[48,56] must be the same",
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
        (
            [*SENSOR, "augment.view.global_crops=1", "augment.view.local_crops=0"],
            "augment.view.global_crops=1 without local crops: model.direction=alternate_sensor has nothing "
            "to learn from; use 2, or augment.view.local_crops",
        ),
        (
            [DINO, ACCUMULATED, "model.centring=sinkhorn"],
            "trainer.accumulate_grad_batches=2: model.centring=sinkhorn acts on the whole batch at once; "
            "set model.centring=mean model.koleo_weight=0, or leave accumulation at 1",
        ),
        (
            [DINO, ACCUMULATED, "model.koleo_weight=0.5", "model.centring=sinkhorn"],
            "trainer.accumulate_grad_batches=2: model.centring=sinkhorn and model.koleo_weight=0.5 act on "
            "the whole batch at once; set model.centring=mean model.koleo_weight=0, "
            "or leave accumulation at 1",
        ),
        (
            [DINO, ACCUMULATED, "model.ibot_weight=1", "model.centring=mean"],
            "trainer.accumulate_grad_batches=2: model.ibot_weight=1 acts on the whole batch at once; "
            "set model.centring=mean model.koleo_weight=0 model.ibot_weight=0, or leave accumulation at 1",
        ),
        (
            [DINO, "model.ibot_weight=1", "model/backbone@model.ir_backbone=resnet18"],
            "model.ibot_weight=1: model.ir_backbone.name=resnet18 has no patches to mask; "
            "use ViTs, or model.ibot_weight=0",
        ),
        ([DINO, "model.ibot_weight=-1"], "model.ibot_weight=-1: must be at least 0"),
        (["model.sharing=some"], "model.sharing=some: not one of separate, trunk, full"),
        (
            ["model.sharing=full"],
            "model.sharing=full: thermal=celsius has one channel, and RGB three; use thermal=bins3, "
            "or data.look=common",
        ),
        (
            ["model.local=true", "model.ir_backbone.regions=3"],
            "model.local=true: model.rgb_backbone.regions=2 and model.ir_backbone.regions=3 "
            "must be the same number, above 1",
        ),
        (
            ["model.local=true", *ONE_REGION],
            "model.local=true: model.rgb_backbone.regions=1 and model.ir_backbone.regions=1 "
            "must be the same number, above 1",
        ),
        (
            [DINO, "model.ibot_mask=[0.5,0.1]"],
            "model.ibot_mask=[0.5,0.1]: must go from the smaller to the larger",
        ),
        ([DINO, "model.ibot_mask=[0,1.5]"], "model.ibot_mask=[0,1.5]: must be above 0 and at most 1"),
        ([DINO, "model.ibot_mask=0.3"], "model.ibot_mask=0.3: not a list of 2 numbers"),
        ([DINO, "model.ibot_mask=[0.3]"], "model.ibot_mask=[0.3]: not a list of 2 numbers"),
        ([DINO, "model.ibot_probability=0"], "model.ibot_probability=0: must be above 0 and at most 1"),
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
        [*SHARED, "data.ir_size=[48,48]"],
        ["model=dino_resnet50", *SHARED[1:], "data.ir_patch=null", "data.ir_size=64"],
        [DINO, "model.sharing=trunk", "model.intra_weight=0", "augment.view.global_crops=1"],
        [DINO, ACCUMULATED, "model.centring=mean", "model.koleo_weight=0"],
        [DINO, ACCUMULATED],  # what is null is known once pairs are counted
        [*SENSOR, "model.intra_weight=0"],  # it has no say there
        [DINO, "model.sharing=full", "data.look=common"],
        [DINO, "augment=multicrop_style", "data.look=common"],
        ["model=dino_vit_tiny", "data.ir_patch=8"],
        ["model.local=true", "data.ir_patch=12"],  # patches may differ, regions not
        ["model.local=true", "model.sharing=full", "data.look=common"],
        ["model.sharing=trunk", "data.ir_patch=12"],
        ["model=dino_vit_tiny", "data.ir_patch=12", "model.ibot_weight=1", "model.ibot_mask=[0.3,1]"],
    ],
)
def test_what_goes_together_is_taken(overrides: list[str]) -> None:
    config.check(overrides, "train", False)
