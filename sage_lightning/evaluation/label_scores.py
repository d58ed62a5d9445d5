"""What can be read out of frozen features: linear probe and kNN on every label column, beside chance."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sage_lightning.evaluation.features import Features
from sage_lightning.evaluation.labels import Label, labelled_rows, labels_of, units
from sage_lightning.evaluation.table import CHANCE, PROJECTION, SENSORS, Row, row
from sage_lightning.metrics import knn, probe
from sage_lightning.metrics.scoring import Score, accuracy, balanced_accuracy, r_squared

LEAST_TRAIN, LEAST_TEST = 40, 15

Array = NDArray[Any]
Reader = Callable[[Array, Array, Array, Array], Array]  # train, labels, test, train days → predictions


def label_rows(features: list[Features], train: pd.DataFrame, test: pd.DataFrame) -> list[Row]:
    """Probe and kNN scores for every label, subset, sensor and feature set that is read.

    A subset restricts the training rows as well: by night, the probe is fitted on nights.

    Args:
        features: to read from.
        train: the index of their training rows.
        test: the index of their scored rows.
    """
    rows: list[Row] = []
    for label in labels_of(train):
        for subset in label.subsets:
            fit, asked = (np.flatnonzero(labelled_rows(index, label, subset)) for index in (train, test))
            known, truth = _values(train, label, fit), _values(test, label, asked)
            enough = len(fit) >= LEAST_TRAIN and len(asked) >= LEAST_TEST
            if not enough or len(np.unique(known)) < 2 or len(np.unique(truth)) < 2:
                continue
            days = units(train)[fit], units(test)[asked]
            for task in ("probe", "knn"):
                chance_told = False
                for part in (part for part in features if _reads(task, label, part)):
                    for sensor in SENSORS:
                        reader = _reader(task, label, part)
                        said = reader(part.train[sensor][fit], known, part.test[sensor][asked], days[0])
                        scores = _scores(label, truth, said, known, days[1])
                        if not chance_told:
                            rows += _chance(task, subset, label, scores)
                            chance_told = True
                        rows += _found(task, subset, label, part, sensor, scores)
    return rows


def _reads(task: str, label: Label, part: Features) -> bool:
    """Whether this read-out is made: logistic regression on wide projections would take most of the time."""
    return part.probed and not (task == "probe" and label.kind == "class" and part.space == PROJECTION)


def _values(index: pd.DataFrame, label: Label, rows: Array) -> Array:
    return index[label.name].iloc[rows].to_numpy(np.float64 if label.kind == "number" else str)


def _reader(task: str, label: Label, part: Features) -> Reader:
    if task == "probe":
        return probe.predict_values if label.kind == "number" else probe.predict_classes
    combine = knn.average if label.kind == "number" else knn.vote

    def read(train: Array, labels: Array, test: Array, days: Array) -> Array:
        return combine(labels, *knn.neighbours(train, test, score=part.score))

    return read


def _scores(label: Label, truth: Array, said: Array, known: Array, days: Array) -> dict[str, Score]:
    if label.kind == "number":
        return {"r2": r_squared(truth, said, days)}
    return {
        "accuracy": accuracy(truth, said, known, days),
        "balanced_accuracy": balanced_accuracy(truth, said, days),
    }


def _chance(task: str, subset: str, label: Label, scores: dict[str, Score]) -> list[Row]:
    return [
        row(task, metric, score.chance, score.rows, subset=subset, label=label.name, features=CHANCE)
        for metric, score in scores.items()
    ]


def _found(
    task: str, subset: str, label: Label, part: Features, sensor: str, scores: dict[str, Score]
) -> list[Row]:
    return [
        row(
            *(task, metric, score.value, score.rows),
            subset=subset,
            label=label.name,
            space=part.space,
            sensor=sensor,
            features=part.name,
            low=score.interval.low,
            high=score.interval.high,
        )
        for metric, score in scores.items()
    ]
