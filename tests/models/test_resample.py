"""Resampled weights answer resized images as the old ones did; what needs no resampling is not touched."""

import pytest
import torch
from timm.layers import resample_patch_embed
from torch.nn.functional import conv2d, interpolate

from sage_lightning.models.resample import (
    adapt_channels,
    resample_biases,
    resample_patch,
    resample_positions,
    resize_matrix,
)


def drawn(*shape, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=dtype)


@pytest.mark.parametrize(("old", "new"), [((8, 8), (16, 16)), ((4, 6), (7, 6)), ((14, 14), (16, 16))])
def test_an_enlarged_patch_is_answered_as_before(old, new):
    weight, patches = drawn(5, 3, *old), drawn(7, 3, *old)
    larger = interpolate(patches, size=new, mode="bicubic", antialias=True)
    before = conv2d(patches, weight)
    after = conv2d(larger, resample_patch(weight, new))
    assert (after - before).norm() <= 1e-12 * before.norm()


def test_an_enlarged_image_gives_nearly_the_same_tokens():
    image = interpolate(drawn(1, 3, 8, 12), size=(64, 96), mode="bicubic")  # smooth, as pictures are
    weight = drawn(5, 3, 8, 8)
    before = conv2d(image, weight, stride=8)
    larger = interpolate(image, scale_factor=2, mode="bicubic", antialias=True)
    after = conv2d(larger, resample_patch(weight, (16, 16)), stride=16)
    assert before.shape == after.shape == (1, 5, 8, 12)
    assert (after - before).norm() < 0.05 * before.norm()  # patches' borders see their neighbours


def test_a_shrunk_patch_is_answered_as_nearly_as_can_be():
    smooth = interpolate(drawn(5, 3, 4, 4), size=(16, 16), mode="bicubic")
    weight, patches = smooth.contiguous(), drawn(9, 3, 8, 8)
    smaller = resample_patch(weight, (8, 8))
    larger = interpolate(patches, size=(16, 16), mode="bicubic", antialias=True)
    before, after = conv2d(larger, weight), conv2d(patches, smaller)
    assert (after - before).norm() < 0.1 * before.norm()
    # No other weights of that size are nearer in the sense of the paper: |Bᵀw' − w| is least.
    resize = resize_matrix((16, 16), (8, 8))
    rest = smaller.flatten(2) @ resize - weight.flatten(2)
    torch.testing.assert_close(rest @ resize.mT, torch.zeros(5, 3, 64).double(), atol=1e-10, rtol=0)


def test_it_is_timms_but_for_rounding():
    weight = drawn(4, 2, 16, 16, dtype=torch.float32)
    for size in ((8, 8), (14, 14), (4, 12), (32, 32)):
        torch.testing.assert_close(
            resample_patch(weight, size), resample_patch_embed(weight, list(size)), atol=2e-4, rtol=2e-4
        )


def test_what_fits_is_given_back():
    weight, table = drawn(4, 3, 8, 6), drawn(1, 13, 4)
    assert resample_patch(weight, (8, 6)) is weight
    assert adapt_channels(weight, 3, "sum") is weight
    assert resample_positions(table, (3, 4), (3, 4), 1) is table
    assert resample_patch(weight.float(), (4, 4)).dtype == torch.float32


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_summed_channels_answer_a_grey_image_as_before(channels):
    weight, grey = drawn(4, 3, 8, 8), drawn(2, 1, 8, 8)
    before = conv2d(grey.expand(-1, 3, -1, -1), weight)
    after = conv2d(grey.expand(-1, channels, -1, -1), adapt_channels(weight, channels, "sum"))
    torch.testing.assert_close(after, before)


def test_averaged_channels_are_the_mean_each():
    weight = drawn(4, 3, 8, 8)
    for channels in (1, 2):
        adapted = adapt_channels(weight, channels, "mean")
        torch.testing.assert_close(adapted, weight.mean(1, keepdim=True).expand(-1, channels, -1, -1))


@pytest.mark.parametrize(("old", "new"), [((4, 4), (2, 8)), ((2, 8), (4, 4)), ((3, 5), (6, 10))])
@pytest.mark.parametrize("prefix", [0, 1, 5])
def test_positions_follow_their_grid_and_prefixes_stay(old, new, prefix):
    rows = torch.linspace(-1, 1, old[0])[:, None].expand(old)
    columns = torch.linspace(-1, 1, old[1])[None].expand(old)
    places = torch.stack([rows, columns, torch.ones(old)], dim=-1).flatten(0, 1)
    prefixes = drawn(prefix, 3, dtype=torch.float32)
    moved = resample_positions(torch.cat([prefixes, places])[None], old, new, prefix)
    assert moved.shape == (1, prefix + new[0] * new[1], 3)
    assert torch.equal(moved[0, :prefix], prefixes)
    grid = moved[0, prefix:].unflatten(0, new)
    torch.testing.assert_close(grid[..., 2], torch.ones(new))
    assert (grid[1:, :, 0] > grid[:-1, :, 0]).all()  # down the rows, which only their own feature tells
    assert (grid[:, 1:, 1] > grid[:, :-1, 1]).all()
    assert (grid[:, :1, 0] - grid[..., 0]).abs().max() < 1e-5


def test_biases_follow_their_window_and_those_of_the_class_token_stay():
    old, new = (3, 3), (2, 4)
    table = torch.cat([torch.full((25, 2), 0.5), drawn(3, 2, dtype=torch.float32)])
    moved = resample_biases(table, old, new, extra=3)
    assert moved.shape == (24, 2)
    torch.testing.assert_close(moved[:21], torch.full((21, 2), 0.5))
    assert torch.equal(moved[21:], table[25:])
    assert resample_biases(table, old, old, extra=3) is table
    with pytest.raises(ValueError, match="25 biases are not 3 × 5"):
        resample_biases(table, (2, 3), new, extra=3)
