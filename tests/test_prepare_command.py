"""`sage-lightning prepare` as a user types it: killed, in parts, twice at once, on a disk that fills up."""

import hashlib
import json
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sage_lightning.data.shards import write_json
from sage_lightning.data.store import PairStore

ROOT = Path(__file__).parents[1]
KILLS = 20
ASKED = (
    "data=simulated",
    "data.frames=700",  # two shards
    "data.nodes=1",
    "data.positions=[1,2]",
    "data.days=16",
    "data.picture_size=192x64",
    "data.thermal_size=42x32",
    "data.rgb_store_size=[48,64]",
)


def command(*overrides: str) -> list[str]:
    code = "import sys; from sage_lightning.cli import main; sys.argv[0] = 'sage-lightning'; main()"
    return [sys.executable, "-c", code, "prepare", *ASKED, *overrides]


def refused(desk: Path, env: dict[str, str], *overrides: str, **how: Any) -> list[str]:
    """What the command says when it stops with status 2."""
    ended = subprocess.run(
        command(*overrides), cwd=desk, env=env, capture_output=True, text=True, check=False, **how
    )
    assert ended.returncode == 2
    return ended.stderr.splitlines()


@pytest.fixture
def root(environment: dict[str, str]) -> dict[str, str]:
    return environment | {"PYTHONPATH": str(ROOT)}


@pytest.fixture
def raw(once, environment) -> Path:
    """The simulated files, already written: what is killed below is preparing them."""

    def make(desk: Path) -> str:
        env = environment | {"PYTHONPATH": str(ROOT)}
        subprocess.run(command(), cwd=desk, env=env, check=True, capture_output=True)
        return str(desk)

    return Path(once("prepare-command", make))


@pytest.fixture
def desk(raw: Path, tmp_path: Path) -> Path:
    """A folder with the raw files and nothing decoded."""
    (tmp_path / "cache").mkdir()
    for path in raw.glob("cache/simulated-*"):
        copy = tmp_path / "cache" / path.name
        shutil.copytree(path, copy) if path.is_dir() else shutil.copy(path, copy)
    return tmp_path


def digest(desk: Path) -> dict[str, str]:
    """Of every file that was decoded, but the one that says where the raw files lie."""
    folders = [path for kind in ("decoded", "store") for path in (desk / "cache").glob(f"{kind}-*")]
    files = [path for folder in folders for path in folder.rglob("*")]
    return {
        path.relative_to(desk).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.is_file() and path.suffix != ".lock" and path.name != "collection.json"
    }


def forget(desk: Path) -> None:
    """Removes what is decoded, so that there is something to do again."""
    for path in (desk / "cache").glob("*"):
        if path.name.startswith(("decoded-", "store-")):
            shutil.rmtree(path)


def decoding(desk: Path, root: dict[str, str]) -> subprocess.Popen[bytes]:
    """A process that has just begun to decode."""
    running = subprocess.Popen(
        command("data.prepare_workers=1"), cwd=desk, env=root, stdout=subprocess.DEVNULL
    )
    while running.poll() is None and not list((desk / "cache").glob("decoded-*/plan.parquet")):
        time.sleep(0.002)
    return running


def test_killed_twenty_times_in_mid_work_the_bytes_are_the_same(
    raw: Path, desk: Path, root: dict[str, str]
) -> None:
    rng = random.Random(0)
    whole = digest(raw)
    assert sum(name.endswith(".npy") for name in whole) == 8
    running, started = decoding(desk, root), time.monotonic()
    assert running.wait() == 0
    lasts = time.monotonic() - started
    assert digest(desk) == whole
    killed = 0
    while killed < KILLS:
        if list((desk / "cache").glob("store-*/manifest.json")):
            forget(desk)
        running = decoding(desk, root)
        time.sleep(rng.uniform(0, lasts))
        running.send_signal(signal.SIGKILL)
        killed += running.wait() == -signal.SIGKILL
    subprocess.run(command(), cwd=desk, env=root, check=True, capture_output=True)
    assert digest(desk) == whole


def test_parts_give_the_bytes_that_one_process_writes(raw: Path, desk: Path, root: dict[str, str]) -> None:
    tasks = [
        subprocess.Popen(
            command(f"prepare.part={part}/2"), cwd=desk, env=root, stdout=subprocess.PIPE, text=True
        )
        for part in (1, 2)
    ]
    said = [task.communicate()[0] for task in tasks]
    assert [task.returncode for task in tasks] == [0, 0]
    assert "Part 1 of 2: its 1 shards are whole" in said[0]
    after = subprocess.run(command(), cwd=desk, env=root, check=True, capture_output=True, text=True)
    assert "Decoding" not in after.stdout + after.stderr
    assert digest(desk) == digest(raw)


def test_two_at_once_do_no_harm(raw: Path, desk: Path, root: dict[str, str]) -> None:
    both = [subprocess.Popen(command(), cwd=desk, env=root, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert digest(desk) == digest(raw)


def test_it_says_what_it_has_made(raw: Path, root: dict[str, str]) -> None:
    said = subprocess.run(command(), cwd=raw, env=root, check=True, capture_output=True, text=True).stdout
    assert "pairs (" in said
    assert " GB in " in said


@pytest.mark.parametrize("part", ["0/2", "3/2", "half"])
def test_a_part_that_there_is_not(tmp_path: Path, root: dict[str, str], part: str) -> None:
    said = refused(tmp_path, root, f"prepare.part={part}", "data.rgb_store_kind=png")
    assert sorted(said) == [
        "data.rgb_store_kind=png: not one of raw, jpeg",
        f"prepare.part={part}: write the third of eight tasks as 3/8; they count from 1",
    ]


def test_a_disk_that_fills_up_in_mid_write_is_one_line(raw: Path, desk: Path, root: dict[str, str]) -> None:
    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))

    full = refused(desk, root, "data.prepare_workers=1", preexec_fn=small)
    [line] = [line for line in full if not line.startswith("Decoding pairs")]
    assert line.startswith(f"paths.data_dir={desk / 'cache'}: cannot be written (")
    subprocess.run(command(), cwd=desk, env=root, check=True, capture_output=True)
    assert digest(desk) == digest(raw)


def test_a_store_of_another_version_is_one_line(raw: Path, desk: Path) -> None:
    [folder] = (raw / "cache").glob("store-*")
    copy = desk / "cache" / folder.name
    shutil.copytree(folder, copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    write_json(copy / "manifest.json", manifest | {"format": 3})
    with pytest.raises(
        Exception, match=r"is a store of format 3, and this version reads \d+: `sage-lightning"
    ):
        PairStore(copy)


def test_a_shard_that_is_missing_is_one_line(raw: Path, desk: Path) -> None:
    for folder in (raw / "cache").glob("*-*"):
        if folder.name.startswith(("store-", "decoded-")) and folder.is_dir():
            shutil.copytree(folder, desk / "cache" / folder.name)
    [folder] = (desk / "cache").glob("store-*")
    store = PairStore(folder)
    (store.shard_folder / "rgb-00001.npy").unlink()
    assert isinstance(store.read([0])[0], np.ndarray)
    with pytest.raises(
        Exception, match=r"rgb-00001\.npy: is missing or another one than when this run began"
    ):
        store.read([600])
