"""DINO's head: cosines with directions, and a centre that only a teacher has."""

import torch

from sage_lightning.models.prototypes import PrototypeHead, cosines


def head():
    torch.manual_seed(0)
    return PrototypeHead(6, [8, 4], 5)


def test_logits_are_cosines():
    x = torch.randn(3, 6)
    model = head()
    bottleneck = model.layers(x)
    expected = torch.nn.functional.cosine_similarity(bottleneck[:, None], model.prototypes[None], dim=-1)
    torch.testing.assert_close(model.logits(model(x)), expected)


def test_the_projection_is_the_bottleneck():
    """What is stored of a pair and searched in is as wide as the last layer, not as many as prototypes."""
    x, model = torch.randn(3, 6), head()
    assert model(x).shape == (3, model.num_features) == (3, 4)
    torch.testing.assert_close(model(x), torch.nn.functional.normalize(model.layers(x), dim=1))


def test_the_gain_of_a_prototype_is_fixed_at_1():
    x, model = torch.randn(3, 6), head()
    before = model.logits(model(x))
    with torch.no_grad():
        model.prototypes *= 3
    torch.testing.assert_close(model.logits(model(x)), before)


def test_the_centre_is_saved_and_subtracted():
    x, model = torch.randn(3, 6), head()
    before = model.logits(model(x))
    model.centre += 0.25
    torch.testing.assert_close(model.logits(model(x)), before - 0.25)
    other = head()
    other.load_state_dict(model.state_dict())
    assert torch.equal(other.centre, model.centre)
    assert "centre" not in dict(model.named_parameters())
    # What checkpoints of before hold, in which the projection was the logits: they load, and embed anew.
    assert set(model.state_dict()) == {
        *("centre", "prototypes"),
        *("layers.0.weight", "layers.0.bias", "layers.2.weight", "layers.2.bias"),
    }


def test_cosines_and_their_gradients_are_those_of_the_definition():
    """In float64, of several sets of points at once, some of which nothing may depend on."""
    torch.manual_seed(0)
    prototypes = (3 * torch.randn(7, 4)).double().requires_grad_()
    points = [torch.randn(n, 4).double().requires_grad_() for n in (5, 1, 2)]
    asked = [torch.randn(n, 7).double() for n in (5, 1, 2)]
    found = cosines(prototypes, points)
    directions = prototypes / prototypes.norm(dim=1, keepdim=True)
    expected = [z @ directions.T for z in points]
    torch.testing.assert_close(found, tuple(expected), rtol=1e-12, atol=0)
    for some in (slice(0, 3), slice(1, 2)):
        gradients = [
            torch.autograd.grad(
                sum((a * c).sum() for a, c in zip(asked[some], given[some], strict=True)),
                [prototypes, *points[some]],
                retain_graph=True,
            )
            for given in (found, expected)
        ]
        torch.testing.assert_close(*gradients, rtol=1e-12, atol=1e-14)


def test_under_autocast_only_products_are_in_half_precision():
    torch.manual_seed(0)
    prototypes, z = torch.randn(50, 16, requires_grad=True), torch.randn(8, 16, requires_grad=True)
    exact = cosines(prototypes, [z])[0]
    with torch.autocast("cpu", torch.bfloat16):
        rough = cosines(prototypes, [z])[0]
    assert rough.dtype == torch.float32
    assert not torch.equal(rough, exact)
    torch.testing.assert_close(rough, exact, rtol=0.02, atol=0.05)
    gradients = [torch.autograd.grad(c.square().sum(), [prototypes, z]) for c in (rough, exact)]
    for found, expected in zip(*gradients, strict=True):
        assert found.dtype == torch.float32
        assert (found - expected).norm() < 0.01 * expected.norm()
