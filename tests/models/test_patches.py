"""Patches of a ViT that it does not see, and what it says of them; in each family that has patches."""

import pytest
import torch

from sage_lightning.models.backbone import Backbone
from sage_lightning.models.patches import hiding

TINY = {"embed_dim": 16, "depth": 2, "num_heads": 2}
FAMILIES = [
    ("vit_tiny_patch16_224", TINY, {}),
    ("vit_tiny_patch16_224", TINY | {"reg_tokens": 3}, {"regions": 2}),
    ("vit_tiny_patch16_224", TINY | {"class_token": False, "global_pool": "avg"}, {"regions": 2}),
    ("vit_tiny_patch16_224", TINY | {"class_token": False, "global_pool": "avg"}, {"any_size": True}),
    ("vit_tiny_patch16_224", TINY, {"pad": True}),
    ("eva02_tiny_patch14_224", TINY, {"any_size": True}),
    ("beit_base_patch16_224", TINY, {}),
    ("deit_tiny_distilled_patch16_224", TINY, {}),
]


def masked(name, options, more):
    """A backbone with a 2 × 3 grid and two images of which patches 1 and 3 of the second are hidden."""
    torch.manual_seed(0)
    side = (13, 21) if "pad" in more else (16, 24)
    backbone = Backbone(name, side, 8, 1, options, **more).eval()
    hidden = torch.zeros(2, 6, dtype=torch.bool)
    hidden[1, [1, 3]] = True
    return backbone, torch.randn(2, 1, *side), hidden


@pytest.mark.parametrize(("name", "options", "more"), FAMILIES)
def test_embedding_and_patches_come_of_one_pass(name, options, more):
    backbone, x, _ = masked(name, options, more)
    embedding, tokens = backbone.with_patches(x)
    assert torch.equal(embedding, backbone(x))
    assert tokens.shape == (2, 6, 16)
    assert torch.equal(tokens, backbone.net.fc_norm(backbone.tokens(x)).flatten(1, 2))


@pytest.mark.parametrize(("name", "options", "more"), FAMILIES)
def test_what_is_hidden_is_not_seen(name, options, more):
    """Pixels of hidden patches change nothing, all others something; the token does, where it stands."""
    backbone, x, hidden = masked(name, options, more)
    token = torch.randn(16, requires_grad=True)
    with hiding(backbone, hidden, token):
        embedding, tokens = backbone.with_patches(x)
    assert torch.equal(tokens[0], backbone.with_patches(x)[1][0])
    for patch, rows, columns in ((1, slice(0, 8), slice(8, 16)), (3, slice(8, 16), slice(0, 8))):
        for image, same in ((1, True), (0, False)):
            other = x.clone()
            other[image, :, rows, columns] += 1
            with hiding(backbone, hidden, token):
                found = backbone.with_patches(other)
            assert torch.equal(found[0], embedding) == torch.equal(found[1], tokens) == same, (patch, image)
    grown = torch.autograd.grad(tokens[1].square().sum(), token, retain_graph=True)[0]
    assert grown.abs().sum() > 0
    assert not torch.autograd.grad(tokens[0].sum(), token)[0].any()
    assert torch.equal(backbone(x), backbone.with_patches(x)[0])  # and nothing of it stays
