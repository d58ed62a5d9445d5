"""Compiled crops are those that torch makes: the same numbers drawn, the same definitions."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from sage_lightning.data.augment import FullView, PairedCrop
from sage_lightning.data.crops import Crops
from sage_lightning.data.kernels.crops import frame_crops, picture_crops
from sage_lightning.data.multicrop import MultiCrop
from sage_lightning.data.photometric import NOTHING, Photometric
from sage_lightning.data.resample import resample, resample_missing
from sage_lightning.data.transform import celsius

B = 5
KEYS = (3, torch.full((B,), 2), torch.arange(B) * 7919)
MEAN, STD = [0.45, 0.5, 0.4], [0.25, 0.2, 0.3]
AS_THEY_ARE = ([0.0] * 3, [1.0] * 3)
SIZES = {"rgb_size": (17, 23), "ir_size": (9, 7)}
VIEWS = {
    "the whole field": FullView(**SIZES),
    "crops": PairedCrop(**SIZES, scale=(0.1, 1.0)),
    "crops turned over": PairedCrop(**SIZES, flip=1.0, vertical_flip=1.0, jitter=0.1),
    "enlarged": PairedCrop((60, 70), (51, 64), scale=(0.05, 0.2)),
    "shrunk much": PairedCrop((4, 3), (2, 3), scale=(0.6, 1.0)),
    "three rounds": MultiCrop(**SIZES, rgb_local_size=(8, 8), ir_local_size=(4, 4), global_crops=3),
}
CHANGES = {
    "nothing": NOTHING,
    "the default": Photometric(),
    "strong": Photometric(
        brightness=0.9, contrast=0.9, saturation=0.9, ir_gain=0.5, ir_offset=9.0, ir_noise=3.0
    ),
    "gray": replace(NOTHING, gray=1.0),
    "blur": Photometric(gray=0.5, blur=0.6, blur_sigma=(0.1, 3.0)),
}


def crops(view: str) -> Crops:
    chosen = VIEWS[view]
    return chosen.large(*KEYS) if isinstance(chosen, MultiCrop) else chosen.crops(*KEYS)


def pictures() -> Tensor:
    """Noise, colours side by side as in the store: no smoothness hides what is a pixel off."""
    draw = torch.Generator().manual_seed(0)
    return torch.randint(256, (B, 40, 52, 3), generator=draw, dtype=torch.uint8).permute(0, 3, 1, 2)


def frames(missing: bool) -> Tensor:
    code = torch.randint(24000, 31000, (B, 29, 36), generator=torch.Generator().manual_seed(1))
    if missing:
        code[1, 5:20, 8:30] = 0
        code[2, ::3] = 0
        code[3] = 0
    return code.to(torch.uint16)


def largest(difference: Tensor) -> float:
    return difference.abs().max().item()


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("changes", CHANGES)
def test_pictures_are_torch_s(view: str, changes: str) -> None:
    cut, photometric = crops(view), CHANGES[changes]
    drawn = photometric.draw(KEYS[0], cut.epoch, cut.crop_id)
    side_by_side = pictures()
    expected = photometric.rgb(resample(side_by_side, cut.rgb), drawn)
    for kind in (
        side_by_side,
        side_by_side.contiguous(),
        side_by_side / 255,
        side_by_side.contiguous() / 255,
    ):
        found = picture_crops(kind, cut.rgb, drawn, *AS_THEY_ARE)
        assert found.shape == expected.shape
        assert largest(found - expected) < 2e-6
    mean, std = (torch.tensor(part)[:, None, None] for part in (MEAN, STD))
    found = picture_crops(side_by_side, cut.rgb, drawn, MEAN, STD)
    assert largest(found - (expected - mean) / std) < 1e-5


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("changes", CHANGES)
def test_frames_are_torch_s(view: str, changes: str, missing: bool) -> None:
    cut, photometric = crops(view), CHANGES[changes]
    drawn = photometric.draw(KEYS[0], cut.epoch, cut.crop_id)
    code = frames(missing)
    for kind in (code, celsius(code.float()).masked_fill(code.int() == 0, torch.nan)):
        seen = resample_missing(kind, cut.ir)
        expected = photometric.ir(seen if kind.is_floating_point() else celsius(seen), drawn)
        found = frame_crops(kind, cut.ir, drawn, photometric.ir_noise)
        assert found.shape == expected.shape
        assert torch.equal(found.isnan(), expected.isnan())
        assert expected.isnan().any() == missing
        # A sum of codes of 29,000 is a hundredth of one off, here as there.
        assert largest((found - expected).nan_to_num()) < (5e-5 if kind.is_floating_point() else 2e-4)


def test_threads_change_nothing() -> None:
    cut, photometric = crops("three rounds"), CHANGES["blur"]
    drawn = photometric.draw(KEYS[0], cut.epoch, cut.crop_id)
    rgb, code = pictures(), frames(missing=True)
    threads = torch.get_num_threads()
    found = []
    try:
        for number in (1, 2, 7):
            torch.set_num_threads(number)
            found.append(
                (
                    picture_crops(rgb, cut.rgb, drawn, MEAN, STD),
                    frame_crops(code, cut.ir, drawn, photometric.ir_noise),
                )
            )
    finally:
        torch.set_num_threads(threads)
    for other in found[1:]:
        for one, expected in zip(other, found[0], strict=True):
            assert np.array_equal(one.numpy(), expected.numpy(), equal_nan=True)
