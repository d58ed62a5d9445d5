"""A tower begins with weights from elsewhere: the same ones where they fit, resampled ones, or a refusal."""

import re

import pytest
import timm
import torch
from safetensors.torch import save_file
from timm.models import build_model_with_cfg, register_model
from timm.models.vision_transformer import VisionTransformer, checkpoint_filter_fn
from torch.nn.functional import conv2d, interpolate

from sage_lightning.checkpoints import KEY
from sage_lightning.errors import UserError
from sage_lightning.models.backbone import Backbone
from sage_lightning.models.starting import begin

TINY = {"embed_dim": 16, "depth": 1, "num_heads": 2}
VIT = "vit_tiny_patch16_224"


def source(name=VIT, size=(32, 32), seed=1, **arguments):
    """A timm model with its classifier; its tensors are all different from a fresh one's."""
    torch.manual_seed(seed)
    if name.startswith(("vit", "beit", "deit")):
        arguments = TINY | {"img_size": size, "patch_size": 8} | arguments
    net = timm.create_model(name, num_classes=5, **arguments)
    with torch.no_grad():
        for value in net.state_dict().values():
            if value.is_floating_point():
                value.add_(torch.rand_like(value))
    return net.eval()


@pytest.fixture
def kept(tmp_path):
    """kept(net, name): its state dict in a file."""

    def keep(net, name="weights.safetensors"):
        state = {key: value.contiguous() for key, value in net.state_dict().items()}
        path = tmp_path / name
        save_file(state, path) if path.suffix == ".safetensors" else torch.save(state, path)
        return str(path)

    return keep


def tower(place, name=VIT, size=(32, 32), patch=8, channels=3, options=TINY, sensor="rgb", **more):
    torch.manual_seed(0)
    made = Backbone(name, size, patch, channels, options, weights=place, **more).eval()
    return made, begin(made, sensor)


@pytest.mark.parametrize("file", ["w.safetensors", "w.pt", "w.pth", "w.bin"])
def test_what_fits_is_loaded_bit_for_bit(kept, file):
    net = source()
    made, left_out = tower(kept(net, file))
    assert left_out == ["head.bias", "head.weight"]
    state = net.state_dict()
    assert set(state) - set(left_out) == set(made.net.state_dict())
    assert all(torch.equal(value, state[name]) for name, value in made.net.state_dict().items())
    x = torch.randn(2, 3, 32, 32)
    assert torch.equal(made(x), net.forward_head(net.forward_features(x), pre_logits=True))


@pytest.mark.parametrize(
    ("name", "heads"),
    [
        ("resnet10t", ["fc.bias", "fc.weight"]),
        ("convnext_atto", ["head.fc.bias", "head.fc.weight"]),
        (
            "deit_tiny_distilled_patch16_224",
            ["head.bias", "head.weight", "head_dist.bias", "head_dist.weight"],
        ),
    ],
)
def test_classifiers_are_left_out_and_said(kept, name, heads):
    vit = name.startswith("deit")
    net = source(name)
    made, left_out = tower(kept(net), name, patch=8 if vit else None, options=TINY if vit else None)
    assert left_out == heads
    x = torch.randn(1, 3, 32, 32)
    torch.testing.assert_close(made.net.forward_features(x), net.forward_features(x))


def test_a_wrapped_training_checkpoint_of_timm_is_read(tmp_path):
    net = source()
    state = {f"module.{name}": value for name, value in net.state_dict().items()}
    torch.save({"state_dict": state, "epoch": 3}, tmp_path / "last.pth")
    made, _ = tower(str(tmp_path / "last.pth"))
    assert torch.equal(made.net.pos_embed, net.pos_embed)


REGISTERS = {"reg_tokens": 2}


@pytest.mark.parametrize("options", [{}, REGISTERS, REGISTERS | {"no_embed_class": True}])
def test_another_patch_and_image_are_resampled(kept, options):
    """Patch 8 → 16 on images of twice the size: equal grids, and each enlarged patch has its old token."""
    net = source(size=(32, 48), **options)
    made, _ = tower(kept(net), size=(64, 96), patch=16, options=TINY | options, weights_size=(32, 48))
    assert torch.equal(made.net.pos_embed, net.pos_embed)
    patches = torch.randn(6, 3, 8, 8)
    larger = interpolate(patches, size=(16, 16), mode="bicubic", antialias=True)
    before = conv2d(patches, net.patch_embed.proj.weight, net.patch_embed.proj.bias)
    after = conv2d(larger, made.net.patch_embed.proj.weight, made.net.patch_embed.proj.bias)
    torch.testing.assert_close(after, before, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("options", [{}, REGISTERS, REGISTERS | {"no_embed_class": True}])
def test_another_grid_keeps_what_comes_before_it(kept, options):
    net = source(size=(32, 48), **options)
    made, _ = tower(kept(net), size=(64, 32), options=TINY | options, weights_size=(32, 48))
    prefix = 0 if options.get("no_embed_class") else net.num_prefix_tokens
    old, new = net.pos_embed[:, prefix:], made.net.pos_embed[:, prefix:]
    assert torch.equal(net.pos_embed[:, :prefix], made.net.pos_embed[:, :prefix])
    grid = interpolate(old.unflatten(1, (4, 6)).movedim(3, 1), size=(8, 4), mode="bicubic", antialias=True)
    torch.testing.assert_close(new, grid.flatten(2).mT)
    assert made(torch.randn(1, 3, 64, 32)).isfinite().all()


def test_equal_counts_of_other_grids_are_not_taken_for_the_same(kept):
    net = source(size=(32, 32))  # 4 × 4, and 2 × 8 of the new
    made, _ = tower(kept(net), size=(16, 64))
    assert made.net.pos_embed.shape == net.pos_embed.shape
    assert (made.net.pos_embed - net.pos_embed).abs().max() > 1e-3
    same, _ = tower(kept(source(size=(16, 64))), size=(16, 64), weights_size=(16, 64))
    assert torch.equal(same.net.pos_embed, source(size=(16, 64)).pos_embed)


def test_a_beits_biases_follow_the_grid(kept):
    net = source("beit_base_patch16_224", size=(32, 48))
    made, _ = tower(kept(net), "beit_base_patch16_224", size=(64, 32), weights_size=(32, 48))
    old = net.blocks[0].attn.relative_position_bias_table
    new = made.net.blocks[0].attn.relative_position_bias_table
    assert (len(old), len(new)) == (7 * 11 + 3, 15 * 7 + 3)
    assert torch.equal(old[-3:], new[-3:])


@pytest.mark.parametrize(("name", "key"), [(VIT, "patch_embed.proj"), ("resnet10t", "conv1.0")])
@pytest.mark.parametrize(("how", "share"), [("sum", 1), ("mean", 1 / 3)])
def test_thermal_begins_with_the_colours_of_rgb(kept, name, key, how, share):
    vit = name == VIT
    more = {"patch": 8 if vit else None, "options": TINY if vit else None, "weights_channels": how}
    net = source(name)
    made, _ = tower(kept(net), name, channels=1, sensor="ir", **more)
    expected = net.get_submodule(key).weight.sum(1, keepdim=True) * share
    torch.testing.assert_close(made.net.get_submodule(key).weight, expected)


@pytest.fixture
def checkpoint(tmp_path):
    """As a run writes it: towers of 24 × 40 px, RGB of three channels, thermal of one."""
    towers = {
        "rgb": source(size=(24, 40), seed=2).state_dict(),
        "ir": source(size=(24, 40), seed=3, in_chans=1).state_dict(),
    }
    config = {"data": {"rgb_size": [24, 40], "ir_size": [24, 40]}}
    state = {
        f"towers.{sensor}_backbone.net.{name}": value
        for sensor, tensors in towers.items()
        for name, value in tensors.items()
        if not name.startswith("head.")
    }
    path = tmp_path / "run" / "checkpoints" / "last.ckpt"
    path.parent.mkdir(parents=True)
    torch.save({KEY: {"format": 1, "config": config}, "state_dict": state}, path)
    return path, towers


@pytest.mark.parametrize("folder", [True, False])
def test_either_tower_of_a_checkpoint_starts_either_tower(checkpoint, folder):
    path, towers = checkpoint
    place = str(path.parents[1] if folder else path)
    for sensor, channels in (("rgb", 3), ("ir", 1)):
        made, left_out = tower(place, size=(24, 40), channels=channels, sensor=sensor)
        assert left_out == []
        assert all(torch.equal(v, towers[sensor][name]) for name, v in made.net.state_dict().items())
    made, _ = tower(place, size=(24, 40), channels=1, sensor="ir", weights_sensor="rgb")
    patch = towers["rgb"]["patch_embed.proj.weight"].sum(1, keepdim=True)
    torch.testing.assert_close(made.net.patch_embed.proj.weight, patch)
    assert torch.equal(made.net.pos_embed, towers["rgb"]["pos_embed"])


def test_a_checkpoint_tells_its_grid(checkpoint):
    path, towers = checkpoint  # 3 × 5
    made, _ = tower(str(path), size=(40, 24))  # 5 × 3: as many places, other ones
    old = towers["rgb"]["pos_embed"][:, 1:].unflatten(1, (3, 5)).movedim(3, 1)
    grid = interpolate(old, size=(5, 3), mode="bicubic", antialias=True)
    torch.testing.assert_close(made.net.pos_embed[:, 1:], grid.flatten(2).mT)


def refused(place, **more):
    with pytest.raises(UserError) as caught:
        tower(place, **more)
    (line,) = caught.value.lines
    return line


def test_what_does_not_fit_is_named(kept):
    place = kept(source(embed_dim=24, depth=2))
    line = refused(place, options=TINY | {"reg_tokens": 1})
    assert line.startswith(
        f"weights={place}: do not fit {VIT}: missing: reg_token; unexpected: blocks.1.attn"
    )
    assert "; of another shape: blocks.0.attn.proj.bias (24,) for (16,), " in line
    assert re.search(r"blocks\.1\.[\w.]+ and \d+ more; ", line)


def test_no_weight_has_moved_where_they_are_refused(kept):
    torch.manual_seed(0)
    made = Backbone(VIT, 32, 8, 3, TINY, weights=kept(source(depth=2)))
    before = {name: value.clone() for name, value in made.state_dict().items()}
    with pytest.raises(UserError, match="unexpected: blocks"):
        begin(made, "rgb")
    assert all(torch.equal(value, before[name]) for name, value in made.state_dict().items())


def test_a_grid_that_cannot_be_is_named(kept):
    line = refused(kept(source(size=(32, 48))), size=(64, 64))  # 24 places are no square
    assert line.endswith("of another shape: pos_embed (1, 25, 16) for (1, 65, 16)")


def test_files_that_hold_no_weights_are_refused(tmp_path):
    assert refused(str(tmp_path / "w.pt")) == f"weights={tmp_path / 'w.pt'}: no such file"
    assert "not a run folder, a checkpoint (.ckpt), or one of .safetensors" in refused(
        str(tmp_path / "w.npz")
    )
    for name in ("w.pt", "w.safetensors"):
        (tmp_path / name).write_bytes(b"nothing of the kind")
        assert f"weights={tmp_path / name}: no weights, or damaged (" in refused(str(tmp_path / name))
    torch.save({"epoch": 3}, tmp_path / "w.pth")
    assert "holds no state dict of tensors by name" in refused(str(tmp_path / "w.pth"))


class Stranger:
    """What only its own module could unpickle."""


def test_nothing_in_a_file_is_run(tmp_path):
    torch.save({"state_dict": Stranger()}, tmp_path / "w.pt")
    assert "no weights, or damaged (weights_only=True blocked" in refused(str(tmp_path / "w.pt"))


@register_model
def vit_of_a_file(pretrained=False, pretrained_cfg=None, pretrained_cfg_overlay=None, **arguments):
    """An architecture whose pretrained weights, as timm knows them, lie in a file."""
    return build_model_with_cfg(
        VisionTransformer,
        "vit_of_a_file",
        pretrained,
        pretrained_cfg=vit_of_a_file.cfg,
        pretrained_filter_fn=checkpoint_filter_fn,
        **(TINY | {"img_size": 32, "patch_size": 8} | arguments),
    )


def test_timms_own_weights_come_by_the_same_way(kept):
    net = source()
    vit_of_a_file.cfg = {
        "file": kept(net),
        "num_classes": 5,
        "input_size": (3, 32, 32),
        "first_conv": "patch_embed.proj",
        "classifier": "head",
    }
    torch.manual_seed(5)
    made = Backbone("vit_of_a_file", (32, 64), 8, 1, None, weights="timm")
    following = torch.get_rng_state()
    left_out = begin(made, "ir")
    assert torch.equal(following, torch.get_rng_state())
    assert left_out == ["head.bias", "head.weight"]
    torch.testing.assert_close(
        made.net.patch_embed.proj.weight, net.patch_embed.proj.weight.sum(1, keepdim=True)
    )
    assert torch.equal(made.net.blocks[0].attn.qkv.weight, net.blocks[0].attn.qkv.weight)
    assert made.net.pos_embed.shape == (1, 33, 16)


def test_weights_that_timm_cannot_have_are_one_line(tmp_path):
    vit_of_a_file.cfg = {
        "url": f"file://{tmp_path}/none.pth",
        "num_classes": 5,
        "input_size": (3, 32, 32),
        "first_conv": "patch_embed.proj",
        "classifier": "head",
    }
    line = refused("timm", name="vit_of_a_file", options=None)
    assert line.startswith("weights=timm: timm's weights of vit_of_a_file cannot be had (")
