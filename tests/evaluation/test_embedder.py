"""What an embedding is made of: the tower's features, and in the common look what that took away."""

import numpy as np
import pytest
import torch

from sage_lightning.batch import PairBatch
from sage_lightning.data.augment import FullView
from sage_lightning.data.look import LOOKS
from sage_lightning.data.thermal import Celsius
from sage_lightning.data.transform import PairTransform
from sage_lightning.evaluation.embedder import SHARE, Embedder, beside
from sage_lightning.evaluation.figures.sheet import Pictures
from sage_lightning.evaluation.figures.sheets import attention_sheet
from sage_lightning.models.backbone import Backbone
from sage_lightning.models.projector import Projector
from sage_lightning.models.towers import TwoTowers

VIEW = FullView((16, 16), (16, 16))
LEVELS = {"own": (0, 0), "common": (15, 5)}  # three colours and one channel, of 2 × 2 parts and the frame


def embedder(look: str) -> Embedder:
    torch.manual_seed(0)
    transform = PairTransform(Celsius(), [0.5] * 3, [0.25] * 3, [0.1], [0.3], look)
    options = {"embed_dim": 24, "depth": 1, "num_heads": 2, "global_pool": "avg", "class_token": False}
    rgb, ir = (
        Backbone("vit_tiny_patch16_224", 16, 4, channels, options, regions=2)
        for channels in (3, transform.ir_channels)
    )
    return Embedder(TwoTowers(rgb, ir, Projector(96, [16, 8]), Projector(96, [16, 8])), transform, VIEW)


def batch() -> PairBatch:
    generator = torch.Generator().manual_seed(1)
    rgb = torch.randint(256, (3, 3, 24, 32), dtype=torch.uint8, generator=generator)
    degrees = 40 * torch.rand(3, 24, 32, generator=generator) - torch.tensor([0.0, 20, 40])[:, None, None]
    degrees[0, 3:5, 7] = torch.nan
    none = torch.zeros(3, dtype=torch.int64)
    return PairBatch(rgb, degrees, none, none, torch.arange(3))


@pytest.mark.parametrize("look", LOOKS)
def test_one_picture_and_one_frame_are_embedded_as_in_a_batch(look):
    """What a scientist embeds by hand is what evaluation embedded."""
    model, pairs = embedder(look), batch()
    found = model.embed([pairs])
    assert found["row"].tolist() == [0, 1, 2]
    for i in range(3):
        for space in ("embedding", "projection"):
            rgb = model.embed_rgb(pairs.rgb[i].permute(1, 2, 0).numpy(), space)
            ir = model.embed_ir(pairs.ir[i].numpy(), space)
            np.testing.assert_allclose(rgb, found[f"rgb_{space}"][i], atol=1e-5)
            np.testing.assert_allclose(ir, found[f"ir_{space}"][i], atol=1e-5)


@pytest.mark.parametrize("look", LOOKS)
def test_towers_and_heads_give_what_they_give_in_training(look):
    """But for rounding; what the look took away comes after the features, and heads do not see it."""
    model = embedder(look)
    found = model.embed([batch()])
    seen = model.transform(batch(), VIEW, None, 0)
    with torch.inference_mode():
        rgb, ir = model.towers.embed_rgb(seen.rgb), model.towers.embed_ir(seen.ir)
        projections = model.towers.project_rgb(rgb), model.towers.project_ir(ir)
    assert model.widths == {"rgb": 96, "ir": 96}
    for sensor, features, projection, levels in zip(
        ("rgb", "ir"), (rgb, ir), projections, LEVELS[look], strict=True
    ):
        embedding = found[f"{sensor}_embedding"]
        assert embedding.shape == (3, 96 + levels)
        np.testing.assert_allclose(embedding[:, :96], features, rtol=0, atol=1e-5)
        np.testing.assert_allclose(found[f"{sensor}_projection"], projection, rtol=0, atol=1e-5)


def test_how_warm_a_frame_is_can_be_read_from_the_common_look_s_embedding():
    """And from its embedding alone: neither tower nor head can tell."""
    model, degrees = embedder("common"), batch().ir[1].numpy()
    cold, warm = (model.embed_ir(degrees + offset) for offset in (0, 6))
    np.testing.assert_allclose(warm[:96], cold[:96], atol=1e-4)
    shift = warm[96:] - cold[96:]
    weight = (SHARE / 5) ** 0.5 * np.linalg.norm(cold[:96])
    np.testing.assert_allclose(shift, [weight * 0.1 / 0.3] * 4 + [0], atol=1e-4)  # 6 °C are 0.1 of 60
    strong = model.embed_ir(2 * degrees)
    assert strong[-1] - cold[-1] == pytest.approx(weight * np.log(2), abs=1e-3)


@pytest.mark.parametrize("number", [1, 5, 60])
@pytest.mark.parametrize("scale", [0.01, 1.0, 30.0])
def test_levels_have_their_share_whatever_the_tower_s_scale(number, scale):
    features = scale * torch.randn(7, 32, generator=torch.Generator().manual_seed(0))
    found = beside(features, torch.ones(7, number))
    assert torch.equal(found[:, :32], features)
    lengths = features.square().sum(1)
    torch.testing.assert_close(found.square().sum(1), (1 + SHARE) * lengths)


@pytest.mark.parametrize("token", [0, 4, 5, 8])
def test_attention_on_padded_images_lies_where_the_patch_does(token):
    """20 pixels at patch 8 are 3 patches, the last half empty: a hot token lights its pixels, no others."""
    view = FullView((20, 20), (20, 20))
    options = {"embed_dim": 24, "depth": 1, "num_heads": 1, "class_token": False, "global_pool": "avg"}
    rgb, ir = (Backbone("vit_tiny_patch16_224", 20, 8, channels, options, pad=True) for channels in (3, 1))
    for tower in (rgb, ir):
        attention = tower.net.blocks[-1].attn
        direction = torch.linspace(-1, 1, 24)
        with torch.no_grad():
            tower.net.pos_embed.copy_(-100 * direction)
            tower.net.pos_embed[0, token] = 100 * direction
            attention.qkv.weight.zero_()
            attention.qkv.weight[24:48] = torch.eye(24)  # keys are the tokens
            attention.qkv.bias[:24] = direction  # every query asks for the hot one
    transform = PairTransform(Celsius(), [0.5] * 3, [0.25] * 3, [0.1], [0.3])
    model = Embedder(TwoTowers(rgb, ir, Projector(24, [16, 8]), Projector(24, [16, 8])), transform, view)
    row, column = divmod(token, 3)
    marked = np.zeros((24, 24), bool)
    marked[8 * row : 8 * row + 8, 8 * column : 8 * column + 8] = True
    scene = torch.from_numpy(marked[:20, :20])
    none = torch.zeros(1, dtype=torch.int64)
    pairs = PairBatch((255 * scene.byte()).expand(1, 3, -1, -1), 30.0 * scene[None], none, none, none)

    shown, maps = model.shown(pairs), model.attention(pairs)
    assert [part.shape[1:3] for part in shown] == [(24, 24), (24, 24)]
    np.testing.assert_array_equal(shown[0][0, :20, :20, 0], 255 * scene)
    assert np.isnan(shown[1][0, 20:]).all()
    assert np.isnan(shown[1][0, :, 20:]).all()
    images = attention_sheet(Pictures(*shown, "°C"), *maps, {"rgb": True, "ir": True}).axes[0].get_images()
    assert len(images) == 4
    for seen, lit in (images[:2], images[2:]):
        light = np.asarray(lit.get_array()) - 0.4 * np.asarray(seen.get_array()).mean(-1, keepdims=True)
        warm = light.sum(-1) > 1
        np.testing.assert_array_equal(warm, marked)
