"""From a config to its plan: what is known without the device, and what is said where memory has run out."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hydra import compose, initialize_config_dir
from PIL import Image

from sage_lightning.build.data import datamodule
from sage_lightning.build.planner import Planner
from sage_lightning.build.planning import plan, training_pairs
from sage_lightning.config import config_dir
from sage_lightning.errors import UserError

SMALL = ("data.rgb_size=32", "data.ir_size=32", "data.batch_size=8", "model.projector=[64,64]")
AWAY = ("trainer.accelerator=gpu", "plan.pairs=1000")  # a device that is not here
no_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="the device is here")


def composed(*overrides: str) -> Any:
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        return compose("plan", [*SMALL, *overrides])


@no_gpu
def test_without_the_device_a_plan_says_that_it_is_an_estimate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = plan(composed(*AWAY, "job.gpus=[2,3,8]", "plan.tflops=0.001"), tmp_path)
    out = capsys.readouterr().out
    assert "estimate of its tensors" in out
    assert "estimate at 0.001 TFLOP/s (plan.tflops)" in out
    assert "does not divide over 3 ranks: nearest are 6 and 9" in " ".join(out.split())
    assert (tmp_path / "schedules.png").stat().st_size > 5_000
    written = json.loads((tmp_path / "plan.json").read_text())
    assert written["tokens"] == {"rgb": 16, "ir": 16}
    assert written["total_steps"] == told["plan/steps"] == 30 * (1000 // 8)
    assert written["measured"] is None
    assert written["seconds"]["value"] == pytest.approx(written["dry"]["flops"] / 1e9)
    assert told["plan/hours"] == pytest.approx(written["total_steps"] * written["seconds"]["value"] / 3600)
    assert [row["pairs"] for row in written["compared"]] == [4, None, 1]
    assert written["parameters"]["trained"] == written["dry"]["gradient_bytes"] / 4
    alone = written["dry"]["peak_bytes"]
    assert (
        written["memory"]["value"]
        == alone
        == sum(written["dry"][name] for name in ("held_bytes", "gradient_bytes", "state_bytes"))
        + (alone - written["dry"]["held_bytes"] - 3 * written["dry"]["gradient_bytes"])
    )


@no_gpu
def test_one_number_of_ranks_is_what_the_plan_is_of(planner: Callable[..., Planner]) -> None:
    one = planner(*AWAY, "job.gpus=4").plan(find_batch=False, tflops=30.0)
    several = planner(*AWAY, "job.gpus=[4,8]").plan(find_batch=False, tflops=30.0)
    assert (one.ranks, one.dry.pairs, several.ranks, several.dry.pairs) == (4, 2, 1, 8)
    # DDP's copy of the gradients comes on top of what a rank's own pairs take.
    assert one.memory.value > one.dry.peak_bytes + one.dry.gradient_bytes
    assert several.compared[0].memory_bytes == one.memory.value
    assert several.compared[0].traffic == one.compared[0].traffic


@no_gpu
def test_the_batch_that_fits_is_the_largest_below_the_one_that_did_not(
    planner: Callable[..., Planner],
) -> None:
    planned = planner(*AWAY, "data.batch_size=96", "trainer.devices=2")
    limit = planned.tensors(60, 2)
    found = planned.fitting(limit)
    assert found in (58, 60)  # 60 but for the rounding of a line
    assert planned.tensors(found, 2) <= limit
    assert planned.fitting(1) is None
    assert planned.fitting(planned.tensors(96, 2)) == 94


@no_gpu
def test_masked_patches_between_two_grids_are_planned_as_often_as_asked(
    planner: Callable[..., Planner],
) -> None:
    masked = ("model=dino_vit_pico", "model.projector=[64,16]", "model.ibot_weight=1", "data.ir_patch=16")
    found = planner(*AWAY, *masked, "job.gpus=[2,4]").plan(find_batch=False, tflops=30.0)
    assert [ranks.memory_bytes > 0 for ranks in found.compared] == [True, True]


def test_fewer_pairs_than_a_batch_are_refused(planner: Callable[..., Planner]) -> None:
    with pytest.raises(UserError, match=r"data\.batch_size=8: the training split has 7 pairs, no more"):
        planner(pairs=7)


def test_pairs_are_asked_for_estimated_or_counted(tmp_path: Path) -> None:
    assert training_pairs(composed("plan.pairs=12345")) == (12345, "plan.pairs")
    # 1 % of frames are broken, 35 % are held out.
    assert training_pairs(composed("data.frames=1000"))[0] == round(1000 * 0.99 * 0.65)


def test_pairs_of_an_index_are_those_that_training_has(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in [f"{number}.{sensor}.png" for number in range(40) for sensor in ("rgb", "ir")]:
        shape = (20, 20, 3) if "rgb" in name else (20, 20)
        Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(tmp_path / name)
    rows = [
        {"rgb": f"{n}.rgb.png", "ir": f"{n}.ir.png", "weather": "sun" if n % 4 else "rain"} for n in range(40)
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "pairs.csv", index=False)
    asked = (
        "data=folder",
        f"data.root={tmp_path}",
        "data.table=pairs.csv",
        f"paths.data_dir={tmp_path}/cache",
    )
    asked += (
        "data.rgb_store_size=[20,20]",
        "data.ir_store_size=[20,20]",
        "data.rgb_size=16",
        "data.ir_size=16",
    )
    cfg = composed(*asked, "data.select=\"weather == 'sun'\"", "data.batch_size=2", "data.prepare_workers=1")
    count, how = training_pairs(cfg)
    assert how == "by the index"
    assert not list(tmp_path.glob("cache/decoded*"))  # nothing is decoded for it
    assert count == len(datamodule(cfg).split_index("train")) > 10
