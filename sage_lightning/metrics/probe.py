"""Linear probes on frozen features: what a straight read-out finds in them. Features are standardised first.

The strength of the regularisation is chosen on the training rows by cross-validation in which a unit (a local
day) is never on both sides, since frames of one day resemble each other.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.preprocessing import StandardScaler

FOLDS = 3
ALPHAS = tuple(10.0**power for power in range(-1, 5))  # per standardised feature
INVERSE_STRENGTHS = (0.003, 0.03, 0.3)
ITERATIONS, TOLERANCE = 5000, 3e-3


def predict_values(
    train: ArrayLike, values: ArrayLike, test: ArrayLike, units: ArrayLike
) -> NDArray[np.float64]:
    """Ridge regression, fitted on the training rows, asked on the test rows.

    Args:
        train: (N, D) frozen features.
        values: (N,) numbers to read out.
        test: (Q, D).
        units: (N,) the unit that each training row belongs to.

    Returns:
        (Q,) predictions.
    """
    x, asked = _standardised(train, test)
    y = np.asarray(values, np.float64)
    errors = np.zeros(len(ALPHAS))
    for fit, held in _folds(units):
        errors += ((_ridge_path(x[fit], y[fit], x[held]) - y[held]) ** 2).sum(axis=1)
    return _ridge_path(x, y, asked)[int(errors.argmin())]


def predict_classes(train: ArrayLike, labels: ArrayLike, test: ArrayLike, units: ArrayLike) -> NDArray[Any]:
    """Logistic regression, fitted on the training rows, asked on the test rows.

    Args:
        train: (N, D) frozen features.
        labels: (N,) at least two kinds, of any type that sorts.
        test: (Q, D).
        units: (N,) the unit that each training row belongs to.

    Returns:
        (Q,) predicted labels.
    """
    x, asked = _standardised(train, test)
    y = np.asarray(labels)
    right = np.zeros(len(INVERSE_STRENGTHS))
    for fit, held in _folds(units)[:1]:  # one: a logistic fit costs a hundred of ridge's
        if len(np.unique(y[fit])) < 2:
            continue  # this fold's training part knows one kind only, so it cannot compare strengths
        for number, strength in enumerate(INVERSE_STRENGTHS):
            right[number] += float(
                (_logistic(strength).fit(x[fit], y[fit]).predict(x[held]) == y[held]).sum()
            )
    return _logistic(INVERSE_STRENGTHS[int(right.argmax())]).fit(x, y).predict(asked)


def _ridge_path(
    x: NDArray[np.float64], y: NDArray[np.float64], asked: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(A, Q) predictions for every strength a: w = V (L + a)⁻¹ Vᵀ Xᵀ y, centred, of one decomposition."""
    mean_x, mean_y = x.mean(axis=0), y.mean()
    centred = x - mean_x
    values, vectors = np.linalg.eigh(centred.T @ centred)
    turned = vectors.T @ (centred.T @ (y - mean_y))
    weights = turned / (np.maximum(values, 0.0) + np.array(ALPHAS)[:, None])
    return weights @ ((asked - mean_x) @ vectors).T + mean_y


def _logistic(strength: float) -> LogisticRegression:
    return LogisticRegression(C=strength, max_iter=ITERATIONS, tol=TOLERANCE)


def _standardised(train: ArrayLike, test: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    scaler = StandardScaler().fit(np.asarray(train, np.float64))
    return scaler.transform(np.asarray(train, np.float64)), scaler.transform(np.asarray(test, np.float64))


def _folds(units: ArrayLike) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Training and held rows; none where there is but one unit, and then the first strength is taken."""
    bunch = np.unique(np.asarray(units), return_inverse=True)[1].ravel()
    folds = min(FOLDS, int(bunch.max()) + 1)
    return list(GroupKFold(folds).split(bunch, groups=bunch)) if folds > 1 else []
