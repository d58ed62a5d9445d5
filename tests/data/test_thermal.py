import numpy as np
import pytest
import torch
from torch import Tensor

from sage_lightning.data.thermal import Bins3, Celsius, Percentile, ThermalChannels

CHOICES = [Celsius(), Percentile(), Bins3()]


def frames() -> Tensor:
    degrees = (
        30 * torch.randn(6, 20, 25, generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 10
    )
    degrees[1, 3:5, 4:9] = torch.nan
    degrees[2] = torch.nan
    degrees[3] = -7.0  # flat
    return degrees


@pytest.mark.parametrize("choice", CHOICES)
def test_shape_range_and_no_nan(choice: ThermalChannels):
    channels = choice(frames())
    assert channels.shape == (6, choice.channels, 20, 25)
    assert channels.isfinite().all()
    assert channels.abs().max() <= 1.5
    assert torch.equal(channels[2], torch.zeros_like(channels[2]))


@pytest.mark.parametrize("choice", CHOICES)
def test_a_missing_value_is_the_mean_of_its_frame(choice: ThermalChannels):
    degrees = frames()[1:2]
    channels, missing = choice(degrees)[0], degrees[0].isnan()
    for channel in channels:
        expected = channel[~missing].mean()
        torch.testing.assert_close(channel[missing], expected.expand(int(missing.sum())))


@pytest.mark.parametrize("choice", CHOICES)
def test_frames_do_not_see_each_other(choice: ThermalChannels):
    torch.testing.assert_close(choice(frames()[4:5]), choice(frames())[4:5])


def test_celsius_is_one_scale_for_all():
    degrees = torch.tensor([[[-60.0, 0.0, 60.0, 75.0, 120.0, -200.0]]])
    assert Celsius(-60, 60)(degrees).flatten().tolist() == [-1.0, 0.0, 1.0, 1.25, 1.5, -1.5]


def test_percentile_stretches_each_frame_and_forgets_its_temperature():
    degrees = frames()[4:]
    channels = Percentile(5, 95)(degrees)
    for frame, channel in zip(degrees.numpy(), channels[:, 0], strict=True):
        low, high = np.percentile(frame, [5, 95])
        expected = np.clip((frame - low) / (high - low) * 2 - 1, -1.5, 1.5)
        np.testing.assert_allclose(channel.numpy(), expected, atol=1e-12)
    torch.testing.assert_close(Percentile(5, 95)(2 * degrees + 30), channels)
    assert torch.equal(Percentile()(frames()[3:4]), torch.zeros(1, 1, 20, 25, dtype=torch.float64))


def test_bins_share_one_between_them():
    degrees = torch.tensor([[[-70.0, -30.0, -12.0, 5.0, 40.0]]], dtype=torch.float64)
    clear, cloud, ground = Bins3((-30.0, 5.0), softness=1.0)(degrees)[0, :, 0]
    torch.testing.assert_close(clear + cloud + ground, torch.ones_like(clear))
    torch.testing.assert_close(clear[1], torch.tensor(0.5).double())
    torch.testing.assert_close(ground[3], torch.tensor(0.5).double())
    assert torch.stack([clear, cloud, ground]).argmax(0)[[0, 2, 4]].tolist() == [0, 1, 2]
    assert torch.stack([clear, cloud, ground]).min() >= -1e-12


def test_mistakes_are_named():
    with pytest.raises(ValueError, match=r"thermal\.low=5 is not below thermal\.high=5"):
        Celsius(5, 5)
    with pytest.raises(ValueError, match=r"thermal\.low=-1 and thermal\.high=99 are not percentiles"):
        Percentile(-1, 99)
    with pytest.raises(ValueError, match=r"thermal\.thresholds=\[5.0, -30.0\]"):
        Bins3((5.0, -30.0))
    with pytest.raises(ValueError, match=r"thermal\.softness=0"):
        Bins3(softness=0)
