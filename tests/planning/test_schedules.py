"""What is drawn is what a run logs."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from pytorch_lightning.callbacks import Callback

from sage_lightning.build.measuring import short_trainer
from sage_lightning.build.model import built
from sage_lightning.planning.schedules import NAMES, schedule_figure, schedules


class Logged(Callback):
    def __init__(self) -> None:
        self.rows: list[dict[str, float]] = []

    def on_train_batch_end(self, trainer: Any, *arguments: Any) -> None:
        step = {"step": trainer.global_step - 1}
        self.rows.append(
            step | {name: float(trainer.callback_metrics[name]) for name in trainer.callback_metrics}
        )


# A teacher rests in evaluation, and that is meant.
@pytest.mark.filterwarnings(r"ignore:Found .* module\(s\) in eval mode")
@pytest.mark.parametrize("model", ["vicreg_vit_pico", "dino_vit_pico"])
def test_a_run_logs_what_was_drawn(planner: Callable[..., Any], model: str) -> None:
    short = ("trainer.max_epochs=2", "schedule.warmup_epochs=0.5", "model.projector=[16,16]")
    short += ("model.temperature_epochs=1",) if model.startswith("dino") else ()
    planned = planner(f"model={model}", *short, pairs=32)
    table = schedules(planned.method, total_steps=8)
    watch = Logged()
    trainer = short_trainer(planned.cfg, watch, 8, accelerator="cpu")
    trainer.fit(built(planned.cfg, planned.data), datamodule=planned.data)
    logged = pd.DataFrame(watch.rows)[list(table.columns)]
    assert list(table["step"]) == list(range(8))
    assert len(table.columns) == (2 if model.startswith("vicreg") else 5)
    pd.testing.assert_frame_equal(logged, table, check_dtype=False, rtol=1e-6)


def test_each_number_has_its_panel(planner: Callable[..., Any]) -> None:
    table = schedules(planner("model=dino_vit_pico").method, total_steps=10_000)
    assert len(table) == 400
    assert table["step"].iloc[[0, -1]].tolist() == [0, 9_999]
    figure = schedule_figure(table, steps_per_epoch=125)
    assert [axis.get_title(loc="left") for axis in figure.axes] == [*NAMES.values()]
    assert figure.axes[0].lines[0].get_xdata()[-1] == pytest.approx(9_999 / 125)
