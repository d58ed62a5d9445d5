"""A collection that cannot be read, or not simulated, is refused before any work."""

from pathlib import Path
from typing import Any

import pytest

from sage_lightning.config.collection import pairs, simulation, units

SAGE = "sage_lightning.data.sources.SageSource"
SIMULATED = "sage_lightning.data.sources.SimulatedSource"


@pytest.mark.parametrize(
    ("source", "camera"), [(SIMULATED, "the simulated camera's"), (SAGE, "Sage cameras'")]
)
def test_cameras_give_degrees_celsius(source: str, camera: str) -> None:
    given = {"data": {"thermal_unit": "kelvin", "source": {"_target_": source}}}
    line = f"data.thermal_unit=kelvin: {camera} files hold degrees Celsius"
    assert list(units(given)) == [line]
    given["data"]["thermal_unit"] = "celsius"
    assert list(units(given)) == []


def test_a_folder_without_a_pair_and_a_node_table_that_is_none(tmp_path: Path) -> None:
    nodes = tmp_path / "nodes.csv"
    nodes.write_text("node,vsn\n")
    given = {"data": {"root": str(tmp_path), "nodes": str(nodes), "source": {"_target_": SAGE}}}
    (tmp_path / "1700000000000000000_6144x2048.jpg").touch()
    assert list(pairs(given)) == [
        f"data.root={tmp_path} holds no pair: looked for pictures (*.jpg) and thermal files "
        "(*.thermal.celsius*.csv) of the same node and timestamp; "
        "found 1 pictures, 0 thermal files and 1 other files",
        f"data.nodes={nodes} lacks longitude, latitude; its columns are node, vsn, longitude, latitude, "
        "time_zone, valid_from, valid_to, crop_box, masks",
    ]
    (tmp_path / "1700000000000000000_right_336x252_14bit.thermal.celsius.csv").touch()
    nodes.write_text("node,vsn,longitude,latitude\n")
    assert list(pairs(given)) == []


@pytest.mark.parametrize(
    ("wrong", "keys"),
    [
        ({}, []),
        ({"picture_size": "300x200"}, ["data.picture_size"]),
        ({"thermal_size": [8, 8], "positions": [1, 1]}, ["data.positions", "data.thermal_size"]),
        (
            {"frames": 0, "picture_size": 7, "thermal_size": "8x8"},
            ["data.thermal_size"],
        ),  # others say the rest
    ],
)
def test_what_the_simulated_camera_itself_refuses(wrong: dict[str, Any], keys: list[str]) -> None:
    sizes = {"picture_size": "768x256", "thermal_size": "168x126"}
    right = {"frames": 9, "nodes": 2, "positions": [1, 4], "days": 3, "faults": 0.0} | sizes
    given = {"data": {**right, **wrong, "source": {"_target_": SIMULATED}}}
    assert [line.partition("=")[0] for line in simulation(given)] == keys
