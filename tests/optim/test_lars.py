"""LARS against a loop over single tensors, written from the paper and the authors' conventions."""

import copy

import numpy as np
import pytest
import torch

from sage_lightning.optim import lars
from sage_lightning.optim.lars import LARS


def reference(weights, gradients, *, lr, momentum, decay, trust, adapt):
    """Steps of numpy arrays in float64."""
    weights = [w.copy() for w in weights]
    velocities = [np.zeros_like(w) for w in weights]
    for step in gradients:
        for k, gradient in enumerate(step):
            update = gradient.copy()
            if adapt and weights[k].ndim > 1:
                update = update + decay * weights[k]
                above, below = np.sqrt((weights[k] ** 2).sum()), np.sqrt((update**2).sum())
                if above > 0 and below > 0:
                    update = update * trust * above / below
            velocities[k] = momentum * velocities[k] + update
            weights[k] = weights[k] - lr * velocities[k]
    return weights


def as_given(x):
    return x.clone()


def channels_last(x):
    return x.clone(memory_format=torch.channels_last) if x.ndim == 4 else x.clone()


def in_columns(x):
    """In an order that no kernel goes through in one go."""
    return x.mT.clone(memory_format=torch.contiguous_format).mT if x.ndim > 1 else x.clone()


# How weights lie, and how their gradients do: in the orders that have a kernel, and where orders differ.
LYING = [
    (as_given, as_given),
    (channels_last, channels_last),
    (channels_last, as_given),
    (as_given, in_columns),
]


@pytest.mark.parametrize("adapt", [True, False])
@pytest.mark.parametrize(("weights_lie", "gradients_lie"), LYING)
def test_ten_steps_equal_the_loop(adapt, weights_lie, gradients_lie, monkeypatch):
    monkeypatch.setattr(lars, "CHUNK", 16)  # so that the larger ones here are summed in several parts
    rng = np.random.default_rng(0)
    shapes = [(4, 3), (5,), (2, 3, 3), (1, 1), (5, 3, 3, 2)]
    weights = [rng.normal(size=shape) for shape in shapes]
    weights[3][:] = 0  # a zero matrix: the ratio is undefined, and the plain step is taken
    gradients = [[rng.normal(size=shape) for shape in shapes] for _ in range(10)]
    parameters = [torch.nn.Parameter(weights_lie(torch.from_numpy(w))) for w in weights]
    optimizer = LARS(
        [{"params": parameters, "adapt": adapt}],
        lr=0.7,
        momentum=0.9,
        weight_decay=0.1,
        trust_coefficient=0.02,
    )
    for step in gradients:
        for parameter, gradient in zip(parameters, step, strict=True):
            parameter.grad = gradients_lie(torch.from_numpy(gradient))
        optimizer.step()
    expected = reference(weights, gradients, lr=0.7, momentum=0.9, decay=0.1, trust=0.02, adapt=adapt)
    for parameter, w in zip(parameters, expected, strict=True):
        np.testing.assert_allclose(parameter.detach().numpy(), w, rtol=1e-12, atol=1e-15)


def test_gradients_are_left_as_they_were():
    parameter = torch.nn.Parameter(torch.ones(3, 3))
    parameter.grad = torch.full((3, 3), 2.0)
    LARS([parameter], lr=0.1).step()
    assert (parameter.grad == 2).all()


def test_a_matrix_moves_by_trust_whatever_the_gradients_scale():
    moved = []
    for scale in (1e-6, 1e6):
        parameter = torch.nn.Parameter(torch.ones(4, 4, dtype=torch.float64))
        parameter.grad = torch.full((4, 4), scale, dtype=torch.float64)
        LARS([parameter], lr=1.0, weight_decay=0.0).step()
        moved.append(float((1 - parameter.detach()).norm() / 4))
    assert moved == pytest.approx([1e-3, 1e-3])


def test_a_parameter_without_gradient_stays_and_state_returns():
    frozen, live = torch.nn.Parameter(torch.ones(2, 2)), torch.nn.Parameter(torch.ones(2, 2))
    optimizer = LARS([frozen, live], lr=0.5)
    live.grad = torch.ones(2, 2)
    optimizer.step()
    assert (frozen == 1).all()
    other = LARS([frozen, torch.nn.Parameter(live.detach().clone())], lr=0.5)
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    other.param_groups[0]["params"][1].grad = torch.ones(2, 2)
    optimizer.step()
    other.step()
    assert torch.equal(other.param_groups[0]["params"][1], live)


def test_numbers_out_of_range_are_refused():
    with pytest.raises(ValueError, match="momentum"):
        LARS([torch.nn.Parameter(torch.ones(1))], lr=0.1, momentum=1.0)
