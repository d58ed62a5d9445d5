"""A checkpoint's config may name what runs of this package have, and nothing else."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from sage_lightning.build.data import look
from sage_lightning.build.saved import saved_config
from sage_lightning.checkpoints import KEY
from sage_lightning.errors import UserError


def config_with(target: str) -> dict[str, object]:
    return {KEY: {"config": {"data": {"parts": [{"source": {"_target_": target}}]}}}}


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "builtins.eval",
        "sage_lightning.provenance.subprocess.run",
        "sage_lightning.data.sources.json.loads",
    ],
)
def test_a_stranger_is_refused(target: str) -> None:
    with pytest.raises(UserError, match=f"asks to run {target}; refused"):
        saved_config(Path("theirs.ckpt"), config_with(target))


@pytest.mark.parametrize(
    "target",
    [
        "sage_lightning.data.thermal.Celsius",
        "sklearn.cluster.HDBSCAN",
        "torch.optim.AdamW",
        "pytorch_lightning.Trainer",
        "pytorch_lightning.loggers.CSVLogger",
    ],
)
def test_what_runs_have_is_not(target: str) -> None:
    assert saved_config(Path("ours.ckpt"), config_with(target)).data.parts[0].source._target_ == target


def test_a_checkpoint_of_before_there_was_a_choice_of_look_has_its_own() -> None:
    assert look(OmegaConf.create({"data": {"rgb_size": 48}})) == "own"
    assert look(OmegaConf.create({"data": {"look": "common"}})) == "common"
