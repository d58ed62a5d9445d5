"""The common look: one pattern is one input, whichever sensor shows it and in whichever unit."""

import pytest
import torch
from torch import Tensor

from sage_lightning.config.look import LOOKS as CHOICES
from sage_lightning.data.look import CHANNELS, LOOKS, common_ir, common_rgb, levels, standard


def pattern(frames: int = 6, size: tuple[int, int] = (12, 15)) -> Tensor:
    return torch.rand(frames, *size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("scale", "offset"), [(40.0, -60.0), (0.01, 290.0), (5000.0, 20000.0), (1e-3, 0.0)])
def test_a_picture_and_a_thermal_frame_of_one_pattern_look_the_same(scale: float, offset: float):
    """Celsius, a faint frame in kelvin, counts, a frame stretched for the eye."""
    rgb = common_rgb(0.2 + 0.5 * pattern()[:, None].expand(-1, 3, -1, -1))
    ir = common_ir(scale * pattern() + offset)
    assert rgb.shape == ir.shape == (6, CHANNELS, 12, 15)
    # float32 holds a frame of 0.01 K at 290 K to one part in 300, of its spread in 100
    torch.testing.assert_close(ir, rgb, rtol=0, atol=2e-2 if scale == 0.01 else 1e-4)
    opposite = common_ir(-scale * pattern() + offset)
    assert (opposite + ir).abs().max() < 2e-2


def test_each_frame_is_standard_by_itself():
    frames = pattern() * torch.logspace(-1, 3, 6)[:, None, None] + torch.linspace(-100, 100, 6)[:, None, None]
    for seen in (common_ir(frames), common_rgb(frames[:, None].expand(-1, 3, -1, -1))):
        assert torch.equal(seen, seen[:, :1].expand_as(seen))
        torch.testing.assert_close(seen.mean((1, 2, 3)), torch.zeros(6), rtol=0, atol=1e-3)
        torch.testing.assert_close(seen.std((1, 2, 3), correction=0), torch.ones(6), rtol=0, atol=1e-3)
        torch.testing.assert_close(common_ir(frames[2:3]), seen[2:3])


def test_a_picture_counts_its_colours_equally():
    rgb = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(common_rgb(rgb), common_rgb(rgb.flip(1)))
    assert not torch.allclose(common_rgb(rgb), common_rgb(rgb[:, :1].expand(-1, 3, -1, -1)), atol=0.1)


@pytest.mark.parametrize("value", [0.0, 1.0, 293.15, -60.1, 20000.3])
def test_a_flat_frame_is_zero(value: float):
    """But for rounding, too, which is no pattern."""
    flat = torch.full((2, 17, 19), value)
    assert torch.equal(common_ir(flat), torch.zeros(2, 3, 17, 19))
    assert torch.equal(common_rgb(flat[:, None].expand(-1, 3, -1, -1)), torch.zeros(2, 3, 17, 19))


def test_what_is_missing_is_the_frames_mean():
    frames = 20 * pattern() - 40
    frames[0, 3:5, 2] = torch.nan
    frames[1] = torch.nan
    seen = common_ir(frames)
    assert seen.isfinite().all()
    assert seen[0, :, 3:5, 2].abs().max() < 1e-5  # the mean is 0
    known = ~frames[0].isnan()
    assert torch.corrcoef(torch.stack([seen[0, 0][known], frames[0][known]]))[0, 1] > 0.9999
    assert torch.equal(seen[1], torch.zeros(3, 12, 15))
    torch.testing.assert_close(seen[2:], common_ir(frames[2:]))


def test_one_hot_pixel_is_held():
    frames = pattern(1)
    frames[0, 0, 0] = 500.0
    assert common_ir(frames).max() == 4
    assert standard(frames[:, None]).isfinite().all()


def test_with_its_level_a_frame_could_be_made_again():
    """Nothing but what lies beyond the bounds is lost by both."""
    frames = pattern() * torch.linspace(0.1, 3, 6)[:, None, None] + torch.linspace(-2, 2, 6)[:, None, None]
    mean, spread = levels(frames[:, None], 1).T
    again = mean[:, None, None] + spread.exp()[:, None, None] * common_ir(frames)[:, 0]
    torch.testing.assert_close(again, frames, rtol=0, atol=1e-5)


def test_levels_are_means_of_parts_and_what_varies():
    parts = torch.arange(8.0).view(1, 2, 2, 2).repeat_interleave(3, 2).repeat_interleave(5, 3)  # 2 channels
    found = levels(torch.cat([parts, torch.full_like(parts, 7.0)]), 2)
    spread = torch.tensor([0, 1, 2, 3.0]).std(correction=0).log()
    torch.testing.assert_close(found[0], torch.cat([torch.arange(8.0), spread.expand(2)]))
    torch.testing.assert_close(
        found[1], torch.tensor([7.0] * 8 + [0.01] * 2).log().where(torch.arange(10) > 7, 7)
    )


def test_the_rules_know_the_same_looks():
    assert CHOICES == LOOKS
