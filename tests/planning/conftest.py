"""Runs small enough that a real step takes no time."""

from collections.abc import Callable
from typing import Any

import pytest
from hydra import compose, initialize_config_dir

from sage_lightning.build.planner import Planner
from sage_lightning.config import config_dir

SMALL = ("data.rgb_size=32", "data.ir_size=32", "data.batch_size=8", "model.projector=[64,64]")


@pytest.fixture
def planner() -> Callable[..., Planner]:
    """planner("model=dino_vit_pico", pairs=1000): of a small run."""

    def make(*overrides: str, pairs: int = 1000) -> Any:
        with initialize_config_dir(str(config_dir()), version_base="1.3"):
            cfg = compose("plan", [*SMALL, *overrides])
        return Planner(cfg, pairs, "given")

    return make
