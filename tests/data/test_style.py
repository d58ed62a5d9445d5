"""Changes of style: counted, each crop's and each sensor's own; where edges lie, they stay."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from sage_lightning.data.look import common_ir
from sage_lightning.data.style import Style

NOTHING = Style(invert=0, shift=0, power=(1.0, 1.0), blur=0, noise=0)
B = 40
SEED = 3
EPOCH, CROP = torch.full((B,), 2), torch.arange(B) * 31337


def frames(size: tuple[int, int] = (16, 20)) -> Tensor:
    return common_ir(torch.rand(B, *size, generator=torch.Generator().manual_seed(0)))


def correlation(a: Tensor, b: Tensor) -> Tensor:
    """(B,) between the pixels of two frames that are standard."""
    return (a * b).mean((1, 2, 3)) / (a.square().mean((1, 2, 3)) * b.square().mean((1, 2, 3))).sqrt()


def test_no_change_changes_nothing():
    torch.testing.assert_close(NOTHING.rgb(frames(), SEED, EPOCH, CROP), frames(), rtol=0, atol=1e-4)
    torch.testing.assert_close(NOTHING.ir(frames(), SEED, EPOCH, CROP), frames(), rtol=0, atol=1e-4)


@pytest.mark.parametrize("sensor", ["rgb", "ir"])
def test_the_same_crop_is_the_same_and_another_is_another(sensor: str):
    change = getattr(Style(), sensor)
    found = change(frames(), SEED, EPOCH, CROP)
    assert torch.equal(found, change(frames(), SEED, EPOCH, CROP))
    same = frames()[:1].expand(B, -1, -1, -1)
    drawn = change(same, SEED, EPOCH, CROP)
    for other in (
        change(same, SEED + 1, EPOCH, CROP),
        change(same, SEED, EPOCH + 1, CROP),
        change(same, SEED, EPOCH, CROP + 1),
        drawn.roll(1, 0),
    ):
        assert (other - drawn).abs().amax((1, 2, 3)).min() > 0.05


@pytest.mark.parametrize("sensor", ["rgb", "ir"])
def test_a_crop_does_not_depend_on_its_batch(sensor: str):
    """Nor on the rank that has it, which is another batch."""
    change = getattr(Style(), sensor)
    whole = change(frames(), SEED, EPOCH, CROP)
    order = torch.tensor([33, 2, 17])
    part = change(frames()[order], SEED, EPOCH[order], CROP[order])
    torch.testing.assert_close(part, whole[order], rtol=0, atol=1e-5)


def test_no_global_generator_has_a_say():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first = Style().ir(frames(), SEED, EPOCH, CROP)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(1)
    assert torch.equal(first, Style().ir(frames(), SEED, EPOCH, CROP))


def test_sensors_are_changed_apart():
    """Whether one is inverted says nothing of the other."""
    n = 3000
    keys = (SEED, torch.zeros(n, dtype=torch.int64), torch.arange(n))
    same = frames((4, 4))[:1].expand(n, -1, -1, -1)
    invert = replace(NOTHING, invert=0.5)
    signs = torch.stack([correlation(same, change(same, *keys)) for change in (invert.rgb, invert.ir)])
    assert signs.abs().min() > 0.999
    assert torch.corrcoef(signs)[0, 1].abs() < 4 / n**0.5
    assert abs((signs < 0).float().mean() - 0.5) < 0.03


def test_inverting_is_a_change_of_sign():
    found = replace(NOTHING, invert=1.0).rgb(frames(), SEED, EPOCH, CROP)
    torch.testing.assert_close(found, -frames(), rtol=0, atol=1e-4)


def test_a_shift_alone_is_undone_by_the_standardising_and_not_before_a_power():
    shifted = replace(NOTHING, shift=0.9).rgb(frames(), SEED, EPOCH, CROP)
    torch.testing.assert_close(shifted, frames(), rtol=0, atol=1e-4)
    bent = replace(NOTHING, power=(2.0, 2.0)).rgb(frames(), SEED, EPOCH, CROP)
    both = replace(NOTHING, power=(2.0, 2.0), shift=0.9).rgb(frames(), SEED, EPOCH, CROP)
    assert ((both - bent).abs().amax((1, 2, 3)) > 0.05).sum() > 30


def test_a_power_bends_each_frame_in_its_own_way_and_keeps_the_order_of_its_pixels():
    found = replace(NOTHING, power=(0.45, 2.2)).rgb(frames(), SEED, EPOCH, CROP)
    assert ((found - frames()).abs().amax((1, 2, 3)) > 0.05).sum() > 30
    order = frames()[:, 0].flatten(1).argsort(1)
    assert found[:, 0].flatten(1).gather(1, order).diff(dim=1).min() >= 0
    squared = frames().sign() * frames().square()
    expected = common_ir(squared[:, 0])
    exact = replace(NOTHING, power=(2.0, 2.0)).rgb(frames(), SEED, EPOCH, CROP)
    torch.testing.assert_close(exact, expected, rtol=0, atol=1e-4)


def test_blur_is_a_mean_of_nine_for_its_share_of_crops():
    found = replace(NOTHING, blur=0.5).rgb(frames(), SEED, EPOCH, CROP)
    changed = (found - frames()).abs().amax((1, 2, 3)) > 0.01
    assert 8 < changed.sum() < 32
    nine = frames()[:, 0].unfold(1, 3, 1).unfold(2, 3, 1).mean((3, 4))
    inside = found[changed][:, 0, 1:-1, 1:-1].flatten(1)
    pairs = zip(inside, nine[changed].flatten(1), strict=True)
    assert all(torch.corrcoef(torch.stack(pair))[0, 1] > 0.9999 for pair in pairs)


def test_noise_has_its_size():
    flat = torch.zeros(B, 3, 30, 30)
    assert replace(NOTHING, noise=0.3).rgb(flat, SEED, EPOCH, CROP).isfinite().all()
    found = replace(NOTHING, noise=0.3).rgb(frames(), SEED, EPOCH, CROP)
    size = (correlation(found, frames()).pow(-2) - 1).clamp_min(0).sqrt()  # of the noise, in the frame's std
    assert size.max() < 0.36
    assert size.max() - size.min() > 0.2


@pytest.mark.parametrize("size", [(48, 48), (16, 16), (3, 2)])
def test_what_comes_out_is_standard_in_every_size(size: tuple[int, int]):
    for change in (Style().rgb, Style().ir):
        found = change(frames(size), SEED, EPOCH, CROP)
        assert found.shape == (B, 3, *size)
        assert torch.equal(found, found[:, :1].expand_as(found))
        assert found.abs().max() <= 4
        assert found.mean((1, 2, 3)).abs().max() < 0.1
        assert (found.std((1, 2, 3), correction=0) - 1).abs().max() < 0.2


def test_a_flat_frame_stays_finite():
    found = Style().ir(torch.zeros(B, 3, 8, 8), SEED, EPOCH, CROP)
    assert found.isfinite().all()
