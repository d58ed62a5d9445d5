import itertools

import numpy as np
import pytest

from sage_lightning.metrics.retrieval import retrieval


def brute_force(query, gallery, k):
    """Mean rank and R@k by writing out every order of the tied rows, for one query at a time."""
    recalls, ranks = [], []
    for i, q in enumerate(query):
        scores = [round(float(q @ g) / np.sqrt(float(q @ q) * float(g @ g)), 9) for g in gallery]
        tied = [j for j, s in enumerate(scores) if s == scores[i]]
        above = sum(s > scores[i] for s in scores)
        places = [above + 1 + order.index(i) for order in itertools.permutations(tied)]
        ranks.append(np.mean(places))
        recalls.append(np.mean([place <= k for place in places]))
    return np.mean(recalls), np.mean(ranks)


def test_a_hand_made_gallery():
    query = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    gallery = np.array([[1.0, 0.1], [1.0, 0.0], [0.9, 1.0]])  # the second query's partner is its worst match
    found = retrieval(query, gallery)
    assert found.ranks.tolist() == [2.0, 3.0, 1.0]
    assert found.recall[1] == pytest.approx(1 / 3)
    assert found.recall[5] == 1.0
    assert (found.median_rank, found.mean_rank) == (2.0, 2.0)
    assert found.chance[1] == pytest.approx(1 / 3)
    assert found.chance[5] == 1.0


def test_ties_are_the_mean_over_all_orders():
    rng = np.random.default_rng(0)
    query = rng.integers(-1, 2, (9, 3)) + np.array([0.0, 0.0, 2.0])
    gallery = rng.integers(0, 2, (9, 3)) + np.array([0.0, 0.0, 1.0])
    found = retrieval(query, gallery)
    for k in (1, 5):
        recall, rank = brute_force(query, gallery, k)
        assert found.recall[k] == pytest.approx(recall, abs=1e-12)
    assert found.mean_rank == pytest.approx(rank, abs=1e-12)


def test_collapsed_features_score_chance_however_the_rows_are_ordered():
    same = np.tile(np.random.default_rng(0).normal(size=77).astype(np.float32), (1300, 1))
    found = retrieval(same, same)
    assert found.recall == pytest.approx(found.chance)
    assert found.mean_rank == pytest.approx((1300 + 1) / 2)
    nothing = np.zeros((40, 3))
    assert retrieval(nothing, nothing).recall[1] == pytest.approx(1 / 40)


def test_pairs_may_come_in_any_order():
    rng = np.random.default_rng(1)
    query, gallery = rng.normal(size=(2, 700, 8))
    order = rng.permutation(700)
    a, b = retrieval(query, gallery), retrieval(query[order], gallery[order])
    np.testing.assert_array_equal(a.ranks[order], b.ranks)


def test_within_groups_equals_each_group_by_itself_and_singles_are_left_out():
    rng = np.random.default_rng(2)
    query = rng.normal(size=(60, 4))
    gallery = query + rng.normal(size=(60, 4))
    groups = np.array(["a"] * 20 + ["b"] * 39 + ["alone"])
    rng.shuffle(groups)
    found = retrieval(query, gallery, groups=groups)
    parts = [retrieval(query[groups == g], gallery[groups == g]) for g in "ab"]
    assert found.queries == 59
    assert found.recall[1] == pytest.approx((20 * parts[0].recall[1] + 39 * parts[1].recall[1]) / 59)
    assert found.chance[5] == pytest.approx((20 * 5 / 20 + 39 * 5 / 39) / 59)
    assert found.gallery_size == pytest.approx((20 * 20 + 39 * 39) / 59)
    assert groups[found.rows].tolist().count("alone") == 0
    np.testing.assert_array_equal(found.ranks[groups[found.rows] == "a"], parts[0].ranks)


def test_distance_sees_length_where_cosine_does_not():
    query = np.array([[1.0], [2.0], [3.0]])
    assert retrieval(query, query).recall[1] == pytest.approx(1 / 3)
    assert retrieval(query, query, score="distance").recall[1] == 1.0
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, 50, 2)) * 3
    squared = ((a[:, None] - b[None]) ** 2).sum(-1)
    expected = 1 + (squared < np.diag(squared)[:, None]).sum(1)
    np.testing.assert_array_equal(retrieval(a, b, score="distance").ranks, expected)


def test_no_group_of_two_means_no_number():
    found = retrieval(np.eye(3), np.eye(3), groups=[0, 1, 2])
    assert found.queries == 0
    assert np.isnan(found.recall[1])


def test_refuses_what_is_not_finite_or_not_paired():
    with pytest.raises(ValueError, match="not finite"):
        retrieval(np.full((2, 2), np.nan), np.eye(2))
    with pytest.raises(ValueError, match="one shape"):
        retrieval(np.eye(2), np.eye(3))
