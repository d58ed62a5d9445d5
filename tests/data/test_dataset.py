import numpy as np
import pytest
import torch

from sage_lightning.data.counted import sample_id
from sage_lightning.data.dataset import StoreDataset
from sage_lightning.data.loader import BatchLoader
from sage_lightning.data.store import PairStore


def test_a_batch_holds_the_pairs_asked_for_in_order(small_store: PairStore):
    rows = small_store.rows("train")
    ids = np.array([sample_id(pair) for pair in small_store.split_index("train")["pair_id"]])
    dataset = StoreDataset(small_store, rows, ids)
    batch = dataset.__getitems__([(2, 5), (2, 0), (3, 41)])
    assert len(dataset) == 42
    assert batch.rgb.shape == (3, 3, 12, 16)
    assert batch.rgb.dtype == torch.uint8
    assert batch.ir.shape == (3, 9, 12)
    assert batch.ir.dtype == torch.uint16
    # The fixture's pair i has i in its first pixel.
    assert batch.rgb[:, :, 0, 0].tolist() == [[pair] * 3 for pair in rows[[5, 0, 41]].tolist()]
    assert batch.epoch.tolist() == [2, 2, 3]
    assert batch.row.tolist() == [5, 0, 41]
    assert batch.sample_id.tolist() == [sample_id(f"camera-{pair:03d}") for pair in rows[[5, 0, 41]].tolist()]
    rgb, ir = small_store.read(rows[[5, 0, 41]])
    assert np.array_equal(batch.rgb.permute(0, 2, 3, 1).numpy(), rgb)
    assert np.array_equal(batch.ir.numpy(), ir)


def test_the_kernel_fills_the_batch_itself(small_store: PairStore, monkeypatch: pytest.MonkeyPatch):
    """What is read into is what the batch is made of: there is no copy in between."""
    filled, fill = [], PairStore.read_into

    def watched(store: PairStore, rgb: np.ndarray, ir: np.ndarray, rows: np.ndarray) -> None:
        filled.append((rgb.ctypes.data, ir.ctypes.data))
        fill(store, rgb, ir, rows)

    monkeypatch.setattr(PairStore, "read_into", watched)
    batch = StoreDataset(small_store, np.arange(52), np.arange(52)).__getitems__([(0, 1), (0, 7)])
    assert filled == [(batch.rgb.data_ptr(), batch.ir.data_ptr())]


@pytest.mark.parametrize("workers", [0, 1])
def test_batches_of_workers_are_sent_as_handles(small_store: PairStore, workers: int):
    dataset = StoreDataset(small_store, np.arange(52), np.arange(52))
    loader = BatchLoader(dataset, [[(0, 3), (1, 40)], [(1, 51)]], workers)
    first, last = loader
    assert first.rgb.is_shared() is first.ir.is_shared() is (workers == 1)
    rgb, ir = small_store.read([3, 40])
    assert np.array_equal(first.rgb.permute(0, 2, 3, 1).numpy(), rgb)
    assert np.array_equal(first.ir.numpy(), ir)
    assert last.rgb[0, :, 0, 0].tolist() == [51] * 3
    loader._iterator = None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("workers", [0, 1])
def test_batches_are_pinned(small_store: PairStore, workers: int):
    dataset = StoreDataset(small_store, np.arange(52), np.arange(52))
    (batch,) = BatchLoader(dataset, [[(0, 3), (1, 40)]], workers)
    assert batch.rgb.is_pinned()
    assert batch.ir.is_pinned()
    assert torch.equal(batch.rgb.cuda(non_blocking=True).cpu(), batch.rgb)
