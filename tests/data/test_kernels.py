"""What Numba compiles does what torch's operations do, for every kind of input that it is asked for."""

import pytest
import torch
from torch import Tensor

from sage_lightning.data import photometric as photometric_module
from sage_lightning.data import resample as resample_module
from sage_lightning.data.photometric import Photometric
from sage_lightning.data.resample import (
    Taps,
    crop_resize,
    crop_resize_missing,
    kernels_for,
    resample,
    triangles,
)

pytest.importorskip("numba")
B, ROUNDS = 3, 2
FLIP = torch.arange(ROUNDS * B) % 2 == 0


def pictures() -> Tensor:
    """As the store keeps them: colours of a pixel side by side."""
    draw = torch.Generator().manual_seed(0)
    return torch.randint(256, (B, 40, 56, 3), generator=draw, dtype=torch.uint8).permute(0, 3, 1, 2)


def boxes() -> Tensor:
    start = torch.rand(ROUNDS * B, 4, generator=torch.Generator().manual_seed(1)) / 2
    start[0] = torch.tensor([0.0, 0.0, 1.0, 1.0])
    return start.clamp_min(0.0) + torch.tensor([0.0, 0.0, 0.1, 0.1]) * (start[:, :1] > 0)


@pytest.mark.parametrize("size", [(40, 56), (9, 60), (70, 13), (5, 4)])
def test_crops_of_bytes_are_those_of_numbers(size: tuple[int, int]):
    assert kernels_for(pictures())
    found = crop_resize(pictures(), boxes(), size, FLIP)
    assert found.dtype == torch.float32
    expected = crop_resize(pictures().double() / 255, boxes().double(), size, FLIP)
    assert not kernels_for(pictures().double())
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=1e-5)


def test_one_box_for_all_and_any_order_of_bytes():
    whole = torch.tensor([[0.0, 0.0, 1.0, 1.0]])
    straight = torch.zeros(1, dtype=torch.bool)
    found = crop_resize(pictures(), whole, (20, 28), straight)
    assert len(found) == B
    assert torch.equal(crop_resize(pictures().contiguous(), whole, (20, 28), straight), found)


def test_top_and_bottom_turn_as_well():
    how = triangles(boxes(), pictures(), (9, 11), FLIP, ~FLIP)
    found = resample(pictures(), how)
    expected = resample(
        pictures().double(), triangles(boxes().double(), pictures().double(), (9, 11), FLIP, ~FLIP)
    )
    torch.testing.assert_close(found.double() * 255, expected, rtol=0, atol=2e-3)
    assert isinstance(how.rows, Taps)


@pytest.mark.parametrize("missing", [False, True])
def test_thermal_codes_are_cut_as_degrees_are(missing: bool):
    draw = torch.Generator().manual_seed(2)
    code = torch.randint(25000, 31000, (B, 40, 56), generator=draw, dtype=torch.int32)
    if missing:
        code[0, 3:20, 5:30] = 0
        code[2] = 0
    degrees = code.double().masked_fill(code == 0, torch.nan)
    for size in ((8, 9), (50, 60), (4, 5)):
        found = crop_resize_missing(code.to(torch.uint16), boxes(), size, FLIP)
        expected = crop_resize_missing(degrees, boxes().double(), size, FLIP)
        torch.testing.assert_close(found.double(), expected, rtol=2e-6, atol=0, equal_nan=True)


@pytest.mark.parametrize("size", [(16, 20), (97, 64)])  # fewer and more pixels than are summed up at once
def test_colours_change_alike(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch):
    pairs = 40
    change = Photometric(brightness=0.8, contrast=1.5, saturation=0.9, gray=0.3)
    changes = change.draw(1, torch.zeros(pairs, dtype=torch.int64), torch.arange(pairs))
    pixels = torch.rand(pairs, 3, *size, generator=torch.Generator().manual_seed(3))
    found = change.rgb(pixels.clone(), changes)
    monkeypatch.setattr(photometric_module, "kernels_for", lambda images: False)
    torch.testing.assert_close(found, change.rgb(pixels.clone(), changes), rtol=0, atol=1e-5)
    assert 4 < changes.gray.sum() < 20
    assert torch.equal(found[changes.gray][:, 0], found[changes.gray][:, 2])


def test_without_numba_the_crops_are_the_same(monkeypatch: pytest.MonkeyPatch):
    found = crop_resize(pictures(), boxes(), (12, 10), FLIP)
    monkeypatch.setattr(resample_module, "_numba", lambda: False)
    torch.testing.assert_close(crop_resize(pictures(), boxes(), (12, 10), FLIP), found, rtol=0, atol=1e-5)
