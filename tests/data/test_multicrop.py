"""Many crops of a pair: one field of view for both sensors each, the same however many there are."""

from dataclasses import replace

import pytest
import torch

from sage_lightning.batch import PairBatch
from sage_lightning.data.augment import PairedCrop
from sage_lightning.data.counted import Stream, part_ids
from sage_lightning.data.multicrop import MultiCrop
from sage_lightning.data.photometric import Photometric
from sage_lightning.data.resample import crop_resize
from sage_lightning.data.style import Style
from sage_lightning.data.thermal import Celsius
from sage_lightning.data.transform import PairTransform

VIEW = MultiCrop((24, 32), (12, 16), (12, 16), (6, 8), local_crops=3)
PAIRS = 5
EPOCH, SAMPLE = torch.full((PAIRS,), 2), torch.arange(PAIRS) * 31337


def pictures():
    draw = torch.Generator().manual_seed(0)
    return torch.rand(PAIRS, 3, 48, 64, generator=draw), 40 * torch.rand(PAIRS, 24, 32, generator=draw) - 20


@pytest.mark.parametrize("part", ["large", "small"])
def test_a_crop_is_a_paired_crop_of_its_own_sample(part):
    crops = getattr(VIEW, part)(3, EPOCH, SAMPLE)
    found_rgb, found_degrees = crops.cut(*pictures())
    large = part == "large"
    ids = part_ids(SAMPLE, Stream.GLOBAL_CROPS if large else Stream.LOCAL_CROPS, 2 if large else 3)
    sizes = (VIEW.rgb_size, VIEW.ir_size) if large else (VIEW.rgb_local_size, VIEW.ir_local_size)
    crop = PairedCrop(*sizes, VIEW.global_scale if large else VIEW.local_scale)
    for number, crop_ids in enumerate(ids):
        rgb, degrees = crop.crops(3, EPOCH, crop_ids).cut(*pictures())
        here = slice(number * PAIRS, (number + 1) * PAIRS)
        torch.testing.assert_close(found_rgb[here], rgb)
        torch.testing.assert_close(found_degrees[here], degrees)
        assert torch.equal(crops.crop_id[here], crop_ids)


def test_crops_differ_and_do_not_depend_on_how_many_there_are():
    few = VIEW.small(3, EPOCH, SAMPLE)
    many = replace(VIEW, local_crops=6).small(3, EPOCH, SAMPLE)
    torch.testing.assert_close(few.cut(*pictures())[0], many.cut(*pictures())[0][: 3 * PAIRS])
    assert len(many.crop_id.unique()) == 6 * PAIRS
    large = VIEW.large(3, EPOCH, SAMPLE)
    assert not set(large.crop_id.tolist()) & set(many.crop_id.tolist())


def test_a_crop_does_not_depend_on_its_batch():
    rgb, degrees = pictures()
    crops = VIEW.small(3, EPOCH, SAMPLE)
    whole = [x.unflatten(0, (3, PAIRS))[:, 2:4] for x in crops.cut(rgb, degrees)]
    some = (rgb[2:4], degrees[2:4])
    part = VIEW.small(3, EPOCH[2:4], SAMPLE[2:4])
    for found, expected in zip(part.cut(*some), whole, strict=True):
        torch.testing.assert_close(found.unflatten(0, (3, 2)), expected)


def test_several_boxes_of_an_image_are_each_as_one():
    rgb, _ = pictures()
    boxes = torch.rand(3 * PAIRS, 4, generator=torch.Generator().manual_seed(1)) / 2 + 0.01
    flip = torch.arange(3 * PAIRS) % 2 == 0
    found = crop_resize(rgb, boxes, (6, 8), flip)
    for row in range(3 * PAIRS):
        alone = crop_resize(rgb[[row % PAIRS]], boxes[[row]], (6, 8), flip[[row]])
        torch.testing.assert_close(found[[row]], alone)


def transform(look="own"):
    return PairTransform(Celsius(), [0.5] * 3, [0.25] * 3, [0.0], [0.5], look)


def stored():
    rgb, degrees = pictures()
    return PairBatch((rgb * 255).byte(), degrees, SAMPLE, EPOCH, torch.arange(PAIRS))


def test_the_transform_gives_crop_by_pair():
    batch = transform().multi_crop(stored(), VIEW, Photometric(), 3)
    assert batch.rgb.shape == (2, PAIRS, 3, 24, 32)
    assert batch.ir.shape == (2, PAIRS, 1, 12, 16)
    assert batch.rgb_local.shape == (3, PAIRS, 3, 12, 16)
    assert batch.ir_local.shape == (3, PAIRS, 1, 6, 8)
    assert batch.row.tolist() == list(range(PAIRS))
    again = transform().multi_crop(stored(), VIEW, Photometric(), 3)
    assert torch.equal(batch.rgb_local, again.rgb_local)


def test_no_local_crops_are_none():
    batch = transform().multi_crop(stored(), replace(VIEW, local_crops=0), None, 3)
    assert batch.rgb_local.shape == (0, PAIRS, 3, 12, 16)
    assert batch.ir_local.shape == (0, PAIRS, 1, 6, 8)


def test_each_crop_has_a_style_of_its_own_large_and_small():
    path, style = transform("common"), Style()
    styled = path.multi_crop(stored(), VIEW, None, 3, style)
    plain = path.multi_crop(stored(), VIEW, None, 3)
    assert styled.ir.shape == (2, PAIRS, 3, 12, 16)
    assert styled.ir_local.shape == (3, PAIRS, 3, 6, 8)
    ids = part_ids(SAMPLE, Stream.LOCAL_CROPS, 3)
    for number, crop_ids in enumerate(ids):
        expected = style.rgb(plain.rgb_local[number], 3, EPOCH, crop_ids)
        torch.testing.assert_close(styled.rgb_local[number], expected)
        expected = style.ir(plain.ir_local[number], 3, EPOCH, crop_ids)
        torch.testing.assert_close(styled.ir_local[number], expected)
    many = path.multi_crop(stored(), replace(VIEW, local_crops=6), None, 3, style)
    torch.testing.assert_close(many.ir_local[:3], styled.ir_local)
    assert torch.equal(styled.rgb, path.multi_crop(stored(), VIEW, None, 3, style).rgb)
