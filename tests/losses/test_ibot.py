"""iBOT's term on grids of any two shapes, against loops in float64."""

import math
from fractions import Fraction

import pytest
import torch

from sage_lightning.losses.ibot import area_shares, axis_shares, patch_cross_entropy, targets_at

P, K = 3, 5
GRIDS = [((4, 4), (4, 4)), ((2, 2), (7, 7)), ((12, 16), (6, 6)), ((3, 5), (4, 2)), ((1, 1), (3, 4))]


def edges(count):
    return tuple(edge / count for edge in range(count + 1))


def both_edges(grid):
    return tuple(map(edges, grid))


def logits(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def covered(i, n, j, m):
    """The share of interval i of n that interval j of m covers, as a fraction."""
    low, high = max(Fraction(i, n), Fraction(j, m)), min(Fraction(i + 1, n), Fraction(j + 1, m))
    return max(high - low, Fraction(0)) * n


def pairs(into, parts):
    """(i, j, share of patch i that patch j covers) by loops over rows and columns."""
    for r in range(into[0]):
        for c in range(into[1]):
            for y in range(parts[0]):
                for x in range(parts[1]):
                    share = covered(r, into[0], y, parts[0]) * covered(c, into[1], x, parts[1])
                    yield r * into[1] + c, y * parts[1] + x, float(share)


def test_two_thirds_by_hand():
    found = axis_shares(edges(2), edges(3)).tolist()
    assert found == [
        pytest.approx([2 / 3, 1 / 3, 0], abs=1e-15),
        pytest.approx([0, 1 / 3, 2 / 3], abs=1e-15),
    ]


@pytest.mark.parametrize(("into", "parts"), GRIDS)
def test_shares_are_those_of_areas(into, parts):
    found = area_shares(both_edges(into), both_edges(parts))
    assert found.sum(1).tolist() == pytest.approx([1] * math.prod(into), abs=1e-14)
    for i, j, share in pairs(into, parts):
        assert found[i, j].item() == pytest.approx(share, abs=1e-14)
    if into == parts:
        assert torch.equal(found, torch.eye(len(found), dtype=torch.float64))


def test_padding_is_no_part_of_a_patch():
    """50 pixels in patches of 16: the last one has 2."""
    padded = tuple(min(edge * 16 / 50, 1.0) for edge in range(5))
    found = axis_shares(edges(2), padded)
    assert found[1].tolist() == pytest.approx([0, 7 / 25, 16 / 25, 2 / 25])
    assert axis_shares(padded, edges(2))[3].tolist() == [0, 1]


@pytest.mark.parametrize(("student", "teacher"), GRIDS)
def test_the_term_is_that_of_loops(student, teacher):
    """Over hidden patches, the area-weighted mean of the cross-entropies with what the teacher has there."""
    n, m, tau = math.prod(student), math.prod(teacher), 0.7
    said, targets = logits(P, n, K), (logits(P, m, K, seed=1) / 0.3).softmax(-1)
    hidden = torch.rand(P, n, generator=torch.Generator().manual_seed(2)) < 0.6
    hidden[0, 0] = True
    values = []
    for p in range(P):
        for i in hidden[p].nonzero()[:, 0].tolist():
            log_q = [
                float(x) / tau - math.log(sum(math.exp(float(y) / tau) for y in said[p, i]))
                for x in said[p, i]
            ]
            values.append(0.0)
            for to, j, share in pairs(student, teacher):
                if to == i:
                    terms = zip(targets[p, j].tolist(), log_q, strict=True)
                    values[-1] -= share * sum(target * log for target, log in terms)
    place = torch.argsort(logits(P, n, seed=3), dim=1)  # in any order
    shares = None if student == teacher else area_shares(both_edges(student), both_edges(teacher))
    aims = targets_at(targets, place, shares)
    assert aims.sum(-1).flatten().tolist() == pytest.approx([1] * P * n, abs=1e-14)
    asked = said.take_along_dim(place[:, :, None], 1)
    counts = hidden.take_along_dim(place, 1)
    found = patch_cross_entropy(asked, aims, counts, tau, hidden.sum())
    assert found.item() == pytest.approx(sum(values) / len(values), rel=1e-13)


def test_only_hidden_patches_have_a_say():
    said, targets = logits(P, 4, K).requires_grad_(), logits(P, 4, K, seed=1).softmax(-1)
    counts = torch.tensor([[True, True, False, False], [False] * 4, [True, False, False, False]])
    patch_cross_entropy(said, targets, counts, 0.1, counts.sum()).backward()
    assert torch.equal(said.grad.abs().sum(-1) > 0, counts)


def test_where_nothing_is_hidden_there_is_no_term_and_no_gradient():
    said, targets = logits(P, 4, K).requires_grad_(), logits(P, 4, K, seed=1).softmax(-1)
    counts = torch.zeros(P, 4, dtype=torch.bool)
    found = patch_cross_entropy(said, targets, counts, 0.1, counts.sum().clamp_min(1))
    found.backward()
    assert found == 0
    assert not said.grad.any()


def test_half_precision_is_not_summed_in():
    said, targets = logits(P, 4, K), logits(P, 9, K, seed=1).softmax(-1)
    place = torch.arange(4).expand(P, 4)
    counts, shares = place < 3, area_shares(both_edges((2, 2)), both_edges((3, 3)))
    expected = patch_cross_entropy(said.bfloat16().double(), shares @ targets, counts, 0.1, counts.sum())
    with torch.autocast("cpu", torch.bfloat16):
        aims = targets_at(targets.float(), place, shares.float())
        found = patch_cross_entropy(said.bfloat16(), aims, counts, 0.1, counts.sum())
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
