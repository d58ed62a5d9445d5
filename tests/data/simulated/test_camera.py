"""The simulated collection: real formats and names, the same bytes however it is written, and its faults."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sage_lightning.data.simulated.camera import SimulatedCamera
from sage_lightning.data.simulated.faults import Fault, faults_of
from sage_lightning.errors import UserError
from sage_lightning.sage.celsius import CelsiusError, read_celsius
from sage_lightning.sage.names import parse_path
from sage_lightning.sage.nodes import read_nodes
from sage_lightning.sage.picture import CROP_BOX, PictureError, picture_size, read_optical
from sage_lightning.sage.sun import local_solar_time, sun_elevation


def small(root: Path, frames: int = 24, faults: float = 0.0, seed: int = 0) -> SimulatedCamera:
    return SimulatedCamera(
        root,
        frames=frames,
        picture_size=(192, 64),
        thermal_size=(48, 36),
        faults=faults,
        seed=seed,
    )


def contents(root: Path) -> dict[str, str]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("faulty")
    small(root, frames=100, faults=0.1).write()
    return root


def test_the_same_seed_gives_the_same_bytes_with_any_number_of_processes(tmp_path: Path) -> None:
    small(tmp_path / "one").write(workers=1)
    small(tmp_path / "two").write(workers=2)
    small(tmp_path / "other", seed=1).write()
    one, other = contents(tmp_path / "one"), contents(tmp_path / "other")
    assert one == contents(tmp_path / "two")
    assert not set(one.values()) & set(other.values())


def test_an_interrupted_run_goes_on_and_a_finished_one_is_left_alone(tmp_path: Path) -> None:
    camera = small(tmp_path)
    camera.write()
    whole = contents(tmp_path)
    (tmp_path / "truth.parquet").unlink()
    manifest = tmp_path / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"finished": true', '"finished": false'))
    pictures = sorted(tmp_path.rglob("*.jpg"))
    pictures[3].unlink()
    pictures[5].rename(pictures[5].with_name(pictures[5].name + ".part"))
    camera.write()
    assert contents(tmp_path) == whole
    kept = pictures[0].stat().st_mtime_ns
    pictures[4].unlink()
    camera.write()  # the manifest says that all is there
    assert not pictures[4].exists()
    assert pictures[0].stat().st_mtime_ns == kept


def test_another_simulation_is_not_mixed_in(tmp_path: Path) -> None:
    small(tmp_path, frames=1).write()
    with pytest.raises(UserError, match="holds another simulation"):
        small(tmp_path, frames=2).write()


def test_files_are_those_of_the_archive(faulty: Path) -> None:
    truth = pd.read_parquet(faulty / "truth.parquet")
    sound = truth[truth["fault"] == ""]
    files = [path for path in (faulty / "raw").rglob("*") if path.is_file()]
    parsed = {path: parse_path(str(path.relative_to(faulty / "raw"))) for path in files}
    assert None not in parsed.values()
    seen: dict[tuple[str, int], set[str]] = {}
    for path, file in parsed.items():
        assert path.parts[-3] == "sage-mobotix-scan-0.24.8"
        seen.setdefault((file.node, file.time_ns), set()).add(f"{file.kind} {file.position}")
    for node, time_ns, position in zip(sound["node"], sound["time_ns"], sound["position"], strict=True):
        assert seen[node, time_ns] == {f"picture {position}", f"thermal {position}"}


def test_truth_agrees_with_the_clock_and_the_sun(faulty: Path) -> None:
    truth, nodes = pd.read_parquet(faulty / "truth.parquet"), read_nodes(faulty / "nodes.csv")
    assert len({node.longitude for node in nodes.rows}) == 2
    for row in truth.itertuples():
        node = nodes.at(row.node, row.time_ns)
        days, hours = local_solar_time(np.array([node.longitude]), np.array([row.time_ns]))
        assert (days[0], hours[0]) == (row.local_day, row.local_hour)
        assert sun_elevation(node.longitude, node.latitude, row.time_ns) == row.sun_elevation
    assert truth["local_hour"].max() - truth["local_hour"].min() > 20
    assert not truth.duplicated(["node", "time_ns"]).any()


def test_values_lie_on_the_sensors_grid(faulty: Path) -> None:
    truth = pd.read_parquet(faulty / "truth.parquet")
    time_ns = truth.loc[truth["fault"] == "", "time_ns"].iloc[0]
    path = next((faulty / "raw").rglob(f"{time_ns}-*.csv"))
    celsius = read_celsius(path).astype(float)
    raw = (celsius + 273.15) / 0.04
    assert np.abs(raw - np.rint(raw)).max() < 0.01
    assert celsius.shape == (36, 48)


def test_every_fault_is_there_and_is_what_it_says(faulty: Path) -> None:
    truth = pd.read_parquet(faulty / "truth.parquet")
    assert (truth["fault"] != "").sum() == 10
    assert set(truth["fault"]) - {""} == set(Fault)
    for row in truth[truth["fault"] != ""].itertuples():
        files = {parse_path(path.name).kind: path for path in (faulty / "raw").rglob(f"{row.time_ns}-*")}
        picture, thermal = files.get("picture"), files.get("thermal")
        if row.fault == Fault.NO_PICTURE:
            assert set(files) == {"thermal"}
        elif row.fault == Fault.NO_THERMAL:
            assert set(files) == {"picture"}
        elif row.fault == Fault.POSITION_MISMATCH:
            named = {parse_path(picture.name).position, parse_path(thermal.name).position}
            assert len(named) == 2
            assert row.position in named
        elif row.fault == Fault.TRUNCATED_PICTURE:
            with pytest.raises(PictureError, match="truncated"):
                read_optical(picture, CROP_BOX, (16, 16))
        else:
            with pytest.raises(CelsiusError, match="truncated"):
                read_celsius(thermal)


def test_faults_by_default_and_without() -> None:
    assert faults_of(0, 3000, 0.0) == {}
    assert len(faults_of(0, 3000, 0.01)) == 30
    assert set(faults_of(0, 100, 0.01).values()) == set(Fault)
    assert faults_of(0, 20, 0.01) == {}


def test_full_size(tmp_path: Path) -> None:
    camera = SimulatedCamera(tmp_path, frames=1, picture_size=(6144, 2048), thermal_size=(336, 252), faults=0)
    camera.write()
    assert picture_size(next(tmp_path.rglob("*.jpg"))) == (6144, 2048)
    assert read_celsius(next((tmp_path / "raw").rglob("*.csv"))).shape == (252, 336)


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        SimulatedCamera(
            tmp_path,
            frames=0,
            positions=(1, 33),
            picture_size=(300, 200),
            thermal_size=(8, 8),
            faults=1.0,
        )
    keys = ["frames", "positions", "picture_size", "thermal_size", "faults"]
    assert [line.partition("=")[0] for line in error.value.lines] == [f"data.{key}" for key in keys]
