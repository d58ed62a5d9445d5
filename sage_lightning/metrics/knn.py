"""Weighted k nearest neighbours by cosine (Wu et al. 2018, as DINO reports it): k = 20, exp(s / 0.07)."""

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sage_lightning.metrics.retrieval import unit

K = 20
TEMPERATURE = 0.07
CHUNK = 1024


def neighbours(
    bank: ArrayLike, query: ArrayLike, k: int = K, *, score: Literal["cosine", "distance"] = "cosine"
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The k most similar bank rows of each query and their weights, which sum to 1.

    Args:
        bank: (N, D) features with known labels.
        query: (Q, D).
        k: clamped to N.
        score: "cosine"; or "distance" for features whose length matters, then s = -|q - b|² / 2, which on the
            unit sphere weighs just as the cosine does.

    Returns:
        (Q, k) bank rows in no particular order, and (Q, k) weights.
    """
    known, asked = np.asarray(bank, np.float64), np.asarray(query, np.float64)
    if score == "cosine":
        known, asked = unit(known), unit(asked)
    half_norms = (known**2).sum(1) / 2  # all 1/2 on the sphere; the query's own norm changes no weight
    k = min(k, len(known))
    rows = np.empty((len(asked), k), np.int64)
    weights = np.empty((len(asked), k))
    for start in range(0, len(asked), CHUNK):
        part = slice(start, start + CHUNK)
        scores = asked[part] @ known.T - half_norms
        rows[part] = np.argpartition(scores, -k, axis=1)[:, -k:]
        best = np.take_along_axis(scores, rows[part], axis=1)
        raised = np.exp((best - best.max(axis=1, keepdims=True)) / TEMPERATURE)
        weights[part] = raised / raised.sum(axis=1, keepdims=True)
    return rows, weights


def vote(labels: ArrayLike, rows: NDArray[np.int64], weights: NDArray[np.float64]) -> NDArray[Any]:
    """(Q,) the label with the most weight among each query's neighbours.

    Args:
        labels: (N,) the bank's labels, of any kind that sorts.
        rows: (Q, k) from `neighbours`.
        weights: (Q, k) from `neighbours`.
    """
    classes, codes = np.unique(np.asarray(labels), return_inverse=True)
    votes = np.zeros((len(rows), len(classes)))
    np.add.at(votes, (np.arange(len(rows))[:, None], codes.ravel()[rows]), weights)
    return classes[votes.argmax(axis=1)]


def average(values: ArrayLike, rows: NDArray[np.int64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """(Q,) the weighted mean of the neighbours' values, (N,) in the bank."""
    return (np.asarray(values, np.float64)[rows] * weights).sum(axis=1)
