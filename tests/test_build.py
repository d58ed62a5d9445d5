"""conf/ and code fit: every option builds, every key has a reader, none takes keys that it does not name."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import get_object, instantiate
from omegaconf import OmegaConf

import sage_lightning
from sage_lightning.build.learning import towers
from sage_lightning.build.model import PARTS, fill
from sage_lightning.callbacks.health import HealthAlarms
from sage_lightning.config import config_dir
from sage_lightning.data.look import common_ir
from sage_lightning.data.style import Style

CONF = config_dir()
PACKAGE = Path(sage_lightning.__file__).parent
READERS = "".join(
    path.read_text() for where in ("cli.py", "build/*.py", "config/*.py") for path in PACKAGE.glob(where)
)
# Filled in from the interpolations of conf/, so a key that another takes its value from is read by that one.
INTERPOLATED = {
    name
    for path in CONF.rglob("*.yaml")
    for name in re.findall(r"\$\{([\w.]+)\}", re.sub(r"(?m)#.*$", "", path.read_text()))
}
META = ("_target_", "_partial_", "_args_", "_convert_", "_recursive_")


def options(group: str) -> list[str]:
    return sorted(path.stem for path in (CONF / group).glob("*.yaml") if not path.stem.startswith("_"))


def composed(*overrides: str, command: str = "train") -> Any:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose(command, list(overrides))


def assert_projects(*overrides: str) -> None:
    cfg = composed(*overrides)
    fill(cfg, pairs=1000)
    with torch.device("meta"):  # shapes without numbers: no memory, little time
        both_towers = towers(cfg, ir_channels=3)
        z_rgb, z_ir = both_towers(torch.empty(2, 3, 48, 48), torch.empty(2, 3, 48, 48))
    assert z_rgb.shape == z_ir.shape == (2, cfg.model.projector[-1])


def both(backbone: str) -> list[str]:
    return [f"model/backbone@model.{sensor}_backbone={backbone}" for sensor in ("rgb", "ir")]


@pytest.mark.parametrize("model", options("model"))
def test_every_model_builds(model):
    assert_projects(f"model={model}")


@pytest.mark.parametrize("backbone", options("model/backbone"))
def test_every_backbone_builds(backbone):
    assert_projects(*both(backbone))


@pytest.mark.slow
@pytest.mark.parametrize("model", options("model"))
@pytest.mark.parametrize("backbone", options("model/backbone"))
def test_every_model_builds_with_every_backbone(model, backbone):
    assert_projects(f"model={model}", *both(backbone))


@pytest.mark.parametrize("model", options("model"))
def test_what_a_model_does_not_build_is_its_methods(model):
    cfg = composed(f"model={model}")
    method = get_object(cfg.model._target_)
    given = {key for key in cfg.model if key not in PARTS} - {"_target_"}
    filled = {"towers", "optimizer", "schedule", "seed"}
    span = {"steps_per_epoch", "total_steps"} & set(inspect.signature(method).parameters)
    assert given | filled | span == set(inspect.signature(method).parameters)


@pytest.mark.parametrize("name", options("thermal"))
def test_every_thermal_choice_makes_channels(name):
    thermal = instantiate(composed(f"thermal={name}").thermal)
    channels = thermal(torch.linspace(-80, 70, 60).view(2, 5, 6))
    assert channels.shape == (2, thermal.channels, 5, 6)
    assert channels.std() > 0.1


@pytest.mark.parametrize("name", [name for name in options("augment") if not name.startswith("multicrop")])
def test_every_augmentation_makes_views(name):
    augment = composed(f"augment={name}").augment
    view = instantiate(augment.view)(rgb_size=(8, 8), ir_size=(4, 4))
    keys = (1, torch.tensor([0, 0]), torch.tensor([5, 6]))
    pictures = (torch.rand(2, 3, 12, 16), 20 * torch.rand(2, 12, 16))
    rgb, degrees = view.crops(*keys).cut(*pictures)
    photometric = instantiate(augment.photometric)
    if photometric is not None:
        changes = photometric.draw(*keys)
        rgb, degrees = photometric.rgb(rgb, changes), photometric.ir(degrees, changes)
    assert rgb.shape == (2, 3, 8, 8)
    assert degrees.shape == (2, 4, 4)


LOCAL = {"multicrop": 8, "multicrop_large": 0, "multicrop_style": 0}


@pytest.mark.parametrize("name", [name for name in options("augment") if name.startswith("multicrop")])
def test_multicrop_makes_crops(name):
    augment = composed(f"augment={name}").augment
    sizes = {"rgb_size": (8, 8), "ir_size": (4, 4), "rgb_local_size": (4, 4), "ir_local_size": (2, 2)}
    view = instantiate(augment.view)(**sizes)
    pictures = (torch.rand(2, 3, 12, 16), torch.rand(2, 12, 16))
    keys = (1, *torch.tensor([[0, 0], [5, 6]]))
    assert view.large(*keys).cut(*pictures)[1].shape == (4, 4, 4)
    small = view.small(*keys)
    assert (0 if small is None else len(small.cut(*pictures)[0])) == 2 * LOCAL[name]


def test_one_augmentation_changes_style():
    styles = {name: instantiate(composed(f"augment={name}").augment.style) for name in options("augment")}
    style = styles.pop("multicrop_style")
    assert set(styles.values()) == {None}
    assert style == Style()
    frames = common_ir(torch.rand(2, 6, 8))
    changed = style.ir(frames, 1, torch.tensor([0, 0]), torch.tensor([5, 6]))
    assert (changed - frames).abs().max() > 0.1


@pytest.mark.parametrize("name", options("optimizer"))
def test_every_optimizer_goes_downhill(name):
    weight = torch.nn.Parameter(torch.ones(3, 3))
    optimizer = instantiate(composed("model=vicreg_vit_pico", f"optimizer={name}").optimizer)([weight])
    weight.square().sum().backward()
    optimizer.step()
    assert weight.square().sum() < 9


# Factors at the last step of the warm-up, in the middle of the rest, and at the end; the floor is 0.001.
SHAPES = {"constant": (1, 1, 1), "cosine": (1, 0.5005, 0.001), "linear": (1, 0.5005, 0.001)}


@pytest.mark.parametrize("name", options("schedule"))
def test_every_schedule_rises_and_takes_its_shape(name):
    schedule = instantiate(composed(f"schedule={name}").schedule)
    factor = schedule(steps_per_epoch=10, total_steps=101, batch_size=256)  # 20 steps to warm up, then 81
    assert [factor(step) for step in range(20)] == pytest.approx([(step + 1) / 20 for step in range(20)])
    assert [factor(step) for step in (20, 60, 100)] == pytest.approx(SHAPES[name])
    quarter = {"constant": 1, "cosine": 0.001 + 0.999 * (1 + 0.5**0.5) / 2, "linear": 0.001 + 0.999 * 0.75}
    assert factor(40) == pytest.approx(quarter[name])


@pytest.mark.parametrize("name", options("schedule"))
def test_every_schedule_goes_without_a_warm_up(name):
    schedule = instantiate(composed(f"schedule={name}", "schedule.warmup_epochs=0").schedule)
    assert schedule(steps_per_epoch=10, total_steps=100, batch_size=512)(0) == 2.0


@pytest.mark.parametrize("name", options("clustering"))
@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_every_clustering_groups_points(name, command):
    clustering = instantiate(composed(f"clustering={name}", command=command).clustering)
    points = torch.randn(40, 2, generator=torch.Generator().manual_seed(0)).repeat(2, 1)
    points[40:] += 50
    labels = clustering.fit_predict(points.numpy())
    assert not set(labels[:40]) & set(labels[40:]) - {-1}


@pytest.mark.parametrize("name", options("logger"))
def test_every_logger_writes_into_the_folder_that_it_is_given(name, tmp_path):
    (logger,) = composed(f"logger=[{name}]").logger.values()
    assert Path(instantiate(logger)(save_dir=tmp_path).save_dir) == tmp_path


@pytest.mark.parametrize("name", options("trainer"))
def test_every_trainer_has_the_keys_of_the_default(name):
    assert set(composed(f"trainer={name}").trainer) == set(composed().trainer)


@pytest.fixture(scope="module")
def compositions() -> dict[str, Any]:
    """Each command with each option of each of its choices."""
    made = {}
    for command in ("train", "evaluate", "download", "index", "inventory", "pairs"):
        chosen = OmegaConf.load(CONF / f"{command}.yaml").defaults
        for group in (name for entry in chosen if not isinstance(entry, str) for name in entry):
            for choice in (f"{group}={name}" for name in options(group)):
                made[f"{command} {choice}"] = composed(choice, command=command)
    made["plan"] = composed(command="plan")  # and what a run has
    for choice in both("resnet18"):
        made[f"train {choice}"] = composed(choice)
    return made


def unread(config: Any) -> list[str]:
    """The keys that nothing reads."""
    tree = OmegaConf.to_container(config, resolve=False)
    return [key for key in _leaves(tree, "") if not _is_read(tree, key)]


def _leaves(node: dict[str, Any], above: str) -> Iterator[str]:
    for name, value in node.items():
        if isinstance(value, dict) and not (above + name).endswith("_backbone.options"):
            yield from _leaves(value, f"{above}{name}.")
        elif name not in META:
            yield above + name


def _is_read(tree: dict[str, Any], key: str) -> bool:
    node, _, name = key.rpartition(".")
    inside: Any = tree
    for part in node.split(".") if node else []:
        inside = inside[part]
    if target := inside.get("_target_"):
        taken = set(inspect.signature(get_object(target)).parameters)
        return name in taken or (node == "model" and name in PARTS)
    if node == "health":  # passed on as a whole
        return name in inspect.signature(HealthAlarms).parameters
    # As an attribute of its node: `cfg.data.batch_size`, `data.batch_size`, `data.split.val`.
    attribute = ".".join(key.split(".")[-2:])
    read = re.search(rf"(?<!\w){re.escape(attribute)}\b(?!\s*=[^=])", READERS)
    # A node that another key takes as a whole is read with all its keys.
    taken_whole = any(f"{key}.".startswith(f"{taken}.") for taken in INTERPOLATED)
    return bool(read) or taken_whole or (not node and f"cfg.{name}" in READERS)


def test_every_key_has_a_reader(compositions):
    assert {
        "train thermal=bins3",
        "train data=sage",
        "evaluate clustering=hdbscan",
        "inventory data=folder",
    } <= set(compositions)
    assert {where: keys for where, config in compositions.items() if (keys := unread(config))} == {}


@pytest.mark.parametrize("key", ["data.forgotten", "trainer.forgotten", "forgotten", "health.forgotten"])
def test_a_key_without_a_reader_would_be_found(key):
    assert unread(composed(f"+{key}=1")) == [key]


def _targets(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "_target_" in node:
            yield node["_target_"]
        for value in node.values():
            yield from _targets(value)


def test_nothing_of_ours_takes_keys_that_it_does_not_name(compositions):
    configs = map(OmegaConf.to_container, compositions.values())
    found = {target for config in configs for target in _targets(config)}
    ours = {target for target in found if target.startswith("sage_lightning.")}
    assert len(ours) >= 9
    for target in ours:
        kinds = {parameter.kind for parameter in inspect.signature(get_object(target)).parameters.values()}
        assert inspect.Parameter.VAR_KEYWORD not in kinds, target
    others = {target.partition(".")[0] for target in found - ours}
    assert others <= {"pytorch_lightning", "torch", "sklearn"}
