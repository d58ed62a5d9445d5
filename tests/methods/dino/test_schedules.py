"""What follows the global step, what is logged, and that a run can be stopped and resumed."""

import re
from pathlib import Path

import pandas as pd
import pytest
import torch
from pytorch_lightning.loggers import CSVLogger

from sage_lightning.optim.fused import fused


def test_temperature_and_weight_decay_follow_the_step(method, fit):
    _, watch = fit(method(weight_decay_end=0.3, teacher_temperature=(0.04, 0.07)))
    decays = [logged["train/weight_decay"] for logged in watch.logged]
    assert decays[0] == pytest.approx(0.1)
    assert decays[-1] == pytest.approx(0.3)
    assert decays == sorted(decays)
    temperatures = [logged["train/teacher_temperature"] for logged in watch.logged]
    assert temperatures == pytest.approx([0.04, 0.05, 0.06, 0.07, 0.07, 0.07])


@pytest.mark.parametrize(
    ("direction", "sharing", "drop_path"),
    [("both", "separate", 0.0), ("alternate_roles", "separate", 0.4), ("both", "resnet", 0.0)],
)
def test_a_stopped_and_resumed_run_ends_in_the_same_weights(
    method, fit, tmp_path, direction, sharing, drop_path
):
    settings = {"weight_decay_end": 0.3, "freeze_epochs": 1}
    whole, half, resumed = (method(direction, sharing, drop_path, **settings) for _ in range(3))
    for model in (whole, half, resumed):
        model.optimizer = fused(model.optimizer)
    _, expected = fit(whole)
    trainer, _ = fit(half, epochs=1)
    trainer.save_checkpoint(tmp_path / "half.ckpt")
    torch.manual_seed(999)  # whatever the generator's state is in the new process
    _, found = fit(resumed, resume=tmp_path / "half.ckpt")
    rest = expected.logged[trainer.num_training_batches :]
    for now, was in zip(found.logged, rest, strict=True):
        assert now == {name: was[name] for name in now}  # names of the sensor that rests stay as they were
    for name, value in whole.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], value), name
    assert whole.state_dict()["teacher.rgb_projector.centre"].any()


def test_what_is_logged_is_in_the_vocabulary(method, fit):
    page = (Path(__file__).parents[3] / "docs/wandb.md").read_text()
    table = page.partition("| name of DINO's |")[2].partition("\n\n")[0]
    _, watch = fit(method("both", koleo_weight=0.5, ibot_weight=1.0), epochs=1)
    assert set(watch.logged[-1]) - {"train/loss", "train/lr"} == set(re.findall("`([^`]+)`", table))


def test_a_line_of_the_log_tells_of_both_roles(method, fit, tmp_path):
    """Every second step is logged, and the sensors teach in turn."""
    logger = CSVLogger(tmp_path, name="", version="")
    _, watch = fit(method("alternate_roles"), epochs=1, logger=logger, log_every_n_steps=2)
    (line,) = pd.read_csv(tmp_path / "metrics.csv").to_dict("records")
    assert line["step"] == 1
    for name, step in (("cross_rgb_to_ir", 0), ("cross_ir_to_rgb", 1), ("intra_rgb", 0), ("intra_ir", 1)):
        assert line[f"train/loss_{name}"] == pytest.approx(watch.logged[step][f"train/loss_{name}"])
