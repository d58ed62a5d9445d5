"""The Trainer that a config asks for: where parameters may rest, DDP is told."""

from types import SimpleNamespace
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from pytorch_lightning.strategies import DDPStrategy

from sage_lightning.build.learning import trainer
from sage_lightning.config import config_dir
from sage_lightning.errors import UserError

RANKS = ("trainer=ddp_cpu", "trainer.devices=2")
TRUNK = ("model=dino_vit_pico", "model.sharing=trunk")


@pytest.fixture
def strategy(tmp_path_factory) -> Any:
    """strategy(*overrides): of the Trainer that they give; the data are what checkpoints tell of them."""

    def chosen(*overrides: str) -> Any:
        folder = tmp_path_factory.mktemp("run")
        with initialize_config_dir(str(config_dir()), version_base="1.3"):
            cfg = compose("train", [*overrides, f"paths.output_dir={folder}"])
        data: Any = SimpleNamespace(
            store=SimpleNamespace(index_hash="a1"),
            transform=SimpleNamespace(normalisation={"ir_mean": [0.0]}),
        )
        return trainer(cfg, folder, data).strategy

    return chosen


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        ((*TRUNK, "model.direction=alternate_sensor"), True),
        ((*TRUNK, "model.direction=rgb_teacher", "model.intra_weight=0"), True),
        ((*TRUNK, "model.direction=alternate_roles", "model.intra_weight=0.0"), True),
        ((*TRUNK, "model.intra_weight=0"), False),  # both: each learns from the other at each step
        (("model=dino_vit_pico", "model.sharing=full", "model.direction=alternate_sensor"), False),
        (TRUNK, False),  # it costs time where nothing rests
        ((), False),
    ],
)
def test_ddp_is_told_of_towers_that_rest(strategy, overrides, told):
    found = strategy(*RANKS, *overrides)
    assert isinstance(found, DDPStrategy)
    assert found._ddp_kwargs.get("find_unused_parameters", False) is told


@pytest.mark.parametrize(
    "processes",
    [
        ("trainer.devices=2",),  # auto, which becomes DDP
        ("trainer.num_nodes=2",),
        ("trainer.strategy=ddp",),
        ("trainer.devices=2", "trainer.strategy=ddp_fork"),
        ("trainer.devices=2", "trainer.strategy=ddp_find_unused_parameters_true"),
    ],
)
def test_ddp_is_told_whatever_it_is_asked_for_by(strategy, processes):
    found = strategy("trainer.accelerator=cpu", *processes, *TRUNK, "model.direction=alternate_sensor")
    assert isinstance(found, DDPStrategy)
    assert found._ddp_kwargs["find_unused_parameters"] is True


def test_a_strategy_that_denies_that_towers_rest_is_refused(strategy):
    denies = "trainer.strategy=ddp_find_unused_parameters_false"
    with pytest.raises(UserError, match=f"^{denies}: .* rests, .* use ddp or ddp_fork$"):
        strategy(*RANKS, denies, *TRUNK, "model.direction=alternate_sensor")
    assert isinstance(strategy(*RANKS, denies, *TRUNK), DDPStrategy)


def test_one_process_has_no_ranks_to_tell(strategy):
    found = strategy(*TRUNK, "model.direction=alternate_sensor", "trainer.accelerator=cpu")
    assert not isinstance(found, DDPStrategy)
