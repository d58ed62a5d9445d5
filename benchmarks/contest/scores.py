"""R@1 of each query, and what two contestants that were asked the same queries differ by."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch

from sage_lightning.data.datamodule import PairDataModule
from sage_lightning.data.transform import decode
from sage_lightning.evaluation.baselines import pixel_features
from sage_lightning.evaluation.labels import places, units
from sage_lightning.metrics.bootstrap import ratio_interval
from sage_lightning.metrics.retrieval import retrieval

Array = np.ndarray
Hits = dict[str, list[float]]

DIRECTIONS = {"RGB → IR": ("rgb", "ir"), "IR → RGB": ("ir", "rgb")}
WHOLE, WITHIN = "whole split", "within position"
SPACES = ("projection", "embedding", "embedding, centred")


def scopes(index: pd.DataFrame) -> dict[str, Array | None]:
    """Whose frames a query is searched among."""
    whole: dict[str, Array | None] = {WHOLE: None}
    return whole | ({WITHIN: places(index)} if index["position"].notna().any() else {})


def centred(test: Mapping[str, Array], train: Mapping[str, Array]) -> dict[str, Array]:
    """Embeddings less what all frames of a sensor have in common: its mean over the training pairs."""
    return {
        f"{sensor}_embedding, centred": test[f"{sensor}_embedding"] - train[f"{sensor}_embedding"].mean(0)
        for sensor in ("rgb", "ir")
    }


def hits(features: Mapping[str, Array], space: str, index: pd.DataFrame) -> dict[str, Hits]:
    """Scope → direction → for each query, whether its partner is found first, or its share of a tie."""
    return {
        scope: {
            name: [int(hit) if hit in (0, 1) else round(float(hit), 4) for hit in found.hits[1]]
            for name, (query, gallery) in DIRECTIONS.items()
            if (
                found := retrieval(
                    features[f"{query}_{space}"], features[f"{gallery}_{space}"], groups=groups
                )
            )
        }
        for scope, groups in scopes(index).items()
    }


def means(found: Mapping[str, Hits]) -> dict[str, dict[str, float]]:
    """R@1 of `hits`."""
    return {scope: {name: float(np.mean(v)) for name, v in of.items()} for scope, of in found.items()}


def bunches(index: pd.DataFrame) -> dict[str, list[int]]:
    """Scope → of each query the number of the bunch it is drawn with: its local day, where that is known."""
    found = {}
    number = np.unique(units(index), return_inverse=True)[1].ravel()
    for scope, groups in scopes(index).items():
        nothing = np.zeros((len(index), 1))
        found[scope] = number[retrieval(nothing, nothing, groups=groups).rows].tolist()
    return found


def unlearned(data: PairDataModule, split: str) -> dict[str, Any]:
    """Chance, and hits of the grid of gradients."""
    index = data.split_index(split)
    parts = [pixel_features(batch.rgb, decode(batch.ir)) for batch in data.split_loader(split, 128)]
    grid = {name: torch.cat([part[name] for part in parts]).numpy() for name in parts[0]}
    nothing = np.zeros((len(index), 1))
    chance = {
        scope: retrieval(nothing, nothing, groups=groups).chance[1] for scope, groups in scopes(index).items()
    }
    return {"chance": chance, "gradient grid": hits(grid, "gradients", index)}


def difference(
    first: Sequence[Hits], second: Sequence[Hits], name: str, bunch: Sequence[int]
) -> dict[str, Any]:
    """How far the first is ahead, over the same queries.

    Args:
        first: hits of each seed.
        second: likewise, of the same seeds.
        name: of the direction.
        bunch: of each query.

    Returns:
        "mean", and "pooled", its interval: a query's difference is the mean over seeds, queries are drawn.
        "seeds": of each seed alone, its difference and its interval.
    """
    pairs = [np.subtract(one[name], other[name]) for one, other in zip(first, second, strict=True)]
    everyone = np.mean(pairs, axis=0)
    return {
        "mean": float(everyone.mean()),
        "pooled": interval(everyone, bunch),
        "seeds": [[float(each.mean()), *interval(each, bunch)] for each in pairs],
    }


def interval(values: Array, bunch: Sequence[int]) -> list[float]:
    """95 % of the mean."""
    return list(ratio_interval(values, np.ones(len(values)), np.asarray(bunch), draws=5000))
