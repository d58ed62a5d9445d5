"""Embedding in chunks is embedding: the same numbers and gradients, with the graph of a chunk at a time."""

import copy

import pytest
import torch
from torch.autograd.graph import saved_tensors_hooks

from sage_lightning.methods.chunks import embed_in_chunks
from sage_lightning.models.backbone import Backbone

IMAGES = torch.randn(8, 3, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def vit():
    torch.manual_seed(0)
    options = {"embed_dim": 16, "depth": 2, "num_heads": 2, "attn_drop_rate": 0.2, "proj_drop_rate": 0.2}
    return Backbone("vit_tiny_patch16_224", 16, 4, 3, options, drop_path=0.4).double()


def gradients(vit, embedding):
    """Of a loss in which every pair meets every other."""
    loss = torch.corrcoef(embedding.T).square().sum()
    return torch.autograd.grad(loss, list(vit.parameters()))


def assert_same(found, expected):
    whole = torch.stack([b.norm() for b in expected]).norm()
    assert whole > 0.1
    for a, b in zip(found, expected, strict=True):
        assert (a - b).norm() <= 1e-9 * max(b.norm(), 1e-3 * whole)


@pytest.mark.parametrize("pairs", [1, 3, 8, 64])
def test_value_and_gradients_are_those_of_the_whole_batch(vit, pairs):
    vit.eval()  # nothing is dropped
    plain, cached = vit(IMAGES), embed_in_chunks(vit, IMAGES, pairs)
    torch.testing.assert_close(cached, plain, rtol=1e-12, atol=1e-12)
    assert_same(gradients(vit, cached), gradients(vit, plain))


def test_what_is_dropped_is_dropped_again_in_the_second_pass(vit):
    torch.manual_seed(5)
    whole_graph = torch.cat([vit(part) for part in IMAGES.split(3)])
    expected = gradients(vit, whole_graph)
    torch.manual_seed(5)
    cached = embed_in_chunks(vit, IMAGES, 3)
    assert torch.equal(cached, whole_graph)
    torch.manual_seed(999)  # whatever is drawn between the passes
    state = torch.get_rng_state()
    assert_same(gradients(vit, cached), expected)
    assert torch.equal(torch.get_rng_state(), state)  # and what is drawn after them is as it was
    assert (vit(IMAGES) - whole_graph).norm() > 0.1


def test_the_gradient_agrees_with_two_passes_by_hand(vit):
    vit.eval()
    twin = copy.deepcopy(vit)
    with torch.no_grad():
        leaf = torch.cat([twin(part) for part in IMAGES.split(3)])
    leaf.requires_grad_()
    torch.corrcoef(leaf.T).square().sum().backward()
    for part, gradient in zip(IMAGES.split(3), leaf.grad.split(3), strict=True):
        twin(part).backward(gradient)
    assert_same(gradients(vit, embed_in_chunks(vit, IMAGES, 3)), [p.grad for p in twin.parameters()])


def test_the_backbone_sees_a_chunk_at_a_time_and_keeps_no_graph_of_it(vit):
    seen: list[int] = []
    vit.net.patch_embed.register_forward_hook(lambda module, inputs, output: seen.append(len(inputs[0])))

    def kept(embed) -> int:
        sizes: list[int] = []
        with saved_tensors_hooks(lambda x: sizes.append(x.numel()) or x, lambda x: x):
            embedding = embed(IMAGES)
        assert embedding.requires_grad
        return sum(sizes)

    assert kept(lambda images: embed_in_chunks(vit, images, 3)) == IMAGES.numel()  # the images themselves
    assert kept(vit) > 20 * IMAGES.numel()
    assert seen == [3, 3, 2, 8]
    gradients(vit, embed_in_chunks(vit, IMAGES, 3))
    assert seen[4:7] == [3, 3, 2]
    assert sorted(seen[7:]) == [2, 3, 3]
