"""The whole evaluation on real files, a real store and real towers, all small."""

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from sklearn.cluster import KMeans

from sage_lightning.data.augment import FullView
from sage_lightning.data.datamodule import PairDataModule
from sage_lightning.data.prepare import Kept, prepare
from sage_lightning.data.sources import SimulatedSource
from sage_lightning.data.split import Split
from sage_lightning.data.thermal import Celsius
from sage_lightning.data.transform import PairTransform, channel_statistics, decode
from sage_lightning.errors import UserError
from sage_lightning.evaluation.embedder import Embedder
from sage_lightning.evaluation.run import evaluate, grouped
from sage_lightning.models.backbone import Backbone
from sage_lightning.models.projector import Projector
from sage_lightning.models.towers import TwoTowers


@pytest.fixture(scope="module")
def datamodule(tmp_path_factory):
    root = tmp_path_factory.mktemp("simulated")
    source = SimulatedSource(
        root=root,
        frames=150,
        nodes=2,
        positions=[1, 4],
        days=20,
        picture_size="192x64",
        thermal_size="42x32",
        faults=0.02,
        seed=0,
        workers=1,
    )
    store = prepare(source, root, Kept((24, 32)), Split(val=0.1, test=0.4))
    thermal = Celsius()
    ir_mean, ir_std = channel_statistics(thermal, store)
    transform = PairTransform(thermal, [0.5] * 3, [0.25] * 3, ir_mean, ir_std)
    view = FullView((16, 16), (16, 16))
    return PairDataModule(store, transform, view, view, None, batch_size=16, seed=0, num_workers=0)


def embedder(datamodule, seed):
    torch.manual_seed(seed)
    options = {"embed_dim": 24, "depth": 2, "num_heads": 2}
    rgb = Backbone("vit_tiny_patch16_224", 16, 8, 3, options)
    ir = Backbone("vit_tiny_patch16_224", 16, 4, 1, options)
    towers = TwoTowers(rgb, ir, Projector(24, [16, 16]), Projector(24, [16, 16]))
    return Embedder(towers, datamodule.transform, datamodule.eval_view)


@pytest.fixture(scope="module")
def done(datamodule, tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluation")
    trained = embedder(datamodule, 0)
    clustering = KMeans(3, n_init=1, random_state=0)
    result = evaluate(
        trained, embedder(datamodule, 1), datamodule, clustering, "test", folder, None, {"method": "none"}
    )
    return result, trained


def test_embeddings_lie_beside_the_index_row_by_row(done, datamodule):
    result, trained = done
    table = pd.read_parquet(result.embeddings)
    index = datamodule.store.index
    assert len(table) == index["split"].isin(["train", "test"]).sum()
    assert table["pair_id"].is_unique
    row = table[table["split"] == "test"].iloc[5]
    rgb, raw = datamodule.store.read([int(row["store_row"])])
    degrees = decode(torch.from_numpy(raw))[0].numpy()
    np.testing.assert_allclose(row["rgb_embedding"], trained.embed_rgb(rgb[0]), atol=1e-5)
    np.testing.assert_allclose(row["ir_embedding"], trained.embed_ir(degrees), atol=1e-5)
    projection = trained.embed_ir(degrees, space="projection")
    np.testing.assert_allclose(row["ir_projection"], projection, atol=1e-5)
    assert row["rgb_embedding"].shape == (24,)
    assert table.loc[table["split"] == "train", "ir_cluster"].isna().all()
    assert table.loc[table["split"] == "test", "ir_cluster"].notna().all()


def test_a_pil_picture_embeds_as_its_pixels_do(done):
    _, trained = done
    pixels = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    np.testing.assert_array_equal(trained.embed_rgb(pixels), trained.embed_rgb(Image.fromarray(pixels)))


def test_the_loader_s_batches_change_nothing(done, datamodule):
    _, trained = done
    parts = [trained.embed(datamodule.split_loader("test", batch_size)) for batch_size in (7, 64)]
    np.testing.assert_array_equal(parts[0]["row"], np.arange(len(parts[0]["row"])))
    for key, value in parts[0].items():
        np.testing.assert_allclose(value, parts[1][key], atol=1e-5)


def test_the_files_are_there_and_say_the_same(done):
    result, _ = done
    read = pd.read_csv(result.report.parent / "scores.csv", keep_default_na=False, na_values=["nan", ""])
    np.testing.assert_allclose(read["value"], result.scores["value"])
    assert "</html>" in result.report.read_text()
    assert {"retrieval", "attention", "maps", "clusters_rgb"} <= set(result.figures)
    assert {"probe", "knn", "health", "clustering"} <= set(result.scores["task"])
    assert len(result.headline) <= 10


def test_a_clustering_that_cannot_be_is_one_line(test):
    with pytest.raises(UserError, match=r"clustering: KMeans\(n_clusters=9999\) cannot group 240 pairs"):
        grouped(test, KMeans(n_clusters=9999))


def test_scoring_the_training_split_reads_no_labels(datamodule, tmp_path):
    trained = embedder(datamodule, 0)
    result = evaluate(
        trained, trained, datamodule, KMeans(3, n_init=1, random_state=0), "train", tmp_path, None, {}
    )
    assert not set(result.scores["task"]) & {"probe", "knn"}
    assert len(pd.read_parquet(result.embeddings)) == (datamodule.store.index["split"] == "train").sum()
