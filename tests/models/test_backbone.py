"""Backbones take any image their patch divides, and say where they look."""

import pytest
import torch

from sage_lightning.errors import UserError
from sage_lightning.models.architecture import is_vit
from sage_lightning.models.backbone import Backbone
from sage_lightning.models.batchnorm import GlobalBatchNorm2d

TINY = {"embed_dim": 16, "depth": 2, "num_heads": 2}


def vit(
    img_size=(16, 24), patch_size=8, in_chans=1, name="vit_tiny_patch16_224", options=TINY, drop_path=0.0
):
    torch.manual_seed(0)
    return Backbone(name, img_size, patch_size, in_chans, options, drop_path).eval()


def test_a_vit_takes_its_own_image_patch_and_channels():
    backbone = vit()
    assert backbone.grid == (2, 3)
    assert backbone(torch.randn(4, 1, 16, 24)).shape == (4, backbone.num_features) == (4, 16)
    assert backbone.tokens(torch.randn(4, 1, 16, 24)).shape == (4, 2, 3, 16)


@pytest.mark.parametrize(
    ("name", "width"),
    [("resnet18", 512), ("mobilenetv3_small_050", 1024), ("convnext_atto", 320)],
)
def test_a_cnn_has_no_patch(name, width):
    backbone = Backbone(name, (64, 96), None, 2).eval()
    x = torch.randn(2, 2, 64, 96)
    assert not backbone.is_vit
    assert backbone.grid is None
    assert backbone(x).shape == (2, backbone.num_features) == (2, width)
    assert backbone.attention(x).shape == (2, 1, 2, 3)
    assert not backbone.attends


def test_swin_takes_the_image_size():
    options = {"embed_dim": 8, "depths": (1, 1), "num_heads": (1, 1), "window_size": 4}
    backbone = Backbone("swin_tiny_patch4_window7_224", (32, 64), None, 3, options).eval()
    x = torch.randn(2, 3, 32, 64)
    assert backbone(x).shape == (2, backbone.num_features)
    assert backbone.attention(x).shape == (2, 1, 4, 8)


def test_batch_statistics_are_global_everywhere():
    norms = [m for m in Backbone("resnet18", 32, None, 3).modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert norms
    assert all(type(norm) is GlobalBatchNorm2d for norm in norms)


@pytest.mark.parametrize(
    "options",
    [
        TINY,
        TINY | {"reg_tokens": 3},
        TINY | {"class_token": False, "global_pool": "avg"},
        TINY | {"qk_norm": True, "reg_tokens": 1, "no_embed_class": True},
    ],
)
def test_attention_is_that_of_the_last_block(options):
    backbone = vit(options=options)
    x = torch.randn(3, 1, 16, 24)
    found = backbone.attention(x)

    # timm's own unfused path goes through attn_drop: an independent witness of the weights.
    seen = []
    last = backbone.net.blocks[-1].attn
    last.fused_attn = False
    last.attn_drop.register_forward_hook(lambda module, arguments, output: seen.append(output))
    backbone(x)
    prefix = backbone.net.num_prefix_tokens
    token = backbone.net.cls_token is not None
    row = seen[0][:, :, 0] if token else seen[0].mean(dim=2)
    torch.testing.assert_close(found, row[:, :, prefix:].reshape(3, 2, 2, 3))
    assert (row.sum(-1) - 1).abs().max() < 1e-6


def test_attention_leaves_no_hook_and_keeps_the_fused_path():
    backbone = vit()
    x = torch.randn(2, 1, 16, 24)
    before = backbone(x)
    backbone.attention(x)
    assert not backbone.net.blocks[-1].attn._forward_pre_hooks
    assert backbone.net.blocks[-1].attn.fused_attn
    assert torch.equal(backbone(x), before)


def test_a_vit_with_attention_of_its_own_shows_its_features():
    backbone = vit(name="eva02_tiny_patch14_224", patch_size=8)
    assert backbone.attention(torch.randn(2, 1, 16, 24)).shape == (2, 1, 2, 3)
    assert not backbone.attends
    assert vit().attends


def test_patch_position_is_kept_from_image_to_grid():
    backbone = vit()
    x = torch.zeros(1, 1, 16, 24)
    marked = x.clone()
    marked[..., 8:16, 16:24] = 1  # row 1, column 2
    moved = (backbone.net.patch_embed(marked) - backbone.net.patch_embed(x)).norm(dim=-1).reshape(2, 3)
    assert moved[1, 2] > 0
    assert (moved > 0).sum() == 1


def test_drop_path_reaches_the_blocks():
    backbone = vit(drop_path=0.5).train()
    x = torch.randn(16, 1, 16, 24)
    assert not torch.equal(backbone(x), backbone(x))
    assert torch.equal(vit().train()(x), vit().train()(x))


@pytest.mark.parametrize(
    ("name", "patch", "width"), [("vit_tiny_patch16_224", 8, 16), ("resnet18", None, 512)]
)
def test_regions_are_the_means_of_their_parts_of_the_image(name, patch, width):
    options = TINY | {"class_token": False, "global_pool": "avg"} if patch else None
    torch.manual_seed(0)
    whole = Backbone(name, (64, 128), patch, 1, options).eval()
    torch.manual_seed(0)
    parts = Backbone(name, (64, 128), patch, 1, options, regions=2).eval()
    x = torch.randn(3, 1, 64, 128)
    found = parts(x).unflatten(1, (2, 2, width))
    tokens = whole.tokens(x)
    rows, columns = tokens.shape[1] // 2, tokens.shape[2] // 2
    norm = whole.net.fc_norm if patch else torch.nn.Identity()
    for i in range(2):
        for j in range(2):
            corner = tokens[:, i * rows : (i + 1) * rows, j * columns : (j + 1) * columns]
            torch.testing.assert_close(found[:, i, j], norm(corner.mean((1, 2))))
    assert parts.num_features == 4 * width


def test_more_regions_than_patches_are_refused():
    with pytest.raises(UserError, match=r"3 × 3 regions of 2 × 3 patches"):
        Backbone("vit_tiny_patch16_224", (16, 24), 8, 1, TINY, regions=3)


def test_is_vit():
    assert is_vit("vit_small_patch16_224")
    assert is_vit("deit_tiny_patch16_224")
    assert not is_vit("resnet50")


def test_a_patch_that_does_not_divide_is_refused():
    with pytest.raises(UserError, match=r"7 does not divide image size 16 × 24; .*: 2, 4, 8"):
        vit(patch_size=7)


def test_a_vit_without_a_patch_is_refused():
    with pytest.raises(UserError, match="needs a patch size"):
        vit(patch_size=None)


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(UserError, match=r"no such architecture; nearest: .*resnet50"):
        Backbone("resnet5o", 32, None, 3)


def test_an_unknown_option_is_refused():
    with pytest.raises(UserError, match="embed_dims"):
        vit(options={"embed_dims": 16})


def test_an_option_said_elsewhere_is_refused():
    with pytest.raises(UserError, match="patch_size: said elsewhere"):
        vit(options={"patch_size": 4})


def test_which_sizes_it_takes_is_tried_without_a_trace():
    resnet = Backbone("resnet18", 64, None, 1, options={"layers": (1, 1, 1, 1), "channels": (4, 4, 8, 8)})
    before = {name: value.clone() for name, value in resnet.state_dict().items()}
    assert resnet.train().takes(20, 36)
    assert resnet.training
    assert all(torch.equal(before[name], value) for name, value in resnet.state_dict().items())
    options = {"embed_dim": 16, "depth": 1, "num_heads": 2}
    vit = Backbone("vit_tiny_patch16_224", 16, 8, 1, options=options)
    assert (vit.takes(16, 16), vit.takes(8, 8)) == (True, False)
    assert Backbone("vit_tiny_patch16_224", 16, 8, 1, options=options, any_size=True).takes(8, 8)


REGISTERS = [
    ("vit_tiny_patch16_224", TINY | {"reg_tokens": 3, "global_pool": "avg"}),
    ("vit_tiny_patch16_224", TINY | {"reg_tokens": 3, "class_token": False, "global_pool": "avg"}),
    ("vit_small_patch14_reg4_dinov2", TINY | {"global_pool": "avg"}),
    ("vit_small_patch16_dinov3", TINY | {"depth": 1}),
]


@pytest.mark.parametrize(("name", "options"), REGISTERS)
def test_registers_are_neither_averaged_nor_shown(name, options):
    backbone = vit(name=name, options=options)
    registers = backbone.net.num_prefix_tokens
    assert registers >= 3
    x = torch.randn(2, 1, 16, 24)
    assert backbone.attention(x).shape[2:] == (2, 3)
    net, seen = backbone.net, []
    net.norm.register_forward_hook(lambda module, arguments, output: seen.append(output))
    pooled = backbone(x)
    patches = seen[-1][:, registers:]
    assert patches.shape[1] == 6
    torch.testing.assert_close(pooled, net.fc_norm(patches.mean(dim=1)))
    torch.testing.assert_close(backbone.tokens(x).flatten(1, 2), patches)


ANY = {
    "eva02_tiny_patch14_224": ({"embed_dim": 16, "depth": 1, "num_heads": 2}, (8, 12)),
    "deit_tiny_distilled_patch16_224": (TINY, (8, 12)),
    "beit_base_patch16_224": (TINY, (8, 12)),
    "cait_xxs24_224": ({"embed_dim": 16, "depth": 1, "num_heads": 2}, (4, 6)),
    "vit_relpos_small_patch16_224": (TINY, (4, 6)),
    "vit_tiny_r_s16_p8_224": (TINY, (2, 3)),
    "resnet10t": (None, (2, 3)),
    "regnetx_002": (None, (2, 3)),
    "efficientnet_b0": (None, (2, 3)),
    "convnext_atto": (None, (2, 3)),
    "swin_tiny_patch4_window7_224": ({"embed_dim": 8, "depths": [1, 1], "num_heads": [1, 1]}, (8, 12)),
}


@pytest.mark.parametrize("name", ANY)
def test_any_architecture_goes_by_its_name(name):
    options, grid = ANY[name]
    backbone = Backbone(name, (64, 96), 8, 2, options).eval()
    x = torch.randn(2, 2, 64, 96)
    with torch.no_grad():
        assert backbone(x).shape == (2, backbone.num_features)
        assert backbone.tokens(x).shape[:3] == (2, *grid)
        assert backbone.attention(x).shape[2:] == grid


def test_features_that_are_no_grid_are_refused():
    backbone = Backbone("naflexvit_base_patch16_gap", (64, 96), None, 1, TINY | {"embed_dim": 24})
    with pytest.raises(UserError, match="28 features are no grid over 64 × 96 px"):
        backbone.tokens(torch.zeros(1, 1, 64, 96))


def test_padding_fills_up_with_zeros_at_the_bottom_and_the_right():
    torch.manual_seed(0)
    padded = Backbone("vit_tiny_patch16_224", (13, 20), 8, 1, TINY, pad=True).eval()
    whole = vit()
    assert padded.grid == whole.grid == (2, 3)
    padded.load_state_dict(whole.state_dict())
    x = torch.randn(2, 1, 13, 20)
    filled = torch.zeros(2, 1, 16, 24)
    filled[:, :, :13, :20] = x
    assert padded.padding(13, 20) == (3, 4)
    assert whole.padding(13, 20) == (0, 0)
    assert torch.equal(padded(x), whole(filled))
    assert torch.equal(padded.tokens(x), whole.tokens(filled))
    assert torch.equal(padded.attention(x), whole.attention(filled))


def test_a_padded_cnn_leaves_nothing_out():
    torch.manual_seed(0)
    lossy = Backbone("convnext_atto", (50, 50), None, 1).eval()
    assert lossy.left_out(50, 50) == (17, 17)
    torch.manual_seed(0)
    padded = Backbone("convnext_atto", (50, 50), None, 1, pad=True).eval()
    assert padded.left_out(50, 50) == (0, 0)
    assert lossy.tokens(torch.zeros(1, 1, 50, 50)).shape[1:3] == (1, 1)
    assert padded.tokens(torch.zeros(1, 1, 50, 50)).shape[1:3] == (2, 2)
