"""Texts with signs of Hydra's grammar, as a shell hands them on, reach the run as they were typed."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser

from sage_lightning import config
from sage_lightning.config import config_dir
from sage_lightning.errors import UserError

ROOT = config_dir().parent
LINE = re.compile(r"^python train\.py data\.select=.*$", re.MULTILINE)


def in_a_shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What a user's shell does with `python train.py …`."""
    typed = line.replace("python train.py", shlex.join([sys.executable, f"{ROOT}/train.py"]))
    return subprocess.run(["bash", "-c", typed], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "typed",
    [
        "view == 'sky' and daylight == 'night'",
        'view == "sky"',
        "view in ['sky', 'ground']",
        "cloud_fraction>0.5",
        "(view.isna() | cloud_fraction < 1)",
        "view.isna()",
        "`kind of sky` == 'a & b'",
        "site == 'C:\\'",
        'site == "C:\\" and view == "sky"',
        'site == "a" or site == \\"',
        "view == 'sky",
        "city == 'Zürich\n{}'",
    ],
)
@pytest.mark.parametrize("signs", ["", "+", "++"])
def test_what_is_typed_is_what_hydra_reads(typed: str, signs: str) -> None:
    given = f"{signs}data.select={typed}"
    (word,) = config.quoted([given])
    override = OverridesParser.create().parse_override(word)
    assert override.key_or_group == "data.select"
    assert not override.is_sweep_override()
    assert override.value() == typed
    assert config.quoted([word]) == [word]


@pytest.mark.parametrize(
    "word",
    [
        "data.select=null",
        "data.select=clear",
        "data.select='view == \"sky\"'",
        "data.select=\"view == 'sky'\"",
        "data.select='a','b'",  # a sweep
        "data.selection=a == 'b'",
        "data.positions=[1,2",
        "-m",
        "--config-dir=a == 'b'",
    ],
)
def test_what_hydra_reads_and_what_is_no_such_text_stays(word: str) -> None:
    assert config.quoted([word]) == [word]


def test_the_line_of_the_guide_works_in_a_shell(tmp_path: Path) -> None:
    (line,) = LINE.findall((ROOT / "docs" / "data.md").read_text())
    done = in_a_shell(f"{line} --cfg job", tmp_path)
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load(done.stdout)["data"]["select"] == "view == 'sky' and daylight == 'night'"
    config.check(config.quoted(shlex.split(line)[2:]), "train", multirun=False)


def test_a_column_that_is_not_there_is_told_with_those_there_are_before_any_work(tmp_path: Path) -> None:
    done = in_a_shell("python train.py data.select=\"veiw == 'sky'\"", tmp_path)
    assert done.returncode == 2
    (told,) = done.stderr.splitlines()
    assert told.startswith("data.select=veiw == 'sky': no column veiw; the index has air_temperature, ")
    assert ", view, " in told
    assert not (tmp_path / "cache").exists()


def test_the_line_that_a_mistake_is_answered_with_works_in_a_shell(tmp_path: Path) -> None:
    done = in_a_shell('python train.py data.select="view == \'sky"', tmp_path)
    assert done.returncode == 2
    (told,) = done.stderr.splitlines()
    assert told.startswith("data.select=view == 'sky: cannot be read (")
    advice = told.partition("write it as in ")[2]
    config.check(config.quoted(shlex.split(advice)), "train", multirun=False)


def test_commas_in_a_text_are_no_sweep_and_sweeps_go_on() -> None:
    trials = config.quoted(["data.select=view in ['sky', 'ground']", "data.ir_patch=4,8"])
    config.check(trials, "train", multirun=True)
    sweep = "data.select=\"view == 'sky'\",\"view == 'ground'\""
    config.check(config.quoted([sweep]), "train", multirun=True)
    with pytest.raises(UserError, match=r"2 expressions, not one; a sweep is written -m ") as caught:
        config.check(config.quoted(["data.select=view == 'sky',view == 'ground'"]), "train", multirun=True)
    (word,) = shlex.split(caught.value.lines[0].partition("; a sweep is written -m ")[2])
    config.check(config.quoted([word]), "train", multirun=True)
