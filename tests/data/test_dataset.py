import numpy as np
import torch

from sage_lightning.data.counted import sample_id
from sage_lightning.data.dataset import StoreDataset
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
