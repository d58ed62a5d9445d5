from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torchvision.transforms.v2.functional import adjust_contrast, adjust_saturation, gaussian_blur

from sage_lightning.data.photometric import Photometric

NOTHING = Photometric(
    brightness=0, contrast=0, saturation=0, gray=0, blur=0, ir_gain=0, ir_offset=0, ir_noise=0
)
B = 40
KEYS = (1, torch.zeros(B, dtype=torch.int64), torch.arange(B))


def rgb() -> Tensor:
    return torch.rand(B, 3, 16, 20, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def changed_rgb(photometric: Photometric, pictures: Tensor, *keys: Any) -> Tensor:
    return photometric.rgb(pictures, photometric.draw(*keys))


def changed_ir(photometric: Photometric, frames: Tensor, *keys: Any) -> Tensor:
    return photometric.ir(frames, photometric.draw(*keys))


def degrees() -> Tensor:
    frames = 30 * torch.randn(B, 9, 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 10
    frames[::4, 3, 5] = torch.nan
    return frames


def test_strength_zero_changes_nothing():
    torch.testing.assert_close(changed_rgb(NOTHING, rgb(), *KEYS), rgb(), rtol=0, atol=1e-12)
    torch.testing.assert_close(
        changed_ir(NOTHING, degrees(), *KEYS), degrees(), equal_nan=True, rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("strength", ["brightness", "contrast", "saturation", "gray", "blur"])
def test_each_rgb_strength_changes_pairs_each_in_its_own_way(strength: str):
    found = changed_rgb(replace(NOTHING, **{strength: 0.5}), rgb(), *KEYS)
    assert found.min() >= 0
    assert found.max() <= 1
    change = (found - rgb()).abs().amax((1, 2, 3))
    if strength in ("gray", "blur"):  # probabilities
        assert 8 < (change > 0.01).sum() < 32
    else:
        assert (change > 0.01).sum() > 30
    assert change.unique().numel() > 8
    order = torch.tensor([7, 30])
    alone = changed_rgb(replace(NOTHING, **{strength: 0.5}), rgb()[order], 1, KEYS[1][order], KEYS[2][order])
    torch.testing.assert_close(alone, found[order], rtol=0, atol=1e-12)


def test_contrast_and_saturation_are_torchvisions():
    """Found by solving for the factor from one pixel and comparing all the others."""
    for strength, reference in (("contrast", adjust_contrast), ("saturation", adjust_saturation)):
        found = changed_rgb(replace(NOTHING, **{strength: 0.4}), rgb(), *KEYS)
        for i in range(5):
            factors = torch.linspace(0.6, 1.4, 4001).tolist()
            errors = [
                (reference(rgb()[i], f)[:, 4, 4] - found[i, :, 4, 4]).abs().max().item()
                for f in factors[::40]
            ]
            near = factors[max(0, 40 * errors.index(min(errors)) - 40) :][:81]
            best = min((reference(rgb()[i], f) - found[i]).abs().max().item() for f in near)
            assert best < 1e-3


def test_gray_has_one_colour():
    found = changed_rgb(replace(NOTHING, gray=1.0), rgb(), *KEYS)
    assert torch.equal(found, found[:, :1].expand_as(found))


def test_blur_is_torchvisions_away_from_the_edges():
    found = changed_rgb(replace(NOTHING, blur=1.0, blur_sigma=(0.9, 0.9)), rgb(), *KEYS)
    expected = gaussian_blur(rgb(), [13, 13], [0.9, 0.9])
    torch.testing.assert_close(found[:, :, 6:-6, 6:-6], expected[:, :, 6:-6, 6:-6], rtol=0, atol=1e-6)


def test_gain_keeps_the_mean_and_offset_the_differences():
    gained = changed_ir(replace(NOTHING, ir_gain=0.2), degrees(), *KEYS)
    mean = degrees().nanmean((1, 2))
    torch.testing.assert_close(gained.nanmean((1, 2)), mean)
    factor = (gained - mean[:, None, None]) / (degrees() - mean[:, None, None])
    factor = factor.nan_to_num(nan=1.0)
    assert factor.min() > 0.8 - 1e-9
    assert factor.max() < 1.2 + 1e-9
    assert factor[:, 0, 0].std() > 0.05
    torch.testing.assert_close(factor[1], factor[1, :1, :1].expand(9, 12))
    shift = changed_ir(replace(NOTHING, ir_offset=2.0), degrees(), *KEYS) - degrees()
    assert 1 < shift[:, 0, 0].abs().max() <= 2
    torch.testing.assert_close(shift[1], shift[1, :1, :1].expand(9, 12))


def test_noise_has_its_size_and_missing_stays_missing():
    noise = changed_ir(replace(NOTHING, ir_noise=0.5), degrees(), *KEYS) - degrees()
    assert torch.equal(noise.isnan(), degrees().isnan())
    assert abs(noise[~noise.isnan()].std() - 0.5) < 0.03
    everything = changed_ir(Photometric(), torch.full((B, 9, 12), torch.nan), *KEYS)
    assert everything.isnan().all()


def test_sensors_are_changed_apart():
    """The numbers drawn for one sensor say nothing of the other's."""
    n = 3000
    keys = (1, torch.zeros(n, dtype=torch.int64), torch.arange(n))
    bright = changed_rgb(replace(NOTHING, brightness=0.4), torch.full((n, 3, 1, 1), 0.5), *keys).flatten(1)[
        :, 0
    ]
    warm = changed_ir(replace(NOTHING, ir_offset=1.0), torch.zeros(n, 1, 1), *keys).flatten()
    assert torch.corrcoef(torch.stack([bright, warm]))[0, 1].abs() < 4 / n**0.5
