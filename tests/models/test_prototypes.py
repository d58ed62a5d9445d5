"""DINO's head: cosines with directions, and a centre that only a teacher has."""

import torch

from sage_lightning.models.prototypes import PrototypeHead


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
