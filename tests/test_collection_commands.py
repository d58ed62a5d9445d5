"""`sage-lightning index` and `sage-lightning pairs` as a user types them."""

import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from sage_lightning.sage.celsius import write_celsius

NODE = "000048b02d15bc42"
MINUTE = 60_000_000_000
START = 1_700_000_000_000_000_000
DOOR = ("-c", "from sage_lightning.cli import main; main()")


def sage_lightning(
    *arguments: str,
    cwd: Path,
    environment: dict[str, str],
    largest: int | None = None,
    door: tuple[str, str] = DOOR,
) -> subprocess.CompletedProcess[str]:
    """`largest`: bytes of a file, beyond which the disk is full."""
    root = str(Path(__file__).parents[1])

    def limit() -> None:
        if largest is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))

    return subprocess.run(
        [sys.executable, *door, *arguments],
        cwd=cwd,
        env=environment | {"PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limit,
    )


def write(root: Path, frame: int, value: float | None = None) -> None:
    """A frame every ten minutes."""
    folder = root / NODE
    folder.mkdir(parents=True, exist_ok=True)
    time, rng = START + frame * 10 * MINUTE, np.random.default_rng(frame)
    pixels = rng.integers(0, 256, (32, 128, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / f"{time}-128x32_position3.jpg")
    celsius = np.round(rng.normal(0, 20, (14, 21)), 2) if value is None else np.full((14, 21), value)
    write_celsius(
        folder / f"{time}-right_21x14_14bit.thermal.celsius_position3.csv", celsius.astype(np.float32)
    )


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    for frame in range(12):
        write(tmp_path / "files", frame)
    return tmp_path


def index_of(desk: Path) -> pd.DataFrame:
    *_, latest = sorted(desk.glob("outputs/index/*/index.parquet"), key=lambda path: path.stat().st_mtime_ns)
    return pd.read_parquet(latest)


def test_an_index_is_made_and_verified(desk: Path, environment: dict[str, str]) -> None:
    write(desk / "files", 3, value=7.0)  # a frame without a difference in it
    asked = ("index", "data.root=files", "data.split.by=position")
    plain = sage_lightning(*asked, cwd=desk, environment=environment)
    assert plain.returncode == 0, plain.stderr
    assert "12 pairs (" in plain.stdout
    assert "no position for" in plain.stdout  # one position makes no three splits, and an index all the same
    assert (index_of(desk)["status"] == "ok").all()
    assert "with what decoding told" not in plain.stdout
    looked = sage_lightning(*asked, "index.verify=true", cwd=desk, environment=environment)
    by_names = plain.stdout.partition("sha256 by names: ")[2][:64]
    assert f"sha256 by names: {by_names}; with what decoding told: " in looked.stdout
    assert "11 pairs (" in looked.stdout
    assert "1 row in quarantine: 1 flat" in looked.stdout
    again = sage_lightning(*asked, cwd=desk, environment=environment)
    assert "1 row in quarantine: 1 flat" in again.stdout  # what a look has told is kept
    write(desk / "files", 3)
    assert index_of(desk)["reason"].tolist().count("flat") == 1
    sage_lightning(*asked, cwd=desk, environment=environment)
    assert (index_of(desk)["status"] == "ok").all()  # and goes with the file that it was told of


@pytest.mark.parametrize("pattern", ["*.jpg", "*"])
def test_a_frame_that_lies_there_twice_stays_one_pair(
    desk: Path, environment: dict[str, str], pattern: str
) -> None:
    first = desk / "files" / NODE
    copies = desk / "files" / "copies" / NODE
    copies.mkdir(parents=True)
    for file in first.glob(f"{START}{pattern}"):
        shutil.copy(file, copies)
    asked = ("index", "data.root=files", "data.split.by=position")
    counts = []
    for verify in ("false", "true", "false"):
        done = sage_lightning(*asked, f"index.verify={verify}", cwd=desk, environment=environment)
        assert done.returncode == 0, done.stderr
        table = index_of(desk)
        counts.append(table["reason"].value_counts().to_dict())
        assert table.attrs["sha256"] in done.stdout
        assert table.attrs["sha256_by_names"] in done.stdout
    assert counts[0][""] == 12
    assert counts == [counts[0]] * 3


def test_a_run_folder_without_room_is_one_line(desk: Path, environment: dict[str, str]) -> None:
    for frame in range(12, 150):
        for name in ("128x32_position3.jpg", "right_21x14_14bit.thermal.celsius_position3.csv"):
            (desk / "files" / NODE / f"{START + frame * 10 * MINUTE}-{name}").touch()
    asked = ("index", "data.root=files", "data.split.by=position")
    assert sage_lightning(*asked, cwd=desk, environment=environment).returncode == 0
    size = next(desk.glob("outputs/index/*/index.parquet")).stat().st_size
    shutil.rmtree(desk / "outputs")
    done = sage_lightning(*asked, cwd=desk, environment=environment, largest=size - 1)
    assert done.returncode == 2
    assert done.stderr.startswith("paths.output_dir: ")
    assert done.stderr.endswith(" cannot be written (File too large); name another\n")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", [("index",), ("pairs", "lag=30min"), ("inventory",)])
def test_a_disk_on_which_hydra_itself_finds_no_room_is_one_line(
    desk: Path, environment: dict[str, str], command: tuple[str, ...]
) -> None:
    asked = (*command, "data.root=files", "paths.output_dir=full")
    done = sage_lightning(*asked, cwd=desk, environment=environment, largest=100)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "paths.output_dir: the run's folder cannot be written (File too large); name another"
    ]


@pytest.mark.parametrize("module", ["sage_lightning", "sage_lightning.cli"])
def test_the_package_is_a_command_too(desk: Path, environment: dict[str, str], module: str) -> None:
    asked = ("index", "data.root=files", "data.split.by=position")
    done = sage_lightning(*asked, cwd=desk, environment=environment, door=("-m", module))
    assert (done.returncode, done.stderr) == (0, "")
    assert "12 pairs (" in done.stdout
    assert len(index_of(desk)) == 12
    wrong = sage_lightning("indx", cwd=desk, environment=environment, door=("-m", module))
    assert wrong.returncode == 2
    assert "no such command" in wrong.stderr


@pytest.mark.parametrize("verify", ["false", "true"])
def test_files_without_a_pair_have_an_index_and_no_pairs(
    desk: Path, environment: dict[str, str], verify: str
) -> None:
    for picture in (desk / "files").rglob("*.jpg"):
        picture.unlink()
    asked = ("index", "data.root=files", f"index.verify={verify}")
    done = sage_lightning(*asked, cwd=desk, environment=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert "12 rows in quarantine: 12 partner missing" in done.stdout
    assert index_of(desk)["reason"].tolist() == ["partner missing"] * 12
    taken = sage_lightning("inventory", "data.root=files", cwd=desk, environment=environment)
    assert "0 pairs and 12 files in quarantine" in taken.stdout
    listed = sage_lightning("pairs", "lag=30min", "data.root=files", cwd=desk, environment=environment)
    assert listed.returncode == 2
    assert "holds no pair" in listed.stderr


def test_pairs_at_a_lag_are_listed(desk: Path, environment: dict[str, str]) -> None:
    asked = (
        "pairs",
        "lag=30min",
        "data=sage",
        "data.root=files",
        "data.split.val=0.01",
        "data.split.test=0.01",
    )
    done = sage_lightning(*asked, cwd=desk, environment=environment)
    assert done.returncode == 0, done.stderr
    assert "9 of 12 pairs have another of their position 0:30:00 later" in done.stdout
    [path] = desk.glob("outputs/pairs/*/pairs.parquet")
    assert pd.read_parquet(path)["lag_seconds"].eq(1800).all()


def test_mistakes_are_answered_at_once(desk: Path, environment: dict[str, str]) -> None:
    done = sage_lightning(
        "pairs", "data.root=files", "lag=0min", "tolerance=x", cwd=desk, environment=environment
    )
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "tolerance=x: not a duration; write it as tolerance=5min",
        "lag=0min: must be above 0, and no longer than ten years",
    ]
    assert "lag has no value" in sage_lightning("pairs", cwd=desk, environment=environment).stderr


def test_what_a_look_finds_is_decoded_again(desk: Path, environment: dict[str, str]) -> None:
    """A file that changes at its length: the store has its old pixels, until someone looks."""
    asked = ("index", "data.root=files", "data.rgb_store_size=[12,16]", "data.crop_box=[0,0,1,1]")
    prepare = (
        "from pathlib import Path\n"
        "from sage_lightning.data.prepare import Kept, prepare\n"
        "from sage_lightning.data.sources import SageSource\n"
        "from sage_lightning.data.split import Split\n"
        "split = Split(val=0.0, test=0.0)\n"
        "source = SageSource('files', crop_box=[0, 0, 1, 1])\n"
        "store = prepare(source, Path('cache'), Kept((12, 16)), split)\n"
        "print((store.index['status'] == 'ok').sum())"
    )
    root = environment | {"PYTHONPATH": str(Path(__file__).parents[1])}

    def prepared() -> str:
        command = [sys.executable, "-c", prepare]
        done = subprocess.run(command, cwd=desk, env=root, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    assert prepared() == "12"
    thermal = next((desk / "files" / NODE).glob("*.csv"))
    text = thermal.read_text()
    thermal.write_text(text[:-40] + "x" * 40)
    assert prepared() == "12"
    assert (
        "1 shards will be made again"
        in sage_lightning(*asked, "index.verify=true", cwd=desk, environment=environment).stdout
    )
    assert prepared() == "11"
    thermal.write_text(text)
    sage_lightning(*asked, "index.verify=true", cwd=desk, environment=environment)
    assert prepared() == "12"


def test_a_split_by_what_is_no_column_is_refused(desk: Path, environment: dict[str, str]) -> None:
    done = sage_lightning(
        "index", "data.root=files", "data.split.by=season", cwd=desk, environment=environment
    )
    assert done.returncode == 2
    assert done.stderr.startswith("data.split.by=season: not one of day, node, position")


def test_a_look_at_every_file_opens_those_of_no_pair(desk: Path, environment: dict[str, str]) -> None:
    write(desk / "files", 20)
    [lone] = (desk / "files" / NODE).glob(f"{START + 200 * MINUTE}-*.csv")
    lone.unlink()
    [picture] = (desk / "files" / NODE).glob(f"{START + 200 * MINUTE}-*.jpg")
    picture.write_bytes(picture.read_bytes()[:1000])
    asked = ("index", "data.root=files", "data.split.by=position")
    for verify, reason in ((False, "partner missing"), (True, "truncated"), (False, "truncated")):
        done = sage_lightning(*asked, f"index.verify={verify}", cwd=desk, environment=environment)
        assert f"1 row in quarantine: 1 {reason}" in done.stdout, done.stderr
