"""What a run leaves open is filled in from its pairs, and must go with the rest of its config."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir

from sage_lightning.build.learning import method
from sage_lightning.config import config_dir
from sage_lightning.errors import UserError

ACCUMULATED = "trainer.accumulate_grad_batches=2"


def built(*overrides: str, pairs: int = 1000) -> Any:
    """The method for so many training pairs; of the data it asks only numbers."""
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        cfg = compose("train", list(overrides))
    data: Any = SimpleNamespace(
        steps_per_epoch=10,
        batch_size=16,
        dropped_per_epoch=0,
        split_index=lambda split: range(pairs),
        transform=SimpleNamespace(ir_channels=1),
    )
    return method(cfg, data)


def test_accumulation_is_refused_where_few_pairs_ask_for_the_whole_batch() -> None:
    with pytest.raises(UserError) as caught:
        built("model=dino_vit_pico", ACCUMULATED)
    assert caught.value.lines == (
        "trainer.accumulate_grad_batches=2: model.centring=sinkhorn and model.koleo_weight=0.5 act on the "
        "whole batch at once; set model.centring=mean model.koleo_weight=0, or leave accumulation at 1",
    )


@pytest.mark.parametrize(
    ("overrides", "pairs"),
    [(("model.centring=mean", "model.koleo_weight=0"), 1000), (("model.prototypes=64",), 30_000)],
)
def test_accumulation_is_taken_where_it_adds_up(overrides: tuple[str, ...], pairs: int) -> None:
    assert not built("model=dino_vit_pico", ACCUMULATED, *overrides, pairs=pairs).centres.balanced


def test_batch_statistics_do_not_add_up_either() -> None:
    line = r"trainer\.accumulate_grad_batches=2: model\.ir_backbone has BatchNorm, which needs the"
    adds_up = ("model.centring=mean", "model.koleo_weight=0", "model.prototypes=64")
    resnet = "model/backbone@model.ir_backbone=resnet18"
    with pytest.raises(UserError, match=line):
        built("model=dino_vit_pico", resnet, ACCUMULATED, *adds_up)


def test_towers_share_what_they_are_told_to_and_nothing_else() -> None:
    """Not two names of one module: no storage in common but DINO's prototypes, by choice."""
    for model, part, common in (("vicreg", "towers", set()), ("dino", "student", {"prototypes"})):
        made = getattr(built(f"model={model}_vit_pico"), part)
        owners: dict[int, list[str]] = {}
        for name, parameter in made.named_parameters(remove_duplicate=False):
            owners.setdefault(parameter.data_ptr(), []).append(name)
        shared = [names for names in owners.values() if len(names) > 1]
        assert {name.rsplit(".", 1)[1] for names in shared for name in names} == common
        assert {name.split("_")[0] for names in owners.values() for name in names} == {"rgb", "ir"}


@pytest.mark.parametrize(
    ("overrides", "heads", "tokens", "prototypes"),
    [
        ((), 2, 2, 1),
        (("model.sharing=trunk", "data.ir_patch=12"), 1, 2, 1),
        (("model.sharing=full", "thermal=bins3"), 1, 1, 1),
    ],
)
def test_heads_for_patches_are_there_where_patches_are_masked(
    overrides: tuple[str, ...], heads: int, tokens: int, prototypes: int
) -> None:
    """Sensors share them as they share the rest; their prototypes always, and with no head of images."""
    dino = ("model=dino_vit_pico", *overrides)
    assert built(*dino).student.patches is None
    made = built(*dino, "model.ibot_weight=1")
    patches = made.student.patches
    assert len({id(patches.head(sensor)) for sensor in ("rgb", "ir")}) == heads
    assert len({id(patches.token(sensor)) for sensor in ("rgb", "ir")}) == tokens
    assert len({id(patches.head(sensor).prototypes) for sensor in ("rgb", "ir")}) == prototypes
    assert patches.rgb_head.prototypes is not made.student.rgb_projector.prototypes
    assert patches.rgb_head.prototypes.shape == (1024, 128)
    assert patches.rgb_head.layers[0].in_features == len(patches.rgb_token) == 128  # of an embedding: 512


def test_masking_patches_changes_no_other_weight() -> None:
    """The same seed, with and without: heads for patches are drawn last."""
    without = built("model=dino_vit_pico").state_dict()
    masked = built("model=dino_vit_pico", "model.ibot_weight=1").state_dict()
    assert {name for name in masked if name not in without} == {
        name for name in masked if ".patches." in name
    }
    assert all(torch.equal(masked[name], weight) for name, weight in without.items())


def test_chunks_of_a_batch_have_no_statistics_of_it() -> None:
    resnets = [f"model/backbone@model.{sensor}_backbone=resnet18" for sensor in ("rgb", "ir")]
    with pytest.raises(UserError) as caught:
        built(*resnets, "model.grad_cache=true")
    assert caught.value.lines == tuple(
        f"model.grad_cache=true: model.{sensor}_backbone has BatchNorm, which needs the whole batch at once; "
        "leave it at false, or use a ViT"
        for sensor in ("rgb", "ir")
    )
    made = built("model.grad_cache=true", "model.grad_cache_pairs=5")
    assert (made.grad_cache, made.grad_cache_pairs) == (True, 5)
    assert built(*resnets).grad_cache is False


SWIN = (
    "model/backbone@model.rgb_backbone=resnet18",
    "model.rgb_backbone.name=swin_tiny_patch4_window7_224",
    "+model.rgb_backbone.options.embed_dim=12",
    "data.rgb_size=64",
)
RESNET = tuple(f"model/backbone@model.{sensor}_backbone=resnet18" for sensor in ("rgb", "ir"))


def test_a_backbone_that_takes_one_size_has_no_local_crops() -> None:
    with pytest.raises(UserError) as caught:
        built("model=dino_vit_pico", *SWIN, "augment=multicrop")
    assert caught.value.lines == (
        "model.rgb_backbone.name=swin_tiny_patch4_window7_224: takes images of one size, and local crops are "
        "27 × 27 px; set augment.view.local_crops=0, or use another model/backbone@model.rgb_backbone "
        "(ViTs and ResNets take any)",
    )
    assert built("model=dino_vit_pico", *SWIN, "augment=multicrop", "augment.view.local_crops=0") is not None


def test_a_shared_tower_of_one_size_has_sensors_of_one_size() -> None:
    shared = ("model.sharing=full", "thermal=bins3", "augment=multicrop_large")
    with pytest.raises(UserError, match=r"one size, not data\.rgb_size=64 and data\.ir_size=48"):
        built("model=dino_vit_pico", *SWIN, *shared)
    assert built("model=dino_resnet50", *RESNET, *shared, "data.ir_size=64") is not None


def test_two_architectures_of_two_shapes_make_one_model() -> None:
    both = ("model/backbone@model.rgb_backbone=resnet50", "model/backbone@model.ir_backbone=vit_pico")
    sizes = ("data.rgb_size=[48,64]", "data.ir_size=[42,56]", "data.ir_patch=8", "model.ir_backbone.pad=true")
    made = built(*both, *sizes, "+model.ir_backbone.options.reg_tokens=2").towers.eval()
    z_rgb, z_ir = made(torch.randn(2, 3, 48, 64), torch.randn(2, 1, 42, 56))
    assert z_rgb.shape == z_ir.shape == (2, 512)
    assert (made.rgb_backbone.grid, made.ir_backbone.grid) == (None, (6, 7))
    assert made.rgb_backbone.num_features == 2048


def test_lists_among_options_reach_the_architecture() -> None:
    lists = ("+model.rgb_backbone.options.depths=[1,1]", "+model.rgb_backbone.options.num_heads=[1,2]")
    made = built("model=vicreg_vit_pico", *SWIN, *lists).towers.rgb_backbone
    assert [len(stage.blocks) for stage in made.net.layers] == [1, 1]


def test_local_crops_are_read_whole() -> None:
    convnext = ("model/backbone@model.rgb_backbone=resnet18", "model.rgb_backbone.name=convnext_atto")
    many = ("model=dino_vit_pico", *convnext, "data.rgb_size=96", "augment=multicrop")
    with pytest.raises(UserError, match=r"leaves out 9 rows and 9 columns of local crops of 41 × 41 px; set"):
        built(*many)
    assert built(*many, "data.rgb_local_size=32") is not None
    assert built(*many, "model.rgb_backbone.pad=true") is not None


@pytest.mark.parametrize(("asked", "compiled"), [((), 0), (("compile=true",), 16)])
def test_blocks_of_all_towers_are_compiled(asked: tuple[str, ...], compiled: int) -> None:
    """Two towers of the student and two of the teacher, four blocks each; when the first batch comes."""
    made = built("model=dino_vit_pico", *asked)
    assert sum(part._compiled_call_impl is not None for part in made.modules()) == compiled
    assert not any("orig_mod" in name for name in made.state_dict())
