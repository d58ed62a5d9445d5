import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.mixture import GaussianMixture

from sage_lightning.clustering.cluster import agreement, cluster

SIZES = (60, 40, 25)


@pytest.fixture(scope="module")
def blobs():
    rng = np.random.default_rng(0)
    kinds = np.repeat(np.arange(3), SIZES)
    centres = np.linalg.qr(rng.normal(size=(48, 48)))[0][:3] * 4
    order = rng.permutation(len(kinds))
    return (centres[kinds] + 0.2 * rng.normal(size=(len(kinds), 48)))[order], kinds[order]


@pytest.mark.parametrize(
    "estimator",
    [
        KMeans(3, n_init=4, random_state=0),
        HDBSCAN(min_cluster_size=10, copy=True),
        GaussianMixture(3, random_state=0),
    ],
    ids=lambda e: type(e).__name__,
)
def test_finds_the_groups_that_are_there_and_names_them_by_size(blobs, estimator):
    x, kinds = blobs
    found = cluster(estimator, x)
    assert found.sizes == list(SIZES)
    assert agreement(found.labels, pd.Series(kinds.astype(str))) == pytest.approx(1)
    assert found.silhouette > 0.5


def test_noise_is_minus_one_and_counts_nowhere(blobs):
    x, _ = blobs
    scattered = np.vstack([x, np.random.default_rng(1).normal(size=(20, 48))])
    found = cluster(HDBSCAN(min_cluster_size=15, copy=True), scattered)
    assert found.noise >= 15
    assert sum(found.sizes) + found.noise == len(scattered)
    assert (found.labels == -1).sum() == found.noise


def test_agreement_leaves_nulls_out_and_cuts_numbers_into_quartiles():
    labels = np.repeat([0, 1, 2, 3], 25)
    assert agreement(labels, pd.Series(np.arange(100.0))) == pytest.approx(1)
    assert agreement(labels, pd.Series([None] * 50 + ["a"] * 25 + ["b"] * 25)) == pytest.approx(1)
    assert np.isnan(agreement(labels, pd.Series([None] * 100)))


def test_an_impossible_request_is_told(blobs):
    with pytest.raises(ValueError, match="n_clusters"):
        cluster(KMeans(500), blobs[0])
