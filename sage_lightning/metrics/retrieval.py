"""Cross-modal retrieval: does a picture find its own thermal frame among all the others?

Row i of the queries belongs to row i of the gallery. Ties count by expectation over a random breaking of
them, so features that are all alike score exactly chance, and no order of the rows can help.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float = NDArray[np.float64]

RECALLS = (1, 5, 10)
ROUNDING = 1e-13  # of the largest squared norm; scores nearer than this are one number, differently summed
CHUNK = 512  # queries scored at a time: 512 x 20,000 scores are 80 MB


@dataclass(frozen=True)
class Retrieval:
    """What a gallery search found.

    Attributes:
        recall: k → share of the queries whose own partner is among the k best, in expectation over ties.
        chance: k → what a random order would reach: the mean over queries of min(1, k / gallery size).
        median_rank: over queries; 1 is best.
        mean_rank: over queries.
        gallery_size: mean over queries; with groups, of the group each query searches.
        queries: how many there were; with groups, only those in groups of at least two.
        rows: (Q,) the input row of each query.
        ranks: (Q,) expected rank of each query's partner.
        hits: k → (Q,) each query's expected share of being within the k best.
    """

    recall: dict[int, float]
    chance: dict[int, float]
    median_rank: float
    mean_rank: float
    gallery_size: float
    queries: int
    rows: NDArray[np.int64]
    ranks: Float
    hits: dict[int, Float]


def retrieval(
    query: ArrayLike,
    gallery: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    score: Literal["cosine", "distance"] = "cosine",
) -> Retrieval:
    """Ranks every gallery row for every query and looks where the partner stands.

    Args:
        query: (N, D) features of one sensor.
        gallery: (N, D) features of the other; row i is the partner of query i.
        groups: (N,) labels: each query searches its own group only, and groups of one are left out.
        score: "cosine", or "distance" for features whose length matters, such as one standardised number.

    Raises:
        ValueError: shapes differ, or a feature is not finite.
    """
    queries, targets = np.asarray(query, np.float64), np.asarray(gallery, np.float64)
    if queries.ndim != 2 or queries.shape != targets.shape:
        raise ValueError(f"query {queries.shape} and gallery {targets.shape} are not two (N, D) of one shape")
    if not (np.isfinite(queries).all() and np.isfinite(targets).all()):
        raise ValueError("features hold values that are not finite")
    if score == "cosine":
        queries, targets = unit(queries), unit(targets)

    rows, better, tied, size = [], [], [], []
    for members in _members(len(queries), groups):
        counts = _counts(queries[members], targets[members], halve_norms=score == "distance")
        rows.append(members)
        better.append(counts[0])
        tied.append(counts[1])
        size.append(np.full(len(members), float(len(members))))
    order = np.argsort(np.concatenate(rows)) if rows else np.empty(0, np.int64)
    above, level, sizes = (np.concatenate(x)[order] if rows else np.empty(0) for x in (better, tied, size))
    return _summary(np.concatenate(rows)[order] if rows else order, above, level, sizes)


def unit(features: Float) -> Float:
    """Each row of (N, D) at length 1; a row of zeros stays as it is."""
    length = np.linalg.norm(features, axis=1, keepdims=True)
    return features / np.where(length > 0, length, 1.0)


def _members(count: int, groups: ArrayLike | None) -> Iterator[NDArray[np.int64]]:
    """The rows of each group of two or more."""
    if groups is None:
        if count > 1:
            yield np.arange(count)
        return
    labels = np.unique(np.asarray(groups), return_inverse=True)[1].ravel()
    for members in np.split(np.argsort(labels, kind="stable"), np.cumsum(np.bincount(labels))[:-1]):
        if len(members) > 1:
            yield members


def _counts(queries: Float, targets: Float, *, halve_norms: bool) -> tuple[Float, Float]:
    """How many gallery rows score above each query's partner, and how many like it (itself among them)."""
    norms = (targets**2).sum(1)
    rounding = ROUNDING * max(float(norms.max()), float((queries**2).sum(1).max()), 1.0)
    better, tied = np.empty(len(queries)), np.empty(len(queries))
    for start in range(0, len(queries), CHUNK):
        rows = np.arange(start, min(start + CHUNK, len(queries)))
        scores = queries[rows] @ targets.T
        if halve_norms:  # -|q - t|² / 2, less the part that is the same for every t
            scores -= norms / 2
        partner = scores[np.arange(len(rows)), rows][:, None]
        better[rows] = (scores > partner + rounding).sum(1)
        tied[rows] = (np.abs(scores - partner) <= rounding).sum(1)
    return better, tied


def _summary(rows: NDArray[np.int64], better: Float, tied: Float, size: Float) -> Retrieval:
    ranks = better + (tied + 1) / 2
    hits = {k: np.clip((k - better) / np.maximum(tied, 1), 0.0, 1.0) for k in RECALLS}
    nothing = len(rows) == 0

    def mean(values: Float) -> float:
        return float("nan") if nothing else float(values.mean())

    return Retrieval(
        recall={k: mean(hit) for k, hit in hits.items()},
        chance={k: mean(np.minimum(1.0, k / size)) for k in RECALLS},
        median_rank=float("nan") if nothing else float(np.median(ranks)),
        mean_rank=mean(ranks),
        gallery_size=mean(size),
        queries=len(rows),
        rows=rows,
        ranks=ranks,
        hits=hits,
    )
