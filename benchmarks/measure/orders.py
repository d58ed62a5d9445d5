"""Who sees what: whether an order is the same on one rank and on two, and goes on where it stopped."""

import itertools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from measure.formats import LitData, WebDataset
from sage_lightning.data.sampler import CountedBatchSampler

SEED = 0
# Numbers of the pairs that a rank of a world takes, in its order, after so many have been taken by all.
Order = Callable[[int, int, int], Iterable[int]]


def counted(pairs: int, batch: int) -> Order:
    """Ours, and that of whatever can be read by rows."""

    def order(rank: int, world: int, taken: int) -> Iterable[int]:
        sampler = CountedBatchSampler(pairs, batch, SEED, rank, world, 1, lambda: taken // batch)
        left = pairs // batch - taken // batch
        return (row for keys in itertools.islice(sampler, left) for _, row in keys)

    return order


def litdata(folder: Path, batch: int) -> Order:
    def order(rank: int, world: int, taken: int, world_before: int = 1) -> Iterable[int]:
        state = None
        if taken:
            state = LitData.dataset(folder, 0, world_before).state_dict(taken // world_before, 0, batch)
        dataset = LitData.dataset(folder, rank, world)
        dataset.set_batch_size(batch // world)
        if state is not None:
            dataset.load_state_dict(state)
        return (item["number"] for item in dataset)

    return order


def webdataset(folder: Path) -> Order:
    def order(rank: int, world: int, taken: int) -> Iterable[int]:
        # It keeps no place: what has been taken is read again.
        numbers = (number for number, _, _ in WebDataset().stream(folder, rank, world))
        return itertools.islice(numbers, taken // world, None)

    return order


def compared(order: Order, pairs: int, batch: int) -> dict[str, Any]:
    """What counted order asks for: batches that no number of ranks changes, and a place that is kept."""
    alone = global_batches(order, 1, batch, 0)
    shared = global_batches(order, 2, batch, 0)
    half = pairs // 2 // batch * batch
    return {
        "same batches on 1 and 2 ranks": alone == shared,
        "each pair once": sorted(itertools.chain(*alone)) == list(range(pairs)),
        "resumed alike": global_batches(order, 1, batch, half) == alone[half // batch :],
        "resumed alike on 2 ranks": global_batches(order, 2, batch, half) == alone[half // batch :],
        "neighbours": _neighbours(list(order(0, 1, 0))),
    }


def global_batches(order: Order, world: int, batch: int, taken: int) -> list[list[int]]:
    """What all ranks take at a step, sorted."""
    share = batch // world
    ranks = [iter(order(rank, world, taken)) for rank in range(world)]
    batches = []
    while step := sorted(itertools.chain(*(itertools.islice(rank, share) for rank in ranks))):
        batches.append(step)
    return batches


def _neighbours(order: list[int]) -> float:
    """How far apart pairs are in the store that follow each other; 1 of a true shuffle, a third of all."""
    return float(np.abs(np.diff(order)).mean() / (len(order) / 3))
