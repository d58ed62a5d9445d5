import pytest
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from sage_lightning.data.resample import crop_resize, crop_resize_missing

WHOLE = torch.tensor([[0.0, 0.0, 1.0, 1.0]], dtype=torch.float64)
STRAIGHT = torch.zeros(1, dtype=torch.bool)


def images(b: int = 2, c: int = 3, height: int = 30, width: int = 41) -> Tensor:
    return torch.rand(b, c, height, width, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("size", [(30, 41), (7, 11), (13, 64), (60, 80)])
def test_the_whole_image_as_torch_resizes_it(size: tuple[int, int]):
    expected = interpolate(images(), size, mode="bilinear", antialias=True)
    found = crop_resize(images(), WHOLE, size, STRAIGHT)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


def test_same_size_is_the_same_image():
    torch.testing.assert_close(crop_resize(images(), WHOLE, (30, 41), STRAIGHT), images())


def test_a_box_on_whole_pixels_without_scaling_is_a_slice():
    box = torch.tensor([[4 / 30, 5 / 41, 9 / 30, 20 / 41]], dtype=torch.float64)
    found = crop_resize(images(1), box, (9, 20), STRAIGHT)
    torch.testing.assert_close(found, images(1)[:, :, 4:13, 5:25])


def test_each_image_has_its_own_box_and_flip():
    boxes = torch.tensor([[0.1, 0.2, 0.5, 0.4], [0.0, 0.3, 1.0, 0.7]], dtype=torch.float64)
    flip = torch.tensor([False, True])
    found = crop_resize(images(), boxes, (8, 9), flip)
    for i in range(2):
        alone = crop_resize(images()[i : i + 1], boxes[i : i + 1], (8, 9), flip[i : i + 1])
        torch.testing.assert_close(found[i : i + 1], alone)
    straight = crop_resize(images(), boxes, (8, 9), torch.zeros(2, dtype=torch.bool))
    torch.testing.assert_close(found, torch.stack([straight[0], straight[1].flip(-1)]))


@pytest.mark.parametrize(("width", "tolerance"), [(50, 1e-12), (20, 1e-12), (7, 0.05 / 40)])
def test_a_ramp_keeps_its_place_and_slope(width: int, tolerance: float):
    """Exactly where nothing is shrunk by a broken factor, else to a twentieth of a pixel."""
    ramp = (torch.arange(40, dtype=torch.float64) + 0.5).expand(1, 1, 40, 40) / 40
    box = torch.tensor([[0.3, 0.25, 0.4, 0.5]], dtype=torch.float64)
    found = crop_resize(ramp, box, (6, width), STRAIGHT)[0, 0, 0]
    expected = 0.25 + 0.5 * (torch.arange(width, dtype=torch.float64) + 0.5) / width
    torch.testing.assert_close(found, expected, rtol=0, atol=tolerance)


def test_missing_values_weigh_nothing():
    degrees = images(c=1)[:, 0] * 40 - 20
    box = torch.tensor([[0.05, 0.1, 0.9, 0.8]], dtype=torch.float64)
    whole = crop_resize(degrees[:, None], box, (10, 12), STRAIGHT)[:, 0]
    torch.testing.assert_close(crop_resize_missing(degrees, box, (10, 12), STRAIGHT), whole)
    # In a flat frame a hole leaves no trace, and only where nothing at all is known is anything missing.
    flat = torch.full_like(degrees, -17.25)
    flat[0, 10:12, 5:7] = torch.nan
    flat[1, :, 20:] = torch.nan
    found = crop_resize_missing(flat, WHOLE, (10, 12), STRAIGHT)
    torch.testing.assert_close(found[~found.isnan()], torch.full_like(found[~found.isnan()], -17.25))
    assert not found[0].isnan().any()
    assert found[1].isnan().any(0).tolist() == [False] * 6 + [False] + [True] * 5
    assert crop_resize_missing(flat * torch.nan, WHOLE, (10, 12), STRAIGHT).isnan().all()
