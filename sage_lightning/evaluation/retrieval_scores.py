"""Does a picture find its thermal frame, over the split and within one (node, position)?"""

import numpy as np
import pandas as pd

from sage_lightning.evaluation.features import Features
from sage_lightning.evaluation.labels import NOWHERE, places, subset_rows, units
from sage_lightning.evaluation.table import CHANCE, Row, row
from sage_lightning.metrics.bootstrap import ratio_interval
from sage_lightning.metrics.retrieval import RECALLS, Retrieval, retrieval

SUBSETS = ("all", "day", "night", "sky", "horizon", "below", "ground")
LEAST_QUERIES = 10
DIRECTIONS = {"rgb_to_ir": ("rgb", "ir"), "ir_to_rgb": ("ir", "rgb")}
SCOPES = ("retrieval", "retrieval_within_position")


def retrieval_rows(features: list[Features], index: pd.DataFrame) -> list[Row]:
    """R@1, R@5, R@10, ranks and gallery size for every subset, scope, direction and feature set.

    Within one position, pairs whose position is not known neither ask nor are searched; `n` counts those that
    ask. Where no position is known at all there is no such task.

    Args:
        features: to compare; sets whose sensors differ in width are left out, having no common space.
        index: the scored rows.
    """
    compared = [part for part in features if part.compared["rgb"].shape[1] == part.compared["ir"].shape[1]]
    place, day = places(index), units(index)
    rows: list[Row] = []
    for subset in SUBSETS:
        there = subset_rows(index, subset)
        for scope in SCOPES:
            within = scope == "retrieval_within_position"
            chosen = np.flatnonzero(there & (place != NOWHERE) if within else there)
            if len(chosen) < LEAST_QUERIES:
                continue
            groups = place[chosen] if within else None
            for direction, (query, gallery) in DIRECTIONS.items():
                task = f"{scope}_{direction}"
                for part in compared:
                    found = retrieval(
                        part.compared[query][chosen],
                        part.compared[gallery][chosen],
                        groups=groups,
                        score=part.score,
                    )
                    if found.queries < LEAST_QUERIES:
                        break
                    if part is compared[0]:
                        rows += _chance(task, subset, found)
                    rows += _found(task, subset, part, found, day[chosen])
    return rows


def _found(task: str, subset: str, part: Features, found: Retrieval, day: np.ndarray) -> list[Row]:
    n = found.queries
    rows = []
    for k in RECALLS:
        low, high = ratio_interval(found.hits[k], np.ones(n), day[found.rows])
        rows.append(
            row(
                *(task, f"r{k}", found.recall[k], n),
                subset=subset,
                space=part.space,
                features=part.name,
                low=low,
                high=high,
            )
        )
    for metric, value in (("median_rank", found.median_rank), ("mean_rank", found.mean_rank)):
        rows.append(row(task, metric, value, n, subset=subset, space=part.space, features=part.name))
    return rows


def _chance(task: str, subset: str, found: Retrieval) -> list[Row]:
    values = {f"r{k}": found.chance[k] for k in RECALLS}
    values |= {"mean_rank": (found.gallery_size + 1) / 2, "gallery_size": found.gallery_size}
    return [
        row(task, metric, value, found.queries, subset=subset, features=CHANCE)
        for metric, value in values.items()
    ]
