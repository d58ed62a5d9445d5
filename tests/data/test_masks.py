"""Which patches are hidden: as many as drawn, in blocks, and the same whatever else is in the batch."""

import pytest
import torch

from sage_lightning.data.masks import block_masks

N, GRID = 2000, (6, 9)
PATCHES = GRID[0] * GRID[1]


def masks(share=(0.1, 0.5), probability=0.5, seed=1, epoch=0, ids=None, stream=16, grid=GRID):
    ids = torch.arange(N) * 7919 if ids is None else ids
    return block_masks(grid, share, probability, seed, torch.full_like(ids, epoch), ids, stream)


def test_shares_and_probability_are_as_asked():
    hidden = masks().hidden.sum(1)
    some = hidden[hidden > 0]
    assert len(some) / N == pytest.approx(0.5, abs=0.04)
    assert some.min() == round(0.1 * PATCHES)
    assert some.max() == round(0.5 * PATCHES)
    assert some.float().mean().item() == pytest.approx(0.3 * PATCHES, rel=0.03)
    assert masks(probability=1.0).hidden.any(1).all()


@pytest.mark.parametrize("share", [(0.001, 0.001), (0.25, 0.25), (1.0, 1.0)])
def test_exactly_as_many_are_hidden_as_are_drawn(share):
    """On grids so coarse that a share is no patch, one is."""
    for grid in (GRID, (2, 2), (1, 1)):
        found = masks(share, 1.0, grid=grid)
        patches = grid[0] * grid[1]
        expected = max(1, round(share[0] * patches))
        assert found.hidden.sum(1).unique().tolist() == [expected]
        assert found.place.shape == (N, expected)


def test_the_numbers_are_those_of_the_hidden_patches():
    found = masks()
    assert found.place.shape == found.counts.shape == (N, round(0.5 * PATCHES))
    for hidden, place, counts in zip(*(x[:50] for x in found), strict=True):
        assert sorted(place[counts].tolist()) == hidden.nonzero()[:, 0].tolist()
        assert len(set(place.tolist())) == len(place)  # the others are patches too, and seen
    assert torch.equal(found.counts, found.counts.sort(dim=1, descending=True).values)


def test_a_mask_depends_on_seed_epoch_sample_and_sensor_and_on_nothing_else():
    whole = masks()
    some = torch.tensor([30, 4, 1999])
    part = masks(ids=some * 7919)
    for name in whole._fields:
        assert torch.equal(getattr(part, name), getattr(whole, name)[some])
    for other in (masks(seed=2), masks(epoch=1), masks(stream=17), masks(ids=torch.arange(N))):
        assert (other.hidden != whole.hidden).float().mean() > 0.1


def test_patches_are_hidden_in_blocks():
    """They fill the rectangle around them but for a last row or column; scattered ones would not."""
    hidden = masks(probability=1.0).hidden.unflatten(1, GRID)
    for image in hidden[:200]:
        rows, columns = image.any(1).nonzero()[:, 0], image.any(0).nonzero()[:, 0]
        height, width = (int(side.max() - side.min()) + 1 for side in (rows, columns))
        assert height * width - int(image.sum()) < max(height, width)
    shapes = {(int(image.any(1).sum()), int(image.any(0).sum())) for image in hidden}
    assert len(shapes) > 20


def test_every_patch_is_hidden_now_and_then_those_in_the_middle_more_often():
    often = masks(probability=1.0).hidden.float().mean(0)
    assert often.min() > 0.1
    assert often.max() < 0.6
