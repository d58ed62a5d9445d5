"""What `python train.py` promises, by VICReg and by DINO: content, not pointing, for days it never saw."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from sage_lightning.evaluation.table import BACKBONE, CHANCE, LEARNED, MEAN, PIXELS, PROJECTION, RANDOM, pick

ROOT = Path(__file__).parents[1]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


DINO = "model=dino_vit_pico"
RUNS = {
    "vicreg": (),
    **{
        name: (DINO, f"model.direction={name}")
        for name in ("both", "rgb_teacher", "ir_teacher", "alternate_roles")
    },
}


@pytest.fixture(scope="module", params=RUNS)
def scores(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    desk = tmp_path_factory.mktemp("desk")
    subprocess.run([sys.executable, str(ROOT / "train.py"), *RUNS[request.param]], cwd=desk, check=True)
    (table,) = desk.glob("outputs/train/*/scores.csv")
    return pd.read_csv(table, keep_default_na=False, na_values=["nan"])


def value(scores: pd.DataFrame, features: str, space: str, **keys: str) -> float:
    (found,) = pick(scores, features=features, space=space, **keys)["value"].astype(float)
    return found


@pytest.mark.parametrize("direction", ["rgb_to_ir", "ir_to_rgb"])
def test_a_picture_finds_its_partner_among_those_of_its_position(scores, direction):
    keys = {"task": f"retrieval_within_position_{direction}", "subset": "day", "metric": "r1"}
    learned = value(scores, LEARNED, PROJECTION, **keys)
    assert pick(scores, features=LEARNED, space=PROJECTION, **keys)["n"].astype(int).item() >= 200
    assert learned >= 3 * value(scores, CHANCE, "", **keys)
    assert learned > value(scores, RANDOM, PROJECTION, **keys)
    assert learned > value(scores, MEAN, PIXELS, **keys)


@pytest.mark.parametrize("subset", ["day", "night"])
def test_cloud_fraction_can_be_read_from_the_thermal_embedding(scores, subset):
    keys = {"task": "probe", "label": "cloud_fraction", "metric": "r2", "sensor": "ir", "subset": subset}
    learned = value(scores, LEARNED, BACKBONE, **keys)
    assert learned >= 0.5
    assert learned > value(scores, RANDOM, BACKBONE, **keys)
    assert learned > value(scores, MEAN, PIXELS, **keys)


def test_the_rgb_tower_is_better_than_its_initialisation(scores):
    """Also where its teacher teaches and nothing of the other sensor reaches it."""
    keys = {"task": "probe", "label": "cloud_fraction", "metric": "r2", "sensor": "rgb", "subset": "day"}
    assert value(scores, LEARNED, BACKBONE, **keys) > value(scores, RANDOM, BACKBONE, **keys)
