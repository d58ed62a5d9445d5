import numpy as np
import pytest
import torch

from sage_lightning.evaluation.baselines import gradient_grid, gray, mean_and_spread, pixel_features
from sage_lightning.metrics.retrieval import retrieval


def test_mean_and_spread_equal_numpy_and_leave_nan_out():
    image = torch.randn(3, 9, 7, dtype=torch.float64)
    image[0, :4] = torch.nan
    found = mean_and_spread(image).numpy()
    expected = [[np.nanmean(frame), np.nanstd(frame)] for frame in image.numpy()]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert mean_and_spread(torch.full((1, 4, 4), torch.nan)).tolist() == [[0, 0]]


def test_gray_of_white_is_one():
    assert gray(torch.full((1, 3, 2, 2), 255, dtype=torch.uint8)).numpy() == pytest.approx(1, abs=1e-6)


def test_a_ramp_has_one_gradient_everywhere():
    ramp = torch.arange(64.0).repeat(1, 32, 1) * 9
    np.testing.assert_allclose(gradient_grid(ramp).numpy(), 3, rtol=1e-6)  # sqrt(9)


def test_gradients_find_pixel_aligned_partners_across_sensors_and_sizes():
    """The same edges, inverted, shifted and in another resolution: the baseline that a claim has to beat."""
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.random((40, 8, 8)))
    rgb = torch.kron(coarse, torch.ones(1, 8, 8))[:, None].repeat(1, 3, 1, 1).mul(255).to(torch.uint8)
    degrees = 30 - 50 * torch.kron(coarse, torch.ones(1, 12, 12))
    features = pixel_features(rgb, degrees)
    found = retrieval(features["rgb_gradients"].numpy(), features["ir_gradients"].numpy())
    assert found.recall[1] > 0.9
