"""A wheel brings all that a run needs, and runs in any folder with its own code and configuration."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

import sage_lightning

PROJECT = Path(__file__).parents[1]
VERSION = f"{sage_lightning.__version__}+wheel"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = ["-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(PROJECT)]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = folder.glob("*.whl")
    return made


def test_every_file_is_in_the_wheel(wheel):
    package = {path.relative_to(PROJECT).as_posix() for path in PROJECT.glob("sage_lightning/**/*.*")}
    conf = {f"sage_lightning/{path.relative_to(PROJECT).as_posix()}" for path in PROJECT.glob("conf/**/*.*")}
    wanted = {name for name in package | conf if "__pycache__" not in name}
    assert {"sage_lightning/build/__init__.py", "sage_lightning/conf/train.yaml"} <= wanted
    brought = set(zipfile.ZipFile(wheel).namelist())
    assert wanted - brought == set()
    assert {name for name in brought - wanted if ".dist-info/" not in name} == set()
    assert sage_lightning.__version__ in wheel.name


@pytest.mark.slow
def test_a_wheel_runs_in_any_folder(wheel, trained, tiny, environment, tmp_path):
    site, desk = tmp_path / "site", tmp_path / "desk"
    desk.mkdir()
    install = ["-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", str(site)]
    subprocess.run([sys.executable, *install, str(wheel)], check=True)
    # Marks, to tell it from the checkout (of another length, or Python would keep its bytecode), and a
    # stranger's conf beside the package.
    version, train = site / "sage_lightning/version.py", site / "sage_lightning/conf/train.yaml"
    version.write_text(version.read_text().replace(sage_lightning.__version__, VERSION))
    train.write_text(train.read_text().replace("seed: 1 ", "seed: 77 "))
    (site / "conf").mkdir()
    (site / "conf/train.yaml").write_text("seed: 78\n")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(site / "bin/sage-lightning"), *arguments],
            cwd=desk,
            env=environment | {"PYTHONPATH": str(site), "PYTHONSAFEPATH": "1"},
            capture_output=True,
            text=True,
            check=False,
        )

    assert run("--version").stdout == f"sage_lightning {VERSION}\n"
    assert yaml.safe_load(run("train", "--cfg", "job").stdout)["seed"] == 77
    cache = f"paths.data_dir={trained.desk / 'cache'}"
    done = run("train", *tiny, cache, "trainer.max_epochs=1", "trainer=ddp_cpu", "trainer.devices=2")
    assert done.returncode == 0, done.stdout + done.stderr
    (folder,) = desk.glob("outputs/train/*")
    assert json.loads((folder / "provenance.json").read_text())["sage_lightning"] == VERSION
    assert yaml.safe_load((folder / "config.yaml").read_text())["seed"] == 77
    again = run("evaluate", f"ckpt_path={folder}")
    assert again.returncode == 0, again.stdout + again.stderr
    (evaluation,) = desk.glob("outputs/evaluate/*")
    assert (evaluation / "scores.csv").read_text() == (folder / "scores.csv").read_text()
    assert (evaluation / "report.html").stat().st_size > 50_000
