"""A checkpoint: its config may name what runs have, and nothing else; evaluated towers are what embeds."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from sage_lightning.build.data import look
from sage_lightning.build.learning import load, method
from sage_lightning.build.saved import saved_config
from sage_lightning.checkpoints import KEY, describe, stamp, write_checkpoint
from sage_lightning.config import config_dir, resolved
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


@pytest.mark.parametrize(
    ("model", "evaluated"), [("dino_vit_pico", "teacher"), ("vicreg_vit_pico", "towers")]
)
def test_what_embeds_is_the_teacher_or_the_only_towers(tmp_path: Path, model: str, evaluated: str) -> None:
    """Not a student, whose weights are others: every weight, and what they make of a picture and a frame."""
    small = ("data.rgb_size=32", "data.ir_size=32", "model.projector=[16,16]")
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        cfg = compose("train", [f"model={model}", *small])
    data: Any = SimpleNamespace(
        steps_per_epoch=10,
        batch_size=16,
        dropped_per_epoch=0,
        split_index=lambda split: range(1000),
        transform=SimpleNamespace(ir_channels=1),
    )
    trained = method(cfg, data)
    with torch.no_grad():
        for number, weight in enumerate(trained.parameters()):  # as after steps: no two parts are alike
            weight += 0.1 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(number))
    normalisation = {"rgb_mean": [0.5] * 3, "rgb_std": [0.25] * 3, "ir_mean": [0.0], "ir_std": [1.0]}
    config = resolved(cfg)
    description = describe(
        kind="any", architecture=config["model"], config=config, data_hash="", normalisation=normalisation
    )
    path = tmp_path / "last.ckpt"
    write_checkpoint({"state_dict": trained.state_dict(), KEY: stamp(description, step=1)}, path)

    embedder = load(path)
    expected = getattr(trained, evaluated).state_dict()
    found = embedder.towers.state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name].cpu(), expected[name]) for name in expected)

    rng = np.random.default_rng(0)
    picture, frame = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8), rng.normal(0, 20, (32, 32))
    said = embedder.embed_rgb(picture), embedder.embed_ir(frame)
    embedder.towers.load_state_dict(expected)
    np.testing.assert_array_equal(embedder.embed_rgb(picture), said[0])
    np.testing.assert_array_equal(embedder.embed_ir(frame), said[1])
    if evaluated == "teacher":
        embedder.towers.load_state_dict(trained.student.state_dict())
        assert np.abs(embedder.embed_rgb(picture) - said[0]).max() > 1e-2
        assert np.abs(embedder.embed_ir(frame) - said[1]).max() > 1e-2
