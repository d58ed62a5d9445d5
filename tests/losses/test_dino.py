"""DINO's terms against loops in float64, and what a collapsed teacher costs."""

import math

import pytest
import torch

from sage_lightning.losses.dino import (
    balanced_targets,
    crop_cross_entropies,
    crop_cross_entropy,
    entropy,
    koleo,
    teacher_targets,
)

G, S, B, K = 2, 5, 3, 7


def logits(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_hand(student, teacher, tau_s, tau_t, skip_same):
    """The mean over pairs of crops and over pairs of images, one by one."""
    values = []
    for g in range(len(teacher)):
        for s in range(len(student)):
            if skip_same and g == s:
                continue
            for b in range(teacher.shape[1]):
                p = [math.exp(float(x) / tau_t) for x in teacher[g, b]]
                q = [math.exp(float(x) / tau_s) for x in student[s, b]]
                values.append(-sum(a / sum(p) * math.log(c / sum(q)) for a, c in zip(p, q, strict=True)))
    return sum(values) / len(values)


@pytest.mark.parametrize("skip_same", [False, True])
def test_it_is_the_mean_over_pairs_of_crops(skip_same):
    student, teacher = logits(S, B, K), logits(G, B, K, seed=1)
    found = crop_cross_entropy(student, teacher_targets(teacher, 0.7), 0.9, skip_same=skip_same)
    assert found.item() == pytest.approx(by_hand(student, teacher, 0.9, 0.7, skip_same), rel=1e-12)


def test_several_teachers_cost_what_each_alone_costs():
    """And all gradients are autograd's, of the terms written out; targets need not sum to 1."""
    student = logits(S, B, K).requires_grad_()
    targets = [teacher_targets(logits(g, B, K, seed=g), 0.7) * g for g in (1, 2)]
    skips, shares = [False, True], [0.3, 0.7]
    found = crop_cross_entropies(student, targets, 0.9, skip_same=skips)
    pairs = torch.einsum("gbk,sbk->gs", targets[0], -(student / 0.9).log_softmax(-1)) / B
    others = torch.einsum("gbk,sbk->gs", targets[1], -(student / 0.9).log_softmax(-1)) / B
    expected = pairs.mean(), (others.sum() - others.trace()) / (others.numel() - 2)
    for weights in ([1.0, 0.0], [0.0, 1.0], shares):
        values = [sum(w * x for w, x in zip(weights, terms, strict=True)) for terms in (found, expected)]
        assert values[0].item() == pytest.approx(values[1].item(), rel=1e-12)
        gradients = [torch.autograd.grad(value, student, retain_graph=True) for value in values]
        torch.testing.assert_close(*gradients, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("skip_same", [False, True])
def test_uneven_parts_average_to_the_whole(skip_same):
    """Divided by the mean number of pairs, terms of 2, 1 and 0 pairs; that of none is 0."""
    student, teacher = logits(S, B, K), teacher_targets(logits(G, B, K, seed=1), 0.7)
    whole = crop_cross_entropy(student, teacher, 0.9, skip_same=skip_same)
    parts = [
        crop_cross_entropy(s, t, 0.9, skip_same=skip_same, pairs=B / 3)
        for s, t in zip(student.split([2, 1, 0], 1), teacher.split([2, 1, 0], 1), strict=True)
    ]
    assert parts[2] == 0
    assert float(sum(parts)) / 3 == pytest.approx(whole.item(), rel=1e-12)


def sinkhorn(teacher, tau, rounds):
    """From rows that sum to 1: columns to one sum, then rows to 1, number by number."""
    rows = [[math.exp(float(x) / tau) for x in line] for crop in teacher for line in crop]
    rows = [[x / sum(row) for x in row] for row in rows]
    for _ in range(rounds):
        sums = [sum(row[k] for row in rows) for k in range(K)]
        rows = [[x / total for x, total in zip(row, sums, strict=True)] for row in rows]
        rows = [[x / sum(row) for x in row] for row in rows]
    return rows


@pytest.mark.parametrize("rounds", [1, 3])
def test_balanced_targets_are_sinkhorns(rounds):
    teacher = logits(G, 20, K)
    found = balanced_targets(teacher, 0.5, lambda x: x, rounds)
    assert found.flatten(0, 1).tolist() == [
        pytest.approx(row, rel=1e-12) for row in sinkhorn(teacher, 0.5, rounds)
    ]


def test_balanced_targets_use_all_prototypes_alike():
    teacher = logits(G, 20, K) + torch.arange(K)  # one prototype that all would name
    plain = teacher_targets(teacher, 0.5).sum((0, 1))
    found = balanced_targets(teacher, 0.5, lambda x: x)
    assert found.sum(-1).tolist() == [[pytest.approx(1, rel=1e-12)] * 20] * G
    alike = G * 20 / K
    assert plain.max() > 3 * alike
    columns = found.sum((0, 1))  # as rounds are few, nearly
    assert columns.tolist() == pytest.approx([alike] * K, rel=0.25)
    many = balanced_targets(teacher, 0.5, lambda x: x, rounds=200).sum((0, 1))
    assert many.tolist() == pytest.approx([alike] * K, rel=1e-6)


@pytest.mark.parametrize("skip_same", [False, True])
def test_a_collapsed_teacher_costs_ln_k(skip_same):
    """Nothing told, and a student that says nothing: the number that collapse is known by."""
    flat = teacher_targets(torch.zeros(G, B, K, dtype=torch.float64), 0.04)
    found = crop_cross_entropy(torch.ones(S, B, K, dtype=torch.float64), flat, 0.1, skip_same=skip_same)
    assert found.item() == pytest.approx(math.log(K), rel=1e-12)
    assert entropy(flat).item() == pytest.approx(math.log(K), rel=1e-12)


def test_one_prototype_for_all_has_no_entropy():
    assert entropy(torch.eye(K)[:1]).item() == 0


def test_a_crop_is_not_compared_with_itself():
    teacher, student = logits(G, B, K), logits(G, B, K, seed=1)
    other = student.clone()
    other[0] += logits(B, K, seed=2)
    only_first = teacher_targets(teacher, 0.5)
    only_first[1] = 0  # what is left: target 0 against student 1
    values = [crop_cross_entropy(x, only_first, 0.5, skip_same=True) for x in (student, other)]
    assert values[0].item() == pytest.approx(values[1].item(), rel=1e-12)


def test_shuffled_pairs_cost_more_where_student_and_teacher_agree():
    said = 5 * logits(G, B, K)
    target = teacher_targets(said, 0.5)
    found = crop_cross_entropy(said, target, 0.5, skip_same=False)
    shuffled = crop_cross_entropy(said, target.roll(1, dims=1), 0.5, skip_same=False)
    assert shuffled > found + 0.1


def test_targets_have_no_gradient_and_the_student_has():
    student, teacher = logits(S, B, K).requires_grad_(), logits(G, B, K, seed=1).requires_grad_()
    crop_cross_entropy(student, teacher_targets(teacher, 0.1), 0.1, skip_same=False).backward()
    assert teacher.grad is None
    assert student.grad.abs().sum() > 0


def test_half_precision_is_not_summed_in():
    student, teacher = (logits(S, B, K).bfloat16(), logits(G, B, K, seed=1).bfloat16())
    found = crop_cross_entropy(student, teacher_targets(teacher, 0.1), 0.1, skip_same=False)
    exact = crop_cross_entropy(student.double(), teacher_targets(teacher.double(), 0.1), 0.1, skip_same=False)
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(exact.item(), rel=1e-5)


def test_one_crop_has_no_other():
    with pytest.raises(ValueError, match="no other crop"):
        crop_cross_entropy(logits(1, B, K), teacher_targets(logits(1, B, K), 0.1), 0.1, skip_same=True)


def unit(*shape, seed=0):
    return torch.nn.functional.normalize(logits(*shape, seed=seed), dim=-1)


def test_koleo_is_the_mean_log_distance_to_the_nearest():
    points = unit(6, 4)
    nearest = [min(math.dist(a, b) for j, b in enumerate(points) if j != i) for i, a in enumerate(points)]
    expected = -sum(math.log(distance) for distance in nearest) / 6
    assert koleo(points).item() == pytest.approx(expected, rel=1e-7)


def test_koleo_drives_near_points_apart():
    points = unit(8, 3).requires_grad_()
    closest = float(torch.pdist(points.detach()).min())
    for _ in range(20):
        [gradient] = torch.autograd.grad(koleo(points), points)
        points = torch.nn.functional.normalize(points.detach() - 0.02 * gradient, dim=-1).requires_grad_()
    assert float(torch.pdist(points.detach()).min()) > 1.3 * closest


def test_koleo_of_equal_points_is_finite():
    points = unit(1, 4).expand(3, 4).clone().requires_grad_()
    koleo(points).backward()
    assert points.grad.isfinite().all()
