"""`sage-lightning download` as a user types it: what it prints, what it leaves, and how it ends."""

import dataclasses
import json
import signal
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

import pytest
import yaml

from sage_lightning.data.scan import scan_folder
from sage_lightning.sage.archive.download import download

ROOT = Path(__file__).parents[3]
HOUR = 3600 * 10**9
START = 1682899200 * 10**9
DOOR = """
import atexit, sys
from sage_lightning.cli import main
atexit.register(lambda: print("heavy:", *({"torch", "pytorch_lightning", "timm"} & set(sys.modules))))
main()
"""
SECRET = "s3cr3t-t0k3n"


@pytest.fixture
def frames(archive) -> list[str]:
    return [path for hour in range(12) for path in archive.add_frame(START + hour * HOUR + 7, str(hour + 1))]


@pytest.fixture
def arguments(archive) -> list[str]:
    return [
        "download.node=W057",
        "download.start=2023-05-01",
        "download.end=2023-05-02",
        f"download.endpoint={archive.address}/api/v1/query",
        f"download.storage={archive.storage}",
        "download.timeout=10",
        "download.retries=2",
        "download.backoff=0.01",
        "download.workers=2",
    ]


def _hearing_ctrl_c() -> None:
    """What is started in the background, tests included, has it ignored by default."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def start(environment, tmp_path, monkeypatch):
    def started(*given: str, shell: str = "", env: dict[str, str] | None = None) -> subprocess.Popen[str]:
        own = {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1"}
        own |= {"SAGE_USER": "", "SAGE_TOKEN": ""}
        command = [sys.executable, "-c", DOOR, "download", *given]
        return subprocess.Popen(
            ["sh", "-c", f'{shell} exec "$@"', "sh", *command],
            cwd=tmp_path,
            env=environment | own | (env or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_hearing_ctrl_c,
        )

    return started


@pytest.fixture
def run(start):
    def ended(*given: str, **how: Any) -> tuple[int, str, str]:
        process = start(*given, **how)
        stdout, stderr = process.communicate(timeout=60)
        return process.returncode, stdout, stderr

    return ended


def files_of(folder: Path) -> dict[str, bytes]:
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if not name.startswith("_download/")}


def test_how_much_it_would_be_then_the_files_then_pairs(archive, arguments, run, frames, tmp_path):
    status, printed, error = run(*arguments, "download.dry_run=true")
    assert (status, error) == (0, "")
    length = sum(len(archive.files[path]) for path in frames) / 1000
    lines = [line.split() for line in printed.splitlines()]
    assert ["W057", "10", "2023-05", "1", "2"] in [line[:5] for line in lines]
    assert ["all", "12", "24", f"{length:.1f}", "kB"] in lines
    assert "heavy:\n" in printed
    assert [path.name for path in tmp_path.iterdir()] == ["outputs"]

    status, printed, error = run(*arguments)
    assert (status, error) == (0, "")
    assert "24 files came, " in printed
    assert "heavy:\n" in printed
    folder = tmp_path / "cache/archive"
    assert files_of(folder) == {path: archive.files[path] for path in frames}
    assert (scan_folder(folder).index["status"] == "ok").sum() == 12
    runs = sorted(tmp_path.glob("outputs/download/*"))
    kept = {"config.yaml", "provenance.json", "summary.json", "download.log", ".hydra"}
    assert {path.name for path in runs[-1].iterdir()} == kept
    summary = json.loads((runs[-1] / "summary.json").read_text())
    assert summary["status"] == "done"
    assert summary["metrics"]["files"] == 24
    assert yaml.safe_load((runs[-1] / "config.yaml").read_text())["download"]["folder"] == str(folder)


def test_a_killed_call_is_gone_on_with(archive, arguments, run, start, frames, order, tmp_path):
    archive.habits["*"] = deque(["trickle!"])
    folder = tmp_path / "disturbed"
    process = start(*arguments, f"download.folder={folder}")
    deadline = time.monotonic() + 30
    while sum(".part" not in name for name in files_of(folder)) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.communicate()
    there = files_of(folder)
    whole = {name: content for name, content in there.items() if ".part" not in name}
    assert 5 <= len(whole) < 24
    assert all(archive.files[name] == content for name, content in whole.items())
    archive.habits.clear()
    archive.asked.clear()
    assert run(*arguments, f"download.folder={folder}")[0] == 0
    assert archive.gets() == 24 - len(whole)  # none of those again
    download(order)
    assert files_of(folder) == files_of(order.folder)
    assert set(files_of(folder)) == set(frames)


def test_ctrl_c_ends_soon_and_the_next_call_goes_on(archive, arguments, start, frames, order, tmp_path):
    archive.habits["*"] = deque(["", "", "", "half stall!"])
    process = start(*arguments, "download.timeout=60")
    deadline = time.monotonic() + 30
    while archive.gets() < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.2)
    pressed = time.monotonic()
    process.send_signal(signal.SIGINT)
    printed, error = process.communicate(timeout=20)
    assert time.monotonic() - pressed < 10  # the server is silent for 30 s
    assert process.returncode == 130
    assert "Stopped; files that are there are whole, and the same command goes on" in printed
    assert "Traceback" not in printed + error
    folder = tmp_path / "cache/archive"
    whole = {name: content for name, content in files_of(folder).items() if ".part" not in name}
    assert 1 <= len(whole) <= 3
    assert all(archive.files[name] == content for name, content in whole.items())
    archive.habits.clear()
    download(dataclasses.replace(order, folder=folder))
    assert files_of(folder) == {path: archive.files[path] for path in frames}


def test_no_secret_is_written_or_printed(archive, arguments, run, frames, tmp_path):
    archive.users["000048b02d15bc42"] = f"me:{SECRET}"
    env = {"SAGE_USER": "me", "SAGE_TOKEN": SECRET}
    signed = f"{archive.address.replace('127.0.0.1', 'localhost')}/x?token={SECRET}"
    archive.habits[frames[0]] = deque([f"redirect {signed}!"])
    archive.habits[frames[1]] = deque([f"redirect http://127.0.0.1:1/x?token={SECRET}!"])
    archive.habits[frames[2]] = deque(["500!"])
    status, printed, error = run(*arguments, env=env)
    assert status == 1  # some did not come
    assert "3 files did not come" in printed
    archive.users["000048b02d15bc42"] = "me:another"
    denied = run(*arguments, "download.folder=other", env=env)
    assert "user and token are not accepted" in denied[1]
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) > 24
    assert [path for path in written if SECRET.encode() in path.read_bytes()] == []
    assert SECRET not in "".join([printed, error, *denied[1:]])
    assert sum(SECRET in str(headers) for _, _, headers in archive.asked) == 0  # it goes in Base64 alone


def test_a_full_disk_is_one_line_and_whole_files_stay_whole(archive, arguments, run, frames, order, tmp_path):
    big = archive.add(frames[0].replace("position1", "position32"), bytes(600_000))
    status, _, error = run(*arguments, shell="ulimit -f 400;")
    assert status == 2
    (line,) = error.splitlines()
    assert line == (
        f"download.folder={tmp_path / 'cache/archive'}: File too large; what is there is whole, "
        "and the next call goes on"
    )
    folder = tmp_path / "cache/archive"
    assert all(
        archive.files[name] == found for name, found in files_of(folder).items() if ".part" not in name
    )
    download(dataclasses.replace(order, folder=folder))
    assert set(files_of(folder)) == {*frames, big}
