"""RankMe, alignment, uniformity, CKA, modality gap, kNN, probes, scores and intervals."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from sklearn.linear_model import Ridge
from sklearn.metrics import balanced_accuracy_score, r2_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from sage_lightning.metrics import alignment, knn, probe, scoring
from sage_lightning.metrics.bootstrap import ratio_interval
from sage_lightning.metrics.rankme import rankme


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def sphere(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_rankme_counts_the_dimensions_in_use(rng):
    basis = np.linalg.qr(rng.normal(size=(32, 32)))[0]
    assert rankme(basis) == pytest.approx(32, rel=1e-4)
    assert rankme(basis[:, :7] @ basis[:7]) == pytest.approx(7, rel=1e-3)
    assert rankme(np.tile(rng.normal(size=16), (40, 1))) == pytest.approx(1, rel=1e-3)
    assert rankme(np.zeros((4, 4))) == 1.0


def test_rankme_by_hand():
    shares = np.array([0.5, 0.3, 0.2]) + 1e-7
    assert rankme(np.diag([5.0, 3.0, 2.0])) == pytest.approx(
        np.exp(-(shares * np.log(shares)).sum()), rel=1e-12
    )


def test_alignment_and_uniformity_equal_their_definitions(rng):
    a, b = rng.normal(size=(2, 1100, 5))
    assert alignment.alignment(a, b) == pytest.approx(
        np.mean(np.sum((sphere(a) - sphere(b)) ** 2, 1)), rel=1e-12
    )
    assert alignment.uniformity(a) == pytest.approx(
        np.log(np.exp(-2 * pdist(sphere(a)) ** 2).mean()), rel=1e-9
    )
    assert alignment.alignment(a, 3 * a) == pytest.approx(0, abs=1e-12)
    assert alignment.uniformity(np.ones((5, 3))) == pytest.approx(0, abs=1e-12)


def test_normalised_std_is_one_when_isotropic_and_zero_when_collapsed(rng):
    assert alignment.normalised_std(rng.normal(size=(20000, 64))) == pytest.approx(1, rel=0.01)
    assert alignment.normalised_std(np.ones((5, 3))) == pytest.approx(0, abs=1e-12)


def test_relative_distance_by_hand():
    a, b = np.array([[3.0, 4.0], [0.0, 6.0]]), np.array([[3.0, 0.0], [8.0, 0.0]])
    assert alignment.relative_distance(a, b) == pytest.approx((4 + 10) / 2 / ((5 + 6 + 3 + 8) / 4), rel=1e-15)
    assert alignment.relative_distance(5 * a, 5 * b) == pytest.approx(14 / 11, rel=1e-15)
    assert alignment.relative_distance(a, a) == alignment.relative_distance(0 * a, 0 * a) == 0


def test_cka_is_blind_to_rotation_and_scale_and_the_same_on_both_sides(rng):
    x, y = rng.normal(size=(100, 6)), rng.normal(size=(100, 9))
    rotation = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    assert alignment.linear_cka(x, 3 * x @ rotation + 1) == pytest.approx(1, rel=1e-12)
    assert alignment.linear_cka(x, y) == pytest.approx(alignment.linear_cka(y, x), rel=1e-12)
    centre = np.eye(100) - 1 / 100  # Kornblith et al.: HSIC of the centred Gram matrices
    k, m = centre @ x @ x.T @ centre, centre @ y @ y.T @ centre
    expected = np.trace(k @ m) / np.sqrt(np.trace(k @ k) * np.trace(m @ m))
    assert alignment.linear_cka(x, y) == pytest.approx(expected, rel=1e-10)
    wide = np.hstack([x, np.zeros((100, 300))])  # the Gram side gives the same number
    assert alignment.linear_cka(wide, y) == pytest.approx(expected, rel=1e-10)


def test_modality_gap(rng):
    x = rng.normal(size=(50, 4))
    assert alignment.modality_gap(x, x) == 0
    assert alignment.modality_gap(np.tile([1.0, 0], (5, 1)), np.tile([0, 2.0], (5, 1))) == pytest.approx(
        np.sqrt(2)
    )


def test_knn_equals_sklearn_with_the_same_weights(rng):
    bank, query = rng.normal(size=(1500, 6)), rng.normal(size=(90, 6))
    labels = rng.choice(["grass", "water", "snow"], 1500)
    reference = KNeighborsClassifier(
        20, metric="cosine", algorithm="brute", weights=lambda distance: np.exp((1 - distance) / 0.07)
    ).fit(bank, labels)
    rows, weights = knn.neighbours(bank, query)
    assert knn.vote(labels, rows, weights).tolist() == reference.predict(query).tolist()
    assert weights.sum(1) == pytest.approx(np.ones(90))
    on_sphere = knn.neighbours(sphere(bank), sphere(query), score="distance")
    assert knn.average(bank[:, 0], *on_sphere) == pytest.approx(knn.average(bank[:, 0], rows, weights))


def test_knn_clamps_k_to_the_bank():
    rows, weights = knn.neighbours(np.eye(3), np.eye(3)[:1])
    assert rows.shape == (1, 3)
    assert knn.vote([7, 8, 9], rows, weights).tolist() == [7]


def test_probes_read_out_what_is_linear_and_nothing_from_noise(rng):
    x = rng.normal(size=(900, 12)) * rng.uniform(0.01, 100, 12) + 5
    days = np.arange(600) // 20
    number = (x[:, 0] - x[:, 0].mean()) / x[:, 0].std() + 0.1 * rng.normal(size=900)
    kind = np.where(number > 0.4, "high", np.where(number < -0.4, "low", "middle"))
    units = np.arange(300) // 10
    predicted = probe.predict_values(x[:600], number[:600], x[600:], days)
    assert scoring.r_squared(number[600:], predicted, units).value > 0.97
    classes = probe.predict_classes(x[:600], kind[:600], x[600:], days)
    assert scoring.accuracy(kind[600:], classes, kind[:600], units).value > 0.85
    noise = rng.normal(size=(900, 12))
    blind = probe.predict_values(noise[:600], number[:600], noise[600:], days)
    assert abs(scoring.r_squared(number[600:], blind, units).value) < 0.1


def test_the_ridge_equals_sklearn_at_the_strength_it_chose(rng):
    x, y, asked = rng.normal(size=(80, 5)), rng.normal(size=80), rng.normal(size=(7, 5))
    scaler = StandardScaler().fit(x)
    said = probe.predict_values(x, y, asked, np.arange(80) // 8)
    fitted = [
        Ridge(alpha=a).fit(scaler.transform(x), y).predict(scaler.transform(asked)) for a in probe.ALPHAS
    ]
    assert min(np.abs(said - reference).max() for reference in fitted) < 1e-10


def test_a_probe_chooses_its_strength_between_days_not_within_them(rng):
    """Features that name the day explain training frames well and new days not at all: shrink them."""
    days = np.repeat(np.arange(40), 10)
    level = rng.normal(size=40)
    named = np.eye(40)[days] * 5
    signal = rng.normal(size=(400, 1))
    x = np.hstack([named, signal]) + 0.01 * rng.normal(size=(400, 41))
    number = level[days] + signal[:, 0]
    fresh = np.hstack([np.zeros((200, 40)), rng.normal(size=(200, 1))])
    predicted = probe.predict_values(x, number, fresh, days)
    assert scoring.r_squared(fresh[:, 40], predicted, np.arange(200)).value > 0.5


def test_scores_equal_sklearn(rng):
    truth, said = rng.choice([0, 1, 2], 300, p=[0.6, 0.3, 0.1]), rng.integers(0, 3, 300)
    units = np.arange(300) // 15
    balanced = scoring.balanced_accuracy(truth, said, units)
    assert balanced.value == pytest.approx(balanced_accuracy_score(truth, said))
    assert balanced.chance == pytest.approx(1 / 3)
    plain = scoring.accuracy(truth, said, np.zeros(5), units)
    assert plain.value == pytest.approx(np.mean(truth == said))
    assert plain.chance == pytest.approx(np.mean(truth == 0))
    number, guess = rng.normal(size=(2, 300))
    score = scoring.r_squared(number, guess, units)
    assert score.value == pytest.approx(r2_score(number, guess))
    assert score.interval.low < score.value < score.interval.high


def test_an_interval_covers_the_mean_about_as_often_as_it_says(rng):
    days = np.repeat(np.arange(30), 10)
    covered = by_row = 0
    for trial in range(100):
        values = rng.normal(size=30)[days] + 0.1 * rng.normal(size=300)
        low, high = ratio_interval(values, np.ones(300), days, seed=trial, draws=300)
        covered += low < 0 < high
        low, high = ratio_interval(values, np.ones(300), seed=trial, draws=300)
        by_row += low < 0 < high
    assert covered >= 85
    assert by_row < 70  # frames of one day taken as independent would claim far too much


def test_an_interval_of_one_unit_is_unknown():
    assert np.isnan(ratio_interval([1.0, 0.0], [1.0, 1.0], ["d", "d"])).all()
