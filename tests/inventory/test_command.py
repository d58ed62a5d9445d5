"""`sage-lightning inventory` as a user types it: from files, from records, and with mistakes."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

LEFT_BY_A_RUN = {
    ".hydra",
    "bins.csv",
    "config.yaml",
    "counts.csv",
    "coverage.png",
    "excluded.csv",
    "gaps.csv",
    "inventory.html",
    "inventory.log",
    "provenance.json",
    "rates.csv",
    "summary.json",
    "temperatures.csv",
    "temperatures.png",
}
FRAMES = 60
CAMERA = (
    "data=simulated",
    f"data.frames={FRAMES}",
    "data.positions=[1,4]",
    "data.days=8",
    "data.picture_size=128x32",
    "data.thermal_size=32x24",
    "data.faults=0.1",
    "data.prepare_workers=1",
    "paths.data_dir=cache",
)


@pytest.fixture(scope="module")
def desk(program, tmp_path_factory) -> Path:
    """Where an inventory of a simulated camera was taken."""
    desk = tmp_path_factory.mktemp("desk")
    done = program("inventory", *CAMERA, cwd=desk)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    (desk / "said.txt").write_text(done.stdout)
    return desk


def run_folder(desk: Path) -> Path:
    return max(desk.glob("outputs/inventory/*"))


def table(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / f"{name}.csv", dtype={"position": "str"})


def test_it_leaves_its_folder_and_speaks_plainly(desk):
    folder = run_folder(desk)
    assert {path.name for path in folder.iterdir()} == LEFT_BY_A_RUN
    said = (desk / "said.txt").read_text()
    for words in (
        "By node",
        "By month",
        "By daylight",
        "Production rate",
        "Temperatures",
        "What was excluded",
    ):
        assert words in said
    assert f"Page: {folder}/inventory.html" in said.replace("\n", "")
    assert "Warning" not in said


def test_its_numbers_are_those_of_the_camera(desk):
    folder = run_folder(desk)
    (truth,) = desk.glob("cache/simulated-*/truth.parquet")
    frames = pd.read_parquet(truth)
    by_name = frames["fault"].isin(["missing thermal", "missing picture", "position mismatch"])
    assert by_name.sum() > 0
    counts = table(folder, "counts")
    assert counts["pairs"].sum() == FRAMES - by_name.sum()
    lone = frames["fault"].isin(["missing thermal", "missing picture"])
    assert counts["quarantined_files"].sum() == 2 * by_name.sum() - lone.sum()
    per_node = frames[~by_name].groupby("node").size()
    assert counts.groupby("node")["pairs"].sum().to_dict() == per_node.to_dict()
    bins = table(folder, "bins")
    assert bins["pairs"].sum() == bins["frames"].sum() + bins["unreadable"].sum() == FRAMES - by_name.sum()
    assert bins["unreadable"].sum() == (frames["fault"] == "cut thermal").sum()
    sky = bins[bins["view"] == "sky"]["below"].mean()
    assert sky > bins[bins["view"] == "ground"]["below"].mean()
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["metrics"] == {
        "pairs": counts["pairs"].sum(),
        "quarantined_files": counts["quarantined_files"].sum(),
    }


def test_records_of_the_same_files_count_the_same(desk, program, tmp_path):
    (raw,) = desk.glob("cache/simulated-*/raw")
    with (tmp_path / "records.ndjson").open("w") as records:
        for path in (path for path in raw.rglob("*") if path.is_file()):
            time_ns, _, filename = path.name.partition("-")
            time = pd.Timestamp(int(time_ns), unit="ns", tz="UTC").isoformat().replace("+00:00", "Z")
            meta = {"filename": filename, "node": path.parent.name, "vsn": "W057", "job": "1"}
            value = f"https://storage.sagecontinuum.org/api/v1/data/{path.relative_to(raw).as_posix()}"
            record = {"timestamp": time, "name": "upload", "value": value, "meta": meta}
            records.write(json.dumps(record) + "\n")
    nodes = raw.parent / "nodes.csv"
    done = program("inventory", "inventory.records=records.ndjson", f"data.nodes={nodes}", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "temperatures are unknown" in done.stdout
    folder = run_folder(tmp_path)
    without = {"temperatures.csv", "temperatures.png", "bins.csv"}
    assert {path.name for path in folder.iterdir()} == LEFT_BY_A_RUN - without
    for name in ("counts", "rates", "gaps"):
        pd.testing.assert_frame_equal(table(folder, name), table(run_folder(desk), name))
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["inventory"]["records"] == str(tmp_path / "records.ndjson")
    assert not (tmp_path / "cache").exists()  # nothing is downloaded, nor simulated


def test_a_folder_without_a_pair_has_an_inventory_too(program, tmp_path):
    files = tmp_path / "files"
    files.mkdir()
    for name in ("1700000000000000000_6144x2048.jpg", "notes.txt"):
        (files / name).write_text("x")
    done = program("inventory", "data.root=files", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 pairs and 1 file in quarantine" in done.stdout
    excluded = table(run_folder(tmp_path), "excluded").set_index("reason")
    assert excluded["examples"].to_dict() == {
        "partner missing": "1700000000000000000_6144x2048.jpg",
        "neither picture nor thermal file": "notes.txt",
    }


def test_it_starts_without_torch(environment, tmp_path):
    code = "import sys, sage_lightning.build.inventory; sys.exit('torch' in sys.modules)"
    env = environment | {"PYTHONPATH": str(Path(__file__).parents[2])}
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, check=False).returncode == 0


def test_mistakes_end_with_their_lines(program, tmp_path):
    done = program("inventory", "inventory.recods=x", "inventory.gap_factor=0", cwd=tmp_path)
    assert done.stderr.splitlines() == [
        "inventory.recods=x: no such key; did you mean inventory.records?",
        "inventory.gap_factor=0: must be at least 1",
    ]
    assert done.returncode == 2
    assert list(tmp_path.iterdir()) == []
