"""Every option of every group of conf/ composes and breaks no rule."""

from pathlib import Path

import pytest

from sage_lightning import config
from sage_lightning.errors import UserError

GROUPS = [
    f"{file.parent.relative_to(config.config_dir())}={file.stem}"
    for file in sorted(config.config_dir().rglob("*.yaml"))
    if file.parent != config.config_dir()
    and file.parent.name not in ("backbone", "run", "job_logging")
    and not file.stem.startswith("_")
]


@pytest.mark.parametrize("choice", GROUPS)
def test_an_option_is_right_by_itself(choice: str, tmp_path: Path) -> None:
    overrides = [choice]
    if choice == "data=sage":
        overrides.append(f"data.root={tmp_path}")
        for name in ("6144x2048.jpg", "right_336x252_14bit.thermal.celsius.csv"):
            (tmp_path / f"1700000000000000000_{name}").touch()
    if choice == "data=folder":
        (tmp_path / "pairs.csv").write_text("rgb,ir\na.jpg,b.png\n")
        overrides += [f"data.root={tmp_path}", "data.table=pairs.csv"]
    if choice == "trainer=ddp":
        overrides.append("trainer.accelerator=auto")  # a GPU is not everywhere
    if choice.startswith("augment=multicrop"):
        overrides.append("model=dino_vit_pico")
    if choice == "augment=multicrop_style":
        overrides.append("data.look=common")
    if choice == "optimizer=lars":
        overrides.append("model=vicreg_vit_pico")
    command = "train"
    if choice.startswith("executor"):
        command, overrides = "prepare", [*overrides, "data=simulated"]
    config.check(overrides, command, False)


@pytest.mark.parametrize(
    "name", sorted(file.stem for file in (config.config_dir() / "model/backbone").glob("*.yaml"))
)
def test_a_backbone_is_right_for_either_tower(name: str) -> None:
    towers = [f"model/backbone@model.{sensor}_backbone={name}" for sensor in ("rgb", "ir")]
    config.check(towers, "train", False)
    with pytest.raises(UserError, match="no such option"):
        config.check([f"{towers[0]}x"], "train", False)
