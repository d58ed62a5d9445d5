"""Ranks with different numbers of pairs, one of them with none, compute what one process does."""

import pytest

SCRIPT = "exact_ragged.py"
many = pytest.mark.parametrize("world", [2, 4])
VICREG = ("invariance", "variance", "covariance")
DINO = tuple(f"{targets}, skip_same={skip}" for targets in ("mean", "sinkhorn") for skip in (False, True))


@many
def test_rows_are_gathered_in_order(worlds, world):
    for rank in worlds(SCRIPT)[world]:
        assert rank["rows"].tolist() == list(range(8))


@many
@pytest.mark.parametrize("norm", ["1d", "1d long", "2d"])
def test_batch_statistics_are_weighted_by_true_counts(worlds, assert_same, norm, world):
    (one,) = worlds(SCRIPT)[1]
    for rank in worlds(SCRIPT)[world]:
        assert_same(rank["norms"][norm], one["norms"][norm])


@many
@pytest.mark.parametrize(
    ("method", "term"),
    [*(("vicreg", term) for term in VICREG), *(("dino", term) for term in (*DINO, "koleo"))],
)
def test_each_term_and_its_gradient(worlds, assert_same, method, term, world):
    (one,) = worlds(SCRIPT)[1]
    value, gradient = one[method][term]
    assert sum(float(x.norm()) for x in gradient.values()) > 1e-3
    for rank in worlds(SCRIPT)[world]:
        assert_same({term: rank[method][term][0]}, {term: value})
        assert_same(rank[method][term][1], gradient)


@many
def test_the_centre_is_weighted_by_true_counts(worlds, assert_same, world):
    (one,) = worlds(SCRIPT)[1]
    assert abs(one["dino"]["centre"][0]) > 0.1
    for rank in worlds(SCRIPT)[world]:
        assert_same({"centre": rank["dino"]["centre"][0]}, {"centre": one["dino"]["centre"][0]})
