from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from sage_lightning.data.augment import FullView, PairedCrop, View

EPOCH, SAMPLE = torch.zeros(64, dtype=torch.int64), torch.arange(64) * 31337
SIZES = {"rgb_size": (56, 48), "ir_size": (28, 40)}


def blob(centre: Tensor, size: tuple[int, int]) -> Tensor:
    """(B, *size): a soft spot at these (B, 2) fractions of the field of view, on a dark ground."""
    rows, columns = ((torch.arange(n, dtype=torch.float64) + 0.5) / n for n in size)
    down = (rows[None] - centre[:, :1]).square()[:, :, None]
    across = (columns[None] - centre[:, 1:]).square()[:, None]
    return torch.exp(-(down + across) / (2 * 0.04**2))


def see(
    view: View, rgb: Tensor, degrees: Tensor, seed: int, epoch: Tensor, sample: Tensor
) -> tuple[Tensor, Tensor]:
    return view.crops(seed, epoch, sample).cut(rgb, degrees)


def place(images: Tensor) -> Tensor:
    """(B, 2): the centre of mass, as fractions of the image."""
    height, width = images.shape[1:]
    mass = images.sum((1, 2))
    rows = (torch.arange(height, dtype=images.dtype) + 0.5) / height
    columns = (torch.arange(width, dtype=images.dtype) + 0.5) / width
    return torch.stack([images.sum(2) @ rows / mass, images.sum(1) @ columns / mass], 1)


@pytest.mark.parametrize(
    "view",
    [PairedCrop(**SIZES, flip=0.5), PairedCrop(**SIZES, flip=0.5, vertical_flip=0.5), FullView(**SIZES)],
)
def test_a_mark_lands_in_the_same_place_in_both_sensors(view: View):
    """Through crop, mirror and resize, though the sensors differ in resolution before and after."""
    centre = 0.35 + 0.3 * torch.rand(64, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    rgb = blob(centre, (96, 128))[:, None].expand(-1, 3, -1, -1)
    degrees = blob(centre, (63, 84))
    seen_rgb, seen_ir = see(view, rgb, degrees, 3, EPOCH, SAMPLE)
    assert seen_rgb.shape == (64, 3, 56, 48)
    assert seen_ir.shape == (64, 28, 40)
    # Spots that the crop cuts have no centre to speak of; most are whole.
    peak = torch.stack(
        [seen_rgb[:, 0].flatten(1).argmax(1) // 48 / 56, seen_rgb[:, 0].flatten(1).argmax(1) % 48 / 48], 1
    )
    inside = ((peak > 0.25) & (peak < 0.75)).all(1)
    assert inside.sum() > 20
    found_rgb, found_ir = place(seen_rgb[:, 0])[inside], place(seen_ir)[inside]
    assert (found_rgb - found_ir).abs().max() < 0.005
    assert (found_rgb - centre[inside]).abs().max() > 0.1 or isinstance(view, FullView)


def test_a_mark_lands_where_the_box_says():
    view = PairedCrop(**SIZES, flip=0.0)
    boxes, _ = view.boxes(3, EPOCH, SAMPLE)
    middle = boxes[:, :2].double() + boxes[:, 2:].double() / 2
    seen, _ = see(view, blob(middle, (96, 128))[:, None], blob(middle, (63, 84)), 3, EPOCH, SAMPLE)
    assert (place(seen[:, 0]) - 0.5).abs().max() < 0.005
    mirrored, _ = see(
        PairedCrop(**SIZES, flip=1.0),
        blob(middle + 0.05, (96, 128))[:, None],
        blob(middle, (63, 84)),
        3,
        EPOCH,
        SAMPLE,
    )
    found = place(mirrored[:, 0])
    assert (found[:, 0] > 0.53).all()
    assert (found[:, 1] < 0.47).all()


def test_up_is_up_unless_asked_and_flips_are_drawn_apart():
    rgb = torch.rand(64, 3, 20, 30, generator=torch.Generator().manual_seed(0))
    keys = (rgb, rgb[:, 0], 3, EPOCH, SAMPLE)
    whole = PairedCrop(**SIZES, scale=(1.0, 1.0), flip=0.0)
    upright, frames = see(whole, *keys)
    for a, b in zip(see(replace(whole, flip=1.0, vertical_flip=1.0), *keys), (upright, frames), strict=True):
        torch.testing.assert_close(a, b.flip(-1, -2), rtol=0, atol=1e-5)
    found, _ = see(replace(whole, flip=0.5, vertical_flip=0.5), *keys)

    def same(other: Tensor) -> Tensor:
        return (found - other).abs().amax((1, 2, 3)) < 1e-5

    kinds = [same(upright), same(upright.flip(-1)), same(upright.flip(-2)), same(upright.flip(-1, -2))]
    assert torch.equal(torch.stack(kinds).sum(0), torch.ones(64, dtype=torch.int64))
    assert all(6 < kind.sum() < 28 for kind in kinds)


def test_crops_are_those_of_a_random_resized_crop():
    """Area uniform, shape log-uniform where it fits, place uniform; all inside the field of view."""
    n = 4000
    epoch, sample = torch.zeros(n, dtype=torch.int64), torch.arange(n)
    boxes = PairedCrop(**SIZES, scale=(0.2, 0.9)).boxes(0, epoch, sample)[0].double().numpy()
    top, left, height, width = boxes.T
    assert boxes.min() >= 0
    assert max((top + height).max(), (left + width).max()) <= 1 + 1e-6
    deciles = np.quantile(height * width, np.linspace(0, 1, 11))
    np.testing.assert_allclose(deciles, 0.2 + 0.7 * np.linspace(0, 1, 11), atol=0.03)
    ratio = width / height
    assert ratio.min() >= 0.75 - 1e-6
    assert ratio.max() <= 4 / 3 + 1e-6
    free = height * width < 0.75  # any ratio fits there
    assert abs(np.log(ratio[free]).mean()) < 0.02
    assert abs(np.log(ratio[free]).std() - np.log(16 / 9) / 12**0.5) < 0.01
    for start, length in ((top, height), (left, width)):
        share = (start / (1 - length))[length < 0.95]
        np.testing.assert_allclose(
            np.quantile(share, np.linspace(0, 1, 11)), np.linspace(0, 1, 11), atol=0.04
        )


def test_the_whole_field_is_the_whole_field():
    rgb, degrees = torch.rand(64, 3, 20, 30), torch.rand(64, 15, 20)
    full = see(FullView(**SIZES), rgb, degrees, 0, EPOCH, SAMPLE)
    crop = see(PairedCrop(**SIZES, scale=(1.0, 1.0), flip=0.0), rgb, degrees, 0, EPOCH, SAMPLE)
    for a, b in zip(full, crop, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-5)


def test_a_view_depends_on_seed_epoch_and_sample_only():
    rgb, degrees = torch.rand(1, 3, 20, 30).expand(64, -1, -1, -1), torch.rand(1, 15, 20).expand(64, -1, -1)
    view = PairedCrop(**SIZES, jitter=0.05)
    whole = see(view, rgb, degrees, 0, EPOCH, SAMPLE)
    order = torch.tensor([40, 3, 11])
    part = see(view, rgb[order], degrees[order], 0, EPOCH[order], SAMPLE[order])
    for a, b in zip(part, whole, strict=True):
        torch.testing.assert_close(a, b[order], rtol=1e-5, atol=1e-5)
    for other in (see(view, rgb, degrees, 1, EPOCH, SAMPLE), see(view, rgb, degrees, 0, EPOCH + 1, SAMPLE)):
        for a, b in zip(other, whole, strict=True):
            assert ((a - b).flatten(1).abs().amax(1) > 0.01).sum() > 60


def test_jitter_moves_the_thermal_box_alone_and_keeps_it_inside():
    rgb, ir = PairedCrop(**SIZES, jitter=0.1).boxes(0, EPOCH, SAMPLE)
    still_rgb, still_ir = PairedCrop(**SIZES).boxes(0, EPOCH, SAMPLE)
    assert torch.equal(still_rgb, still_ir)
    assert torch.equal(rgb, still_rgb)
    assert torch.equal(ir[:, 2:], rgb[:, 2:])
    shift = (ir - rgb)[:, :2].abs()
    assert 0.05 < shift.max() <= 0.1 + 1e-6
    assert (ir[:, :2] + ir[:, 2:]).max() <= 1 + 1e-6
    assert ir.min() >= 0
