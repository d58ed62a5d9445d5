"""VICReg's terms against loops written from the authors' description, in float64."""

import math

import numpy as np
import pytest
import torch

from sage_lightning.losses.vicreg import covariance_term, on_gram_side, vicreg_terms


def projections(pairs: int, features: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Correlated pairs whose features differ in scale, on both sides of the hinge."""
    rng = np.random.default_rng(seed)
    scale = np.linspace(0.1, 3.0, features)
    z_rgb = rng.normal(size=(pairs, features)) @ rng.normal(size=(features, features)) * scale / 2
    z_ir = 0.5 * z_rgb + rng.normal(size=(pairs, features)) * 0.4
    return torch.from_numpy(z_rgb), torch.from_numpy(z_ir)


def reference(z_rgb: np.ndarray, z_ir: np.ndarray, eps: float = 1e-4) -> tuple[float, float, float]:
    """Loops over single numbers; shares no formula with the package."""
    pairs, features = z_rgb.shape
    invariance = 0.0
    for i in range(pairs):
        for j in range(features):
            invariance += (z_rgb[i, j] - z_ir[i, j]) ** 2 / (pairs * features)
    variance = covariance = 0.0
    for z in (z_rgb, z_ir):
        means = [sum(z[i, j] for i in range(pairs)) / pairs for j in range(features)]
        c = [[0.0] * features for _ in range(features)]
        for j in range(features):
            for k in range(features):
                for i in range(pairs):
                    c[j][k] += (z[i, j] - means[j]) * (z[i, k] - means[k]) / (pairs - 1)
        for j in range(features):
            variance += max(0.0, 1.0 - math.sqrt(c[j][j] + eps)) / features / 2  # the mean of two hinges
            for k in range(features):
                if j != k:
                    covariance += c[j][k] ** 2 / features  # of both sensors, added
    return invariance, variance, covariance


@pytest.mark.parametrize(("pairs", "features"), [(2, 3), (7, 5), (16, 9)])
def test_terms_equal_an_independent_formula(pairs, features):
    z_rgb, z_ir = projections(pairs, features)
    terms = vicreg_terms(z_rgb, z_ir)
    assert terms.variance > 0
    np.testing.assert_allclose([float(t) for t in terms], reference(z_rgb.numpy(), z_ir.numpy()), rtol=1e-12)


def test_values_by_hand():
    # Two pairs, two features: variance of each feature is 2, covariance 2 (rgb) and -2 (ir).
    z_rgb = torch.tensor([[1.0, 1.0], [-1.0, -1.0]], dtype=torch.float64)
    z_ir = torch.tensor([[1.0, -1.0], [-1.0, 1.0]], dtype=torch.float64)
    terms = vicreg_terms(z_rgb, z_ir)
    assert terms.invariance == 2.0  # (0 + 4 + 0 + 4) / 4
    assert terms.variance == 0.0
    assert terms.covariance == 8.0  # (4 + 4) / 2, twice


def test_collapse_costs_the_whole_hinge_and_still_has_a_gradient():
    z = torch.zeros(4, 3, dtype=torch.float64)
    terms = vicreg_terms(z, z)
    assert float(terms.variance) == pytest.approx(1 - math.sqrt(1e-4))
    noisy = (1e-3 * torch.randn(4, 3, dtype=torch.float64)).requires_grad_()
    vicreg_terms(noisy, noisy.detach()).variance.backward()
    assert noisy.grad.isfinite().all()
    assert noisy.grad.norm() > 0


@pytest.mark.parametrize("term", [0, 1, 2])
def test_gradients_of_each_term(term):
    z_rgb, z_ir = (z.requires_grad_() for z in projections(5, 4))
    assert torch.autograd.gradcheck(lambda a, b: vicreg_terms(a, b)[term], (z_rgb, z_ir))


def test_order_of_pairs_and_of_sensors_does_not_matter():
    z_rgb, z_ir = projections(9, 6)
    order = torch.randperm(9, generator=torch.Generator().manual_seed(3))
    terms = torch.stack(vicreg_terms(z_rgb, z_ir))
    torch.testing.assert_close(torch.stack(vicreg_terms(z_rgb[order], z_ir[order])), terms)
    torch.testing.assert_close(torch.stack(vicreg_terms(z_ir, z_rgb)), terms)
    broken = vicreg_terms(z_rgb[order], z_ir)
    assert broken.invariance != pytest.approx(float(terms[0]))  # pairs matter to this term, and to no other
    torch.testing.assert_close(torch.stack(broken[1:]), terms[1:])


def test_a_shift_of_a_sensor_moves_only_invariance():
    z_rgb, z_ir = projections(9, 6)
    terms, shifted = vicreg_terms(z_rgb, z_ir), vicreg_terms(z_rgb + 5, z_ir)
    torch.testing.assert_close(torch.stack(shifted[1:]), torch.stack(terms[1:]))
    assert shifted.invariance > terms.invariance + 1


def test_uncorrelated_features_have_no_covariance():
    z = torch.tensor([[1, 1], [1, -1], [-1, 1], [-1, -1]], dtype=torch.float64)
    assert covariance_term(z) == 0.0


def direct(z: torch.Tensor) -> torch.Tensor:
    """The covariance term by NumPy's convention of it, differentiated by autograd."""
    covariance = torch.cov(z.T)
    return (covariance - covariance.diag().diag()).square().sum() / z.shape[1]


# At half of the features, on both sides of it, and where the batch is the larger.
@pytest.mark.parametrize(
    ("pairs", "features"), [(2, 4), (8, 16), (8, 15), (9, 17), (9, 18), (5, 90), (40, 6)]
)
def test_either_side_gives_the_direct_value_and_gradient(pairs, features):
    z, _ = (z.requires_grad_() for z in projections(pairs, features))
    found, expected = covariance_term(z), direct(z)
    assert found.item() == pytest.approx(expected.item(), rel=1e-13)
    gradients = [torch.autograd.grad(3 * value, z)[0] for value in (found, expected)]
    assert gradients[1].norm() > 0.1
    assert (gradients[0] - gradients[1]).norm() < 1e-12 * gradients[1].norm()


def test_the_side_is_chosen_by_the_batch():
    assert [on_gram_side(pairs, 8) for pairs in (2, 4, 5, 8)] == [True, True, False, False]


@pytest.mark.parametrize("features", [63, 64])
def test_float32_on_either_side_is_near_float64(features):
    z = torch.randn(32, features, generator=torch.Generator().manual_seed(0))
    found, exact = z.clone().requires_grad_(), z.double().requires_grad_()
    values = covariance_term(found), direct(exact)
    assert values[0].item() == pytest.approx(values[1].item(), rel=1e-5)
    gradients = [
        torch.autograd.grad(value, side)[0] for value, side in zip(values, (found, exact), strict=True)
    ]
    assert (gradients[0] - gradients[1]).norm() < 1e-5 * gradients[1].norm()


def test_a_feature_that_outweighs_all_others_leaves_no_negative_value():
    values = []
    for seed in range(20):
        z = torch.randn(8, 16, generator=torch.Generator().manual_seed(seed))
        z[:, 1:] *= 1e-5
        values.append(covariance_term(z).item())
    assert min(values) >= 0
    assert max(values) < 1e-5  # the truth is about 1e-10, and the feature's own variance squared about 1


def test_half_precision_is_computed_in_float32():
    z_rgb, z_ir = (z.to(torch.bfloat16) for z in projections(16, 8))
    exact = torch.stack(vicreg_terms(z_rgb.double(), z_ir.double()))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        terms = torch.stack(vicreg_terms(z_rgb, z_ir))
    assert terms.dtype == torch.float32
    torch.testing.assert_close(terms.double(), exact, rtol=1e-5, atol=1e-7)


def test_terms_of_regions_equal_an_independent_formula():
    """Loops over regions: sums of each region's own covariance, added up before they are squared."""
    pairs, regions, features = 6, 4, 5
    z_rgb, z_ir = (z / 20 for z in projections(pairs, regions * features))
    variance = covariance = 0.0
    for z in (z_rgb.numpy(), z_ir.numpy()):
        parts = [z[:, r * features : (r + 1) * features] for r in range(regions)]
        c = sum(np.cov(part, rowvar=False) for part in parts) / regions
        variance += np.maximum(0, 1 - np.sqrt(np.diag(c) + 1e-4)).mean() / 2
        covariance += (c**2).sum() / features - (np.diag(c) ** 2).sum() / features
    terms = vicreg_terms(z_rgb, z_ir, regions=regions)
    assert variance > 0
    expected = [((z_rgb - z_ir) ** 2).mean().item(), variance, covariance]
    np.testing.assert_allclose([float(t) for t in terms], expected, rtol=1e-12)


def test_what_tells_regions_but_not_scenes_apart_varies_by_nothing():
    z = torch.randn(1, 12, dtype=torch.float64).expand(5, 12)  # the same in all five scenes
    terms = vicreg_terms(z, z, regions=4)
    assert terms.variance.item() == pytest.approx(1 - 1e-2)
    assert terms.covariance.item() == pytest.approx(0, abs=1e-20)


def test_regions_must_divide_the_features():
    z = torch.ones(3, 10)
    with pytest.raises(ValueError, match="10 features are not 4 regions"):
        vicreg_terms(z, z, regions=4)


def test_one_pair_is_refused():
    z = torch.ones(1, 4)
    with pytest.raises(ValueError, match="at least 2 pairs"):
        vicreg_terms(z, z)


def test_shapes_must_agree():
    with pytest.raises(ValueError, match=r"\(B, D\)"):
        vicreg_terms(torch.ones(3, 4), torch.ones(4, 4))
