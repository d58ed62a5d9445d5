"""Each mistake has its line, all lines come at once, and what is right passes: on the real conf/."""

import subprocess
import sys
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra

from sage_lightning import config
from sage_lightning.config import checking
from sage_lightning.errors import UserError


def lines(*overrides: str, command: str = "train", multirun: bool = False) -> tuple[str, ...]:
    try:
        config.check(list(overrides), command, multirun)
    except UserError as error:
        return error.lines
    return ()


def test_the_commands_as_they_stand_are_right() -> None:
    assert lines() == ()
    assert lines(command="evaluate") == ("ckpt_path has no value: give ckpt_path=<run folder or checkpoint>",)


@pytest.mark.parametrize(
    "given",
    [
        "model=vicreg_vit_tiny data.ir_patch=8",
        "trainer=ddp_cpu trainer.devices=2",
        "logger=[wandb,tensorboard]",
        "logger=wandb logger.wandb.offline=false",
        "+logger=wandb",
        "data.rgb_size=[96,128] data.rgb_patch=16",
        "model/backbone@model.rgb_backbone=vit_small model/backbone@model.ir_backbone=resnet18",
        "model=vicreg_resnet50 data.ir_size=61",  # a CNN has no patch to divide it
        "+model.rgb_backbone.options.init_values=1e-5",
        "augment.photometric=null",
        "data.frames=200 data.source.frames=200",  # twice, but one truth
        "data.ir_size=${data.rgb_size}",
        "hydra.run.dir=/tmp/elsewhere",
        "data.split={val: 0.2, test: 0.2}",
        "data.positions=[1,17]",
        "model.projector=[64,64]",
        "trainer.devices=auto trainer.accelerator=cpu",
        "~trainer.deterministic",
        "model=dino_vit_pico model.freeze_epochs=inf",
        "thermal=bins3 thermal.thresholds=[-5,5]",
        "augment.view.scale=[0.5,0.5]",
    ],
)
def test_what_is_right_passes(given: str) -> None:
    assert lines(*([given] if "{val" in given else given.split())) == ()


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ("data.ir_pach=8", "data.ir_pach=8: no such key; did you mean data.ir_patch?"),
        ("++data.ir_pach=8", "++data.ir_pach=8: no such key; did you mean data.ir_patch?"),
        ("~data.ir_pach", "~data.ir_pach: no such key; did you mean data.ir_patch?"),
        ("ir_patch=8", "ir_patch=8: no such key; did you mean data.ir_patch?"),
        ("modle=vicreg_vit_tiny", "modle=vicreg_vit_tiny: no such key; did you mean model?"),
        ("data.split={vla: 0.1}", "data.split={vla: 0.1}: no such key; did you mean data.split.val?"),
        ("+data.root=/x", "+data.root=/x: no such key here; data=folder and data=sage have it"),
        ("+data.ir_patch=8", "+data.ir_patch=8: the key is there already; write data.ir_patch=8"),
        ("~data.ir_patch", "~data.ir_patch: the key cannot be left out"),
        (
            "data.split=3",
            "data.split=3: data.split holds keys of its own: by, val, test, seed, gap_days, deal",
        ),
        (
            "model.rgb_backbone.options.foo=1",
            "model.rgb_backbone.options.foo=1: a key that is new to model.rgb_backbone.options takes a +: "
            "+model.rgb_backbone.options.foo=1",
        ),
        ("data.batch_size=abc", "data.batch_size=abc: not a whole number"),
        ("data.batch_size=1e3", "data.batch_size=1e3: not a whole number; write data.batch_size=1000"),
        ("data.batch_size=true", "data.batch_size=true: not a whole number"),
        ("data.batch_size=null", "data.batch_size=null: not a whole number"),
        ("data.rgb_size=[1,2,3]", "data.rgb_size=[1,2,3]: not a whole number or a list of 2 whole numbers"),
        ("augment.view.scale=[0.9]", "augment.view.scale=[0.9]: not a list of 2 numbers"),
        ("augment.view.ratio=[0.5,0.7,1.0]", "augment.view.ratio=[0.5,0.7,1.0]: not a list of 2 numbers"),
        ("model.projector=[]", "model.projector=[]: must hold at least one number"),
        ("data.balance=[]", "data.balance=[]: must hold at least one column"),
        (
            "data.picture_size=300x200",
            "data.picture_size=300x200: two halves side by side, neither narrower than high",
        ),
        (
            "data.thermal_unit=kelvin",
            "data.thermal_unit=kelvin: the simulated camera's files hold degrees Celsius",
        ),
        (
            "trainer.devices=abc",
            "trainer.devices=abc: must be a whole number, -1 for all, a list of whole numbers, or auto",
        ),
        (
            "model.rgb_backbone.options.num_heads=3",
            "model.rgb_backbone.options.embed_dim=128 does not divide over "
            "model.rgb_backbone.options.num_heads=3",
        ),
        ("data.positions=[1,S]", "data.positions=[1,S]: not a list of whole numbers"),
        ("data.frames=${data.thermal_unit}", "data.frames=${data.thermal_unit}: not a whole number"),
        ("data.split.val=${data.thermal_unit}", "data.split.val=${data.thermal_unit}: not a number"),
        ("data.frames=${data.nope}", "data.frames: Interpolation key 'data.nope' not found"),
        ("paths.data_dir=2024", "paths.data_dir=2024: not text; quote it: paths.data_dir='\"2024\"'"),
        (
            "trainer.max_epochs=1.5",  # that null is legal, only Lightning's annotation says
            "trainer.max_epochs=1.5: not a whole number or null",
        ),
        (
            "trainer.limit_train_batches=2",
            "trainer.limit_train_batches=2: conf does not set it so far, which takes a +: "
            "+trainer.limit_train_batches=2",
        ),
        ("+trainer.max_epoch=3", "+trainer.max_epoch=3: no such key; did you mean trainer.max_epochs?"),
        ("data.source.frames=5", "data.source.frames=5: data.frames says it; set that instead"),
        (
            "+model.ir_backbone.patch_size=4",
            "+model.ir_backbone.patch_size=4: data.ir_patch says it; set that instead",
        ),
        (
            "logger=[csv,wnadb]",
            "logger=[csv,wnadb]: no such option wnadb; logger is one of csv, tensorboard, wandb",
        ),
        ("thermal=null", "thermal=null: a run needs one; thermal is one of bins3, celsius, percentile"),
        ("+trainer=ddp_cpu", "+trainer=ddp_cpu: trainer is chosen already; write trainer=ddp_cpu"),
        (
            "model/backbone=vit_tiny",
            "model/backbone=vit_tiny: not a place that model/backbone is chosen for; write "
            "model/backbone@model.ir_backbone=vit_tiny or model/backbone@model.rgb_backbone=vit_tiny",
        ),
        ("data.ir_patch", "data.ir_patch: no value; write data.ir_patch=<value>"),
        (
            "data.positions=[1,2",
            "data.positions=[1,2: cannot be read; a value with special signs goes in two pairs of quotes: "
            "data.positions='\"…\"'",
        ),
        (
            "data.ir_patch=4,8",
            "data.ir_patch=4,8: several values take -m; a list is written data.ir_patch=[4,8]",
        ),
        ("hydra.run.dirr=x", "hydra.run.dirr=x: Key 'dirr' not in 'RunDir'"),
    ],
)
def test_each_mistake_has_its_line(given: str, line: str) -> None:
    assert lines(given) == (line,)


def test_an_option_that_does_not_exist_is_answered_with_the_list() -> None:
    (line,) = lines("model=vicreg_vit_tinny")
    assert line.startswith("model=vicreg_vit_tinny: no such option; model is one of ")
    assert "vicreg_vit_tiny" in line
    assert "_vicreg" not in line.replace("=vicreg", "")  # a part of others is no option


def test_a_key_that_nobody_reads_is_answered_with_those_that_are_read() -> None:
    (line,) = lines("++new=1")
    assert line.startswith("++new=1: no such key; the top level has ")
    assert "data" in line


def test_all_mistakes_are_said_at_once() -> None:
    given = (
        "data.ir_pach=8",
        "data.batch_size=abc",
        "model=vicreg_vit_tinny",
        "data.ir_patch=7",
        "data.ir_size=48",
        "data.source.frames=5",
        "resume=/no/such/run",
        "data.positions=[3",
    )
    said = lines(*given)
    assert len(said) == 7
    assert (
        "data.ir_patch=7 does not divide data.ir_size=48: use 6, 8 or another divisor, or data.ir_size=49, 42"
        in said
    )


def test_nothing_is_said_of_a_key_whose_value_is_in_doubt() -> None:
    assert lines("data=sage", "data.rot=/tmp") == ("data.rot=/tmp: no such key; did you mean data.root?",)
    # 128 does not divide over 3 ranks, but 128 is not what was meant.
    assert lines("trainer.devices=3", "data.batch_size=x") == ("data.batch_size=x: not a whole number",)


def test_the_nearest_option_is_taken_so_that_the_rest_can_be_checked() -> None:
    said = lines("data=sagee", "data.root=/no/such/folder")
    assert said[0].startswith("data=sagee: no such option")
    assert said[1:] == ("data.root=/no/such/folder: no such folder",)


def test_a_missing_value_has_a_hint() -> None:
    assert lines("data=sage") == ("data.root has no value: give data.root=<folder of camera files>",)


def test_each_value_of_a_sweep_is_checked() -> None:
    said = lines("data.ir_patch=4,7", "model=vicreg_vit_pico,x", multirun=True)
    assert len(said) == 2
    assert said[0].startswith("model=x: no such option")
    assert said[1].startswith("data.ir_patch=7 does not divide")
    assert lines("data.ir_patch=4,8", "model=vicreg_vit_pico,vicreg_vit_tiny", multirun=True) == ()


def test_a_sweep_is_checked_in_combination(monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = ("data.ir_patch=4,6", "data.ir_size=64,48")  # only 6 on 64 is wrong
    assert len(lines(*sweep, multirun=True)) == 1
    monkeypatch.setattr(checking, "MOST_TRIALS", 3)  # too many: each value, with the first of the others
    assert len(lines(*sweep, multirun=True)) == 1
    assert lines("data.ir_size=48,64", "data.ir_patch=4,6", multirun=True) == ()


def test_hydra_is_left_as_it_was() -> None:
    lines("data.ir_pach=8")
    assert not GlobalHydra.instance().is_initialized()


def test_a_folder_of_the_users_own_options(tmp_path: Path) -> None:
    (tmp_path / "thermal").mkdir()
    (tmp_path / "thermal" / "mine.yaml").write_text(
        "_target_: sage_lightning.data.thermal.Celsius\nlow: 0.0\nhigh: 9.0\n"
    )
    config.check(["thermal=mine"], "train", False, config_dir=str(tmp_path))
    with pytest.raises(UserError, match=r"thermal is one of bins3, celsius, mine, percentile"):
        config.check(["thermal=mein"], "train", False, config_dir=str(tmp_path))


def test_what_is_right_is_known_without_pytorch() -> None:
    code = (
        "import sys; from sage_lightning import config; "
        "config.check(['data.ir_patch=4', 'model=vicreg_vit_tiny', 'trainer.devices=2'], 'train', False); "
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_number_without_a_unit_is_told_how_to_have_one() -> None:
    """In quotes it would be nanoseconds."""
    tail = "write it with its unit, as"
    assert lines("lag=3", "tolerance=0.5", "data=simulated", command="pairs") == (
        f"lag=3: not text; {tail} lag=3h or lag=30min",
        f"tolerance=0.5: not text or null; {tail} tolerance=5min",
    )
    quoted = ('lag="3"', "data=simulated")
    assert lines(*quoted, command="pairs") == ("lag=3: not a duration; write it as lag=30min",)
