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
    torch.testing.assert_close(model(x), expected)
    assert model.num_features == 5


def test_the_gain_of_a_prototype_is_fixed_at_1():
    x, model = torch.randn(3, 6), head()
    before = model(x)
    with torch.no_grad():
        model.prototypes *= 3
    torch.testing.assert_close(model(x), before)


def test_the_centre_is_saved_and_subtracted():
    x, model = torch.randn(3, 6), head()
    before = model(x)
    model.centre += 0.25
    torch.testing.assert_close(model(x), before - 0.25)
    other = head()
    other.load_state_dict(model.state_dict())
    assert torch.equal(other.centre, model.centre)
    assert "centre" not in dict(model.named_parameters())
