"""An evaluation's ingredients without a model: an index, features that hold something known, pictures."""

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans

from sage_lightning.clustering.cluster import Clusters
from sage_lightning.evaluation.features import Split
from sage_lightning.evaluation.figures.sheet import Pictures
from sage_lightning.evaluation.gallery import Source
from sage_lightning.evaluation.run import grouped
from sage_lightning.evaluation.scores import score_table

BOTH = {"rgb": True, "ir": True}  # towers of attention
NODES = ("00004812345678e9", "00004812345678ea")
POSITIONS = {"1": "sky", "2": "horizon", "3": "below", "4": "ground"}


def make_index(pairs: int, split: str, seed: int) -> pd.DataFrame:
    """Pairs of both nodes and four positions, by day and night, with the labels of a simulated camera."""
    rng = np.random.default_rng(seed)
    position = rng.choice(list(POSITIONS), pairs)
    view = np.array([POSITIONS[p] for p in position])
    node = rng.choice(NODES, pairs)
    day = rng.integers(0, 24, pairs) + (0 if split == "train" else 100)
    hour = rng.uniform(0, 24, pairs)
    elevation = 50 * np.cos((hour - 12) / 24 * 2 * np.pi)
    time = pd.Timestamp("2023-03-01", tz="UTC") + pd.to_timedelta(day * 24 + hour, unit="h")
    cloud = rng.uniform(0, 1, pairs)
    return pd.DataFrame(
        {
            "pair_id": [f"{n}-{i:06d}" for i, n in enumerate(node)],
            "node": node,
            "position": position,
            "time": time.as_unit("ns"),
            "rgb_path": "a.jpg",
            "ir_path": "a.csv",
            "rgb_width": 768,
            "rgb_height": 256,
            "ir_width": 168,
            "ir_height": 126,
            "status": "ok",
            "reason": "",
            "split": split,
            "local_day": [f"2023-{d:03d}" for d in day],
            "local_hour": hour,
            "sun_elevation": elevation,
            "daylight": np.where(elevation > 0, "day", np.where(elevation > -6, "twilight", "night")),
            "view": view,
            "store_row": np.arange(pairs),
            "cloud_fraction": np.where(np.isin(view, ["sky", "horizon"]), cloud, np.nan),
            "cloud_cover": cloud,
            "air_temperature": 15 + 8 * rng.normal(size=pairs),
            "ground_kind": rng.choice(["grass", "soil", "water"], pairs),
            "warm_object": rng.random(pairs) < 0.3,
            "frame": np.arange(pairs),
        }
    )


def make_split(pairs: int, split: str, seed: int, width: int = 24) -> Split:
    """Learned features share content between the sensors and hold the clouds; random ones do not."""
    index = make_index(pairs, split, seed)
    rng = np.random.default_rng(seed + 1)
    mixing = np.random.default_rng(7).normal(size=(8, width))
    content = rng.normal(size=(pairs, 8))
    content[:, 0] = 3 * (index["cloud_cover"] - 0.5)
    content[:, 1] = index["position"].astype(int) - 2.5

    def noisy(noise: float) -> np.ndarray:
        return (content @ mixing + noise * rng.normal(size=(pairs, width))).astype(np.float32)

    spaces = ("rgb_embedding", "ir_embedding", "rgb_projection", "ir_projection")
    learned = {space: noisy(1.5) for space in spaces}
    random = {space: rng.normal(size=(pairs, width)).astype(np.float32) for space in spaces}
    pixels = {
        "rgb_mean": np.stack([index["sun_elevation"] + 9 * rng.normal(size=pairs), rng.random(pairs)], 1),
        "ir_mean": np.stack([index["air_temperature"], rng.random(pairs)], 1),
        "rgb_gradients": rng.random((pairs, 256)),
        "ir_gradients": rng.random((pairs, 256)),
    }
    return Split(index, learned, random, pixels, widths={"rgb": width, "ir": width})


def make_source(pairs: int, seed: int = 0) -> Source:
    """Blurred noise as pictures, a bright corner as attention."""
    rng = np.random.default_rng(seed)
    coarse = rng.random((pairs, 6, 8, 3))
    rgb = (255 * np.kron(coarse, np.ones((1, 4, 4, 1)))).astype(np.uint8)
    degrees = np.kron(60 * coarse.mean(-1) - 30, np.ones((1, 3, 3))).astype(np.float32)
    degrees[:, 0, 0] = np.nan

    def attention(rows: list[int]) -> tuple[Pictures, np.ndarray, np.ndarray]:
        weights = np.zeros((len(rows), 3, 4, 4))
        weights[:, :, 0, 0] = 1
        return Pictures(rgb[rows], degrees[rows], "°C"), weights, weights[:, :2]

    return Source(lambda rows: Pictures(rgb[rows], degrees[rows], "°C"), attention, BOTH)


@pytest.fixture(scope="session")
def train() -> Split:
    return make_split(500, "train", seed=0)


@pytest.fixture(scope="session")
def test() -> Split:
    return make_split(240, "test", seed=10)


@pytest.fixture(scope="session")
def source(test: Split) -> Source:
    return make_source(len(test.index))


@pytest.fixture(scope="session")
def clusters(test: Split) -> dict[str, Clusters]:
    return grouped(test, KMeans(4, n_init=1, random_state=0))


@pytest.fixture(scope="session")
def table(train: Split, test: Split, clusters: dict[str, Clusters]) -> pd.DataFrame:
    return score_table(train, test, clusters, read_labels=True)
