import numpy as np
import pytest

from sage_lightning.data.dataset import StoreDataset
from sage_lightning.data.loader import CountedLoader
from sage_lightning.data.sampler import CountedBatchSampler
from sage_lightning.data.store import PairStore
from sage_lightning.errors import UserError


def loader(
    store: PairStore,
    rank: int = 0,
    world: int = 1,
    seed: int = 0,
    n: int = 43,
    num_workers: int = 0,
    first: int = 0,
) -> CountedLoader:
    dataset = StoreDataset(store, np.arange(n), np.arange(first, first + n))
    return CountedLoader(dataset, CountedBatchSampler(n, 8, seed, rank, world, 1, lambda: 3), num_workers)


def test_batches_are_the_samplers(small_store: PairStore):
    found = loader(small_store)
    keys = [list(zip(batch.epoch.tolist(), batch.row.tolist(), strict=True)) for batch in found]
    assert keys == list(found.sampler)
    assert len(found) == 5


def test_workers_change_nothing_and_end_when_told(small_store: PairStore):
    found = loader(small_store, num_workers=2)
    for _ in range(2):  # a pass that is broken off leaves nothing behind
        first = next(iter(found))
    assert first.row.tolist() == next(iter(loader(small_store))).row.tolist()
    workers = found._iterator._workers
    assert [worker.is_alive() for worker in workers] == [True, True]
    found._iterator._shutdown_workers()
    found._iterator = None
    assert [worker.is_alive() for worker in workers] == [False, False]


def test_another_sequence_is_not_resumed(small_store: PairStore):
    saved = loader(small_store).state_dict()
    loader(small_store, rank=1, world=2).load_state_dict(saved)
    with pytest.raises(UserError) as error:
        loader(small_store, seed=3, n=44).load_state_dict(saved)
    assert error.value.lines == (
        "seed=3, but the run that is resumed had 0",
        "pairs=44, but the run that is resumed had 43",
    )


def test_as_many_other_pairs_are_not_gone_on_with(small_store: PairStore):
    saved = loader(small_store).state_dict()
    with pytest.raises(UserError, match=r"^the training split holds other pairs than when the run"):
        loader(small_store, first=1).load_state_dict(saved)
    del saved["sample_ids"]  # a run of before there was such a digest
    loader(small_store, first=1).load_state_dict(saved)
