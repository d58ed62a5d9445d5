"""Groups of embeddings by any scikit-learn style estimator, and how they agree with known columns."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.decomposition import PCA
from sklearn.metrics import normalized_mutual_info_score, silhouette_score
from sklearn.preprocessing import normalize

NOISE, NAME_OF_NOISE = -1, "noise"
COMPONENTS = 32  # density and distance both blur in hundreds of dimensions
SILHOUETTE_ROWS = 2000


class Clusterer(Protocol):
    """What a clustering choice must be: scikit-learn's KMeans, HDBSCAN, GaussianMixture …"""

    def fit_predict(self, X: NDArray[np.float64]) -> NDArray[np.int64]:
        """(N, D) features → (N,) labels, -1 for noise."""


@dataclass(frozen=True)
class Clusters:
    """A grouping of N rows.

    Attributes:
        labels: (N,) cluster of each row: 0 is the largest, -1 is noise.
        sizes: rows of each cluster, noise left out.
        noise: rows in no cluster.
        silhouette: mean over (a sample of) the clustered rows, in [-1, 1]; NaN below two clusters.
    """

    labels: NDArray[np.int64]
    sizes: list[int]
    noise: int
    silhouette: float

    @property
    def names(self) -> pd.Series:
        """(N,) texts: a cluster's number, or "noise"."""
        return pd.Series(self.labels).astype("str").mask(self.labels == NOISE, NAME_OF_NOISE)


def cluster(estimator: Clusterer, features: ArrayLike) -> Clusters:
    """L2-normalises, keeps the leading principal components and lets the estimator group the rows.

    Args:
        estimator: fitted anew; only its labels are used.
        features: (N, D) embeddings.

    Raises:
        ValueError: the estimator's own, such as more clusters than rows.
    """
    x = normalize(np.asarray(features, np.float64))
    x = PCA(min(COMPONENTS, *x.shape), random_state=0).fit_transform(x)
    found = np.asarray(estimator.fit_predict(x))
    names, counts = np.unique(found[found != NOISE], return_counts=True)
    by_size = np.argsort(-counts, kind="stable")
    labels = np.full(len(found), NOISE, np.int64)
    for place, name in enumerate(names[by_size]):
        labels[found == name] = place
    kept = labels != NOISE
    return Clusters(
        labels=labels,
        sizes=[int(count) for count in counts[by_size]],
        noise=int((~kept).sum()),
        silhouette=_silhouette(x[kept], labels[kept]),
    )


def agreement(labels: NDArray[np.int64], column: pd.Series) -> float:
    """Normalised mutual information between clusters and a column, in [0, 1]; rows of noise or null left out.

    Args:
        labels: (N,) clusters.
        column: (N,) classes; numbers are cut into quartiles first.
    """
    used = column.notna().to_numpy() & (labels != NOISE)
    values = column[used]
    if not used.any():
        return float("nan")
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        values = pd.qcut(values.rank(method="first"), min(4, len(values)), labels=False)
    return float(normalized_mutual_info_score(pd.factorize(values)[0], labels[used]))


def _silhouette(x: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    if not 2 <= len(np.unique(labels)) < len(labels):
        return float("nan")
    if len(x) > SILHOUETTE_ROWS:
        keep = np.linspace(0, len(x) - 1, SILHOUETTE_ROWS).astype(np.int64)
        x, labels = x[keep], labels[keep]
        if len(np.unique(labels)) < 2:
            return float("nan")
    return float(silhouette_score(x, labels))
