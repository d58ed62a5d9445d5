"""Experiments: each is right as it stands; what one sets must be there in the run that it is chosen for."""

from pathlib import Path

import pytest

from sage_lightning import config
from sage_lightning.errors import UserError

FILES = sorted((config.config_dir() / "experiment").glob("*.yaml"))


def lines(*overrides: str, folder: Path | None = None) -> tuple[str, ...]:
    with pytest.raises(UserError) as caught:
        config.check(list(overrides), "train", False, None if folder is None else str(folder))
    return caught.value.lines


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_experiment_opens_with_what_it_is_what_it_needs_and_its_command(file: Path) -> None:
    package, what, needs, command, *_ = file.read_text().splitlines()
    assert package == "# @package _global_"
    assert what.startswith("# ")
    assert needs.startswith("# Needs: ")
    assert f"experiment={file.stem}" in command


def test_the_runs_of_the_log_are_there() -> None:
    assert {file.stem for file in FILES} >= {
        *("vit_rgb16_ir8_bs128_ep150", "vit_rgb16_ir4_bs128_ep150", "vitsmall_rgb16_ir8_bs128_ep150"),
        *("vicreg_resnet50_ep150", "dino_rgb_teacher", "dino_ir_teacher"),
    }


def test_the_command_line_wins() -> None:
    config.check(
        ["experiment=vit_rgb16_ir8_bs128_ep150", "data.ir_patch=4", "model=vicreg_vit_small"], "train", False
    )


def test_what_it_sets_for_another_method_is_refused() -> None:
    (line,) = lines("experiment=dino_rgb_teacher", "model=vicreg_vit_tiny")
    name = "experiment=dino_rgb_teacher with model=vicreg_vit_tiny"
    text = f'{name}: model.direction="rgb_teacher": no such key here'
    assert line.startswith(f"{text}; model=dino_")


def test_a_key_of_an_own_experiment_that_does_not_exist_is_told(tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment/mine.yaml").write_text(
        "# @package _global_\ndata:\n  ir_pach: 4\n  batch_size: many\ntrainer:\n  max_epochs: 3\n"
    )
    assert lines("experiment=mine", folder=tmp_path) == (
        "experiment=mine: data.ir_pach=4: no such key; did you mean data.ir_patch?",
        'experiment=mine: data.batch_size="many": not a whole number',
    )
