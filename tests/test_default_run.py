"""What `python train.py` promises, by VICReg and by DINO: content, not pointing, for days it never saw."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from sage_lightning.evaluation.table import BACKBONE, CHANCE, LEARNED, MEAN, PIXELS, PROJECTION, RANDOM, pick

ROOT = Path(__file__).parents[1]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


DINO = "model=dino_vit_pico"
RUNS = {
    "vicreg": (),
    **{
        name: (DINO, f"model.direction={name}")
        for name in ("both", "rgb_teacher", "ir_teacher", "alternate_roles")
    },
    "alternate_sensor": ("experiment=dino_alternate_sensor",),
}


@pytest.fixture(scope="module")
def table_of(once) -> Callable[[str], pd.DataFrame]:
    """table_of("both"): the scores of a run, which is made once."""

    def table(name: str) -> pd.DataFrame:
        def make(desk: Path) -> str:
            subprocess.run([sys.executable, str(ROOT / "train.py"), *RUNS[name]], cwd=desk, check=True)
            (path,) = desk.glob("outputs/train/*/scores.csv")
            return str(path)

        return pd.read_csv(once(f"default-{name}", make), keep_default_na=False, na_values=["nan"])

    return table


@pytest.fixture(scope="module", params=RUNS)
def scores(request: pytest.FixtureRequest, table_of: Callable[[str], pd.DataFrame]) -> pd.DataFrame:
    return table_of(request.param)


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


@pytest.mark.parametrize("direction", ["rgb_to_ir", "ir_to_rgb"])
@pytest.mark.parametrize("teaches", [name for name in RUNS if name != "vicreg"])
def test_whoever_teaches_dino_is_no_worse_than_vicreg(table_of, teaches, direction):
    """One seed each: at least the lower end of the 95 % interval of VICReg's, on the same queries."""
    keys = {"task": f"retrieval_within_position_{direction}", "subset": "day", "metric": "r1"}
    (low,) = pick(table_of("vicreg"), features=LEARNED, space=PROJECTION, **keys)["low"].astype(float)
    assert 0 < low < value(table_of("vicreg"), LEARNED, PROJECTION, **keys)
    assert value(table_of(teaches), LEARNED, PROJECTION, **keys) >= low


@pytest.mark.parametrize("subset", ["day", "night"])
def test_cloud_fraction_can_be_read_from_the_thermal_embedding(scores, subset):
    """Where the look takes away how warm a frame is, random weights have it beside their features, too."""
    keys = {"task": "probe", "label": "cloud_fraction", "metric": "r2", "sensor": "ir", "subset": subset}
    learned = value(scores, LEARNED, BACKBONE, **keys)
    assert learned >= 0.5
    assert learned > value(scores, RANDOM, BACKBONE, **keys)
    assert learned > value(scores, MEAN, PIXELS, **keys)


def test_the_rgb_tower_is_better_than_its_initialisation(scores):
    """Also where its teacher teaches and nothing of the other sensor reaches it."""
    keys = {"task": "probe", "label": "cloud_fraction", "metric": "r2", "sensor": "rgb", "subset": "day"}
    assert value(scores, LEARNED, BACKBONE, **keys) > value(scores, RANDOM, BACKBONE, **keys)
