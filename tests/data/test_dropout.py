"""Modality dropout: the share asked for, one sensor of a pair at most, the same on any rank."""

import pytest
import torch

from sage_lightning.batch import PairBatch
from sage_lightning.data.counted import Stream, part_ids
from sage_lightning.data.dropout import ModalityDropout
from sage_lightning.data.multicrop import MultiCrop
from sage_lightning.data.thermal import Celsius
from sage_lightning.data.transform import PairTransform

PAIRS, CROPS = 4000, 3
EPOCH, SAMPLE = torch.full((PAIRS,), 2), torch.arange(PAIRS) * 31337
IDS = part_ids(SAMPLE, Stream.LOCAL_CROPS, CROPS).flatten()


@pytest.mark.parametrize("probability", [0.0, 0.1, 0.5, 1.0])
def test_as_many_views_as_asked_for_half_of_each_sensor(probability: float):
    blank = ModalityDropout(probability).blank(1, EPOCH, SAMPLE, SAMPLE)
    bound = 5 * (0.25 / PAIRS) ** 0.5
    for rows in blank:
        assert abs(rows.float().mean() - probability / 2) <= bound * (probability > 0)
    assert abs((blank[0] | blank[1]).float().mean() - probability) <= bound * (0 < probability < 1)
    assert not (blank[0] & blank[1]).any()


def test_a_pair_never_loses_both_sensors_through_any_number_of_crops():
    rgb, ir = (rows.view(CROPS, PAIRS) for rows in ModalityDropout(0.5).blank(1, EPOCH, SAMPLE, IDS))
    assert not (rgb.any(0) & ir.any(0)).any()
    for rows in (rgb, ir):
        assert abs(rows.float().mean() - 0.25) < 5 * (0.25 / PAIRS) ** 0.5
        some = rows.any(0) & ~rows.all(0)  # crops of a pair are blanked each for itself
        assert some.float().mean() > 0.3


def test_a_view_does_not_depend_on_its_batch_nor_on_its_rank():
    dropout, ids = ModalityDropout(0.5), IDS.view(CROPS, PAIRS)
    whole = [rows.view(CROPS, PAIRS) for rows in dropout.blank(1, EPOCH, SAMPLE, IDS)]
    for rank in range(4):
        share = slice(rank, None, 4)
        part = dropout.blank(1, EPOCH[share], SAMPLE[share], ids[:, share].flatten())
        for found, expected in zip(part, whole, strict=True):
            assert torch.equal(found.view(CROPS, -1), expected[:, share])
    for other in (dropout.blank(2, EPOCH, SAMPLE, IDS), dropout.blank(1, EPOCH + 1, SAMPLE, IDS)):
        assert 0.2 < (other[0].view(CROPS, PAIRS) != whole[0]).float().mean() < 0.6


def test_a_blank_crop_is_the_sensors_mean_and_the_others_are_as_before():
    draw = torch.Generator().manual_seed(0)
    pictures = torch.randint(256, (20, 3, 24, 32), generator=draw, dtype=torch.uint8)
    degrees = 40 * torch.rand(20, 12, 16, generator=draw) - 20
    batch = PairBatch(pictures, degrees, SAMPLE[:20], EPOCH[:20], torch.arange(20))
    path = PairTransform(Celsius(), [0.5] * 3, [0.25] * 3, [0.0], [0.5])
    view = MultiCrop((8, 8), (6, 6), (4, 4), (3, 3), local_crops=CROPS)
    plain = path.multi_crop(batch, view, None, 1)
    found = path.multi_crop(batch, view, None, 1, dropout=ModalityDropout(0.5))
    blank = ModalityDropout(0.5).blank(
        1, EPOCH[:20], SAMPLE[:20], part_ids(SAMPLE[:20], Stream.LOCAL_CROPS, CROPS).flatten()
    )
    for rows, seen, whole in zip(
        blank, (found.rgb_local, found.ir_local), (plain.rgb_local, plain.ir_local), strict=True
    ):
        mask = rows.view(CROPS, 20)
        assert 5 < mask.sum() < 30
        assert (seen[mask] == 0).all()
        assert torch.equal(seen[~mask], whole[~mask])
    lost = [x.flatten(2).eq(0).all(2).any(0) for x in (found.rgb, found.rgb_local, found.ir, found.ir_local)]
    assert not ((lost[0] | lost[1]) & (lost[2] | lost[3])).any()
