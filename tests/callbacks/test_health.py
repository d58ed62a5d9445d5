"""The alarms, through a real validation of real towers."""

import warnings
from functools import partial

import pandas as pd
import pytest
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader

from sage_lightning.batch import PairBatch
from sage_lightning.callbacks.health import HealthAlarms
from sage_lightning.callbacks.online import OnlineMetrics
from sage_lightning.methods.vicreg import VICReg
from sage_lightning.models.backbone import Backbone
from sage_lightning.models.projector import Projector
from sage_lightning.models.towers import TwoTowers

VIT = partial(Backbone, "vit_tiny_patch16_224", 16, 8, 3)
PAIRS = 12


class Pairs(pl.LightningDataModule):
    """A validation split in two batches; the thermal camera sees what the other does, but for `noise`."""

    def __init__(self, noise: float = 0.0) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(0)
        rgb, other = torch.randn(2, PAIRS, 3, 16, 16, generator=draw)
        rows = torch.arange(PAIRS)
        whole = PairBatch(rgb, rgb + noise * other, rows, rows * 0, rows)
        self.batches = [PairBatch(*(x[part] for x in whole)) for part in (slice(0, 6), slice(6, PAIRS))]

    def val_dataloader(self) -> DataLoader:
        return DataLoader(self.batches, batch_size=None)

    def split_index(self, split: str) -> pd.DataFrame:
        return pd.DataFrame({"node": ["W000"] * PAIRS, "position": pd.array([1] * PAIRS, "Int64")})


def towers(kind: str) -> TwoTowers:
    torch.manual_seed(0)
    widths = {"narrower": (16, 8)}.get(kind, (16, 16))
    rgb, ir = (VIT({"embed_dim": width, "depth": 1, "num_heads": 2}) for width in widths)
    if kind == "equal":
        ir.load_state_dict(rgb.state_dict())
    ir = rgb if kind == "one" else ir
    return TwoTowers(rgb, ir, *(Projector(width, [8]) for width in widths))


@pytest.fixture
def validated(tmp_path, caplog):
    """What the last of `times` validations logged, and all lines of alarm."""

    def run(kind, noise=0.0, coincide=0.002, times=1, floor=0.0):
        method = VICReg(towers(kind), torch.optim.SGD, float, seed=1)
        trainer = pl.Trainer(
            accelerator="cpu",
            callbacks=[OnlineMetrics(), HealthAlarms(floor, 0.0, coincide)],
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=tmp_path,
        )
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*does not have many workers")
            for _ in range(times):
                trainer.validate(method, datamodule=Pairs(noise), verbose=False)
        return trainer.callback_metrics, [r.message for r in caplog.records if "health/" in r.message]

    return run


def test_towers_that_coincide_are_told_of_once(validated):
    logged, lines = validated("equal", times=2)
    assert logged["health/towers_distance"] == 0
    assert lines == [
        "COINCIDE: health/towers_distance is 0, below health.coincide=0.002, at epoch 0: both towers embed a "
        "pair alike, and one of them is superfluous"
    ]


def test_rounding_is_no_difference(validated):
    logged, lines = validated("equal", noise=1e-4)
    assert 0 < logged["health/towers_distance"] < 1e-3
    assert len(lines) == 1


@pytest.mark.parametrize(("kind", "noise"), [("separate", 0.0), ("equal", 0.5)])
def test_towers_that_differ_raise_no_alarm(validated, kind, noise):
    logged, lines = validated(kind, noise)
    assert logged["health/towers_distance"] > 0.05
    assert lines == []


def test_one_tower_for_both_sensors_is_meant(validated):
    logged, lines = validated("one")
    assert logged["health/towers_distance"] == 0
    assert lines == []


def test_embeddings_of_unequal_width_have_no_distance(validated):
    logged, lines = validated("narrower")
    assert "health/towers_distance" not in logged
    assert lines == []


def test_0_is_no_alarm(validated):
    assert validated("equal", coincide=0.0)[1] == []


def test_a_collapse_is_told_of_each_sensor(validated):
    logged, lines = validated("separate", floor=100.0)
    assert [line.partition(", ")[0] for line in lines] == [
        f"COLLAPSE: health/rankme_{sensor} is {float(logged[f'health/rankme_{sensor}']):.3g}"
        for sensor in ("rgb", "ir")
    ]
