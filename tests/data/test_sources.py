"""Collections: what a folder of camera files and the simulated camera give, and what they refuse."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sage_lightning.data.index import label_columns
from sage_lightning.data.prepare import Kept, prepare
from sage_lightning.data.sources import SageSource, SimulatedSource
from sage_lightning.data.split import Split
from sage_lightning.errors import UserError
from sage_lightning.sage.picture import CROP_BOX

FRAMES = 100
SMALL: dict[str, Any] = {
    "frames": FRAMES,
    "nodes": 2,
    "positions": [1, 4],
    "days": 20,
    "picture_size": "384x128",
    "thermal_size": [42, 32],
    "faults": 0.1,
    "seed": 0,
    "workers": 1,
}
REASONS = {
    "missing picture": "partner missing",
    "missing thermal": "partner missing",
    "truncated picture": "truncated",
    "cut thermal": "truncated",
    "position mismatch": "position mismatch",
}


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> SimulatedSource:
    source = SimulatedSource(tmp_path_factory.mktemp("data"), **SMALL)
    source.scan()
    return source


def test_every_simulated_frame_is_usable_or_in_quarantine_for_its_fault(
    simulated: SimulatedSource, tmp_path: Path
) -> None:
    store = prepare(simulated, tmp_path, Kept((16, 20)), Split(val=0.2, test=0.2))
    assert len(store.index) == FRAMES
    assert store.index["fault"].map({"": "", **REASONS}).tolist() == store.index["reason"].tolist()
    assert set(store.index["fault"]) == {"", *REASONS}


def test_columns_are_said_before_a_frame_is_written(simulated: SimulatedSource, tmp_path: Path) -> None:
    store = prepare(simulated, tmp_path / "store", Kept((16, 20)), Split(val=0.2, test=0.2))
    assert sorted(simulated.columns()) == sorted(store.index.columns)
    unwritten = SimulatedSource(tmp_path / "data", **SMALL)
    for asked in ({"select": "veiw == 'sky'"}, {"balance": ["veiw"]}):
        with pytest.raises(
            UserError, match=r"no column veiw; the index has air_temperature, cloud_base_km, "
        ):
            prepare(unwritten, tmp_path / "data", Kept((16, 20)), Split(val=0.2, test=0.2), **asked)
    assert not (tmp_path / "data").exists()


def test_truth_becomes_labels_and_the_index_keeps_what_it_finds_itself(
    simulated: SimulatedSource, tmp_path: Path
) -> None:
    store = prepare(simulated, tmp_path, Kept((16, 20)), Split(val=0.2, test=0.2))
    labels = label_columns(store.index)
    assert {"cloud_fraction", "air_temperature", "ground_kind", "warm_object"} <= set(labels)
    assert not {"node", "time_ns", "local_day", "position_x", "position_y"} & set(labels)
    truth = pd.read_parquet(simulated.root.parent / "truth.parquet")
    truth = truth.set_index(truth["node"] + "-" + truth["time_ns"].astype(str)).loc[store.index["pair_id"]]
    for label in labels:
        pd.testing.assert_series_equal(store.index[label], truth[label], check_index=False)
    # The node table and the almanac agree with what the simulation was drawn from.
    assert store.index["local_day"].tolist() == truth["local_day"].tolist()
    assert store.index["local_hour"].tolist() == pytest.approx(truth["local_hour"].tolist())
    assert store.index["sun_elevation"].tolist() == pytest.approx(truth["sun_elevation"].tolist(), abs=0.01)
    assert set(store.index.loc[store.index["status"] == "ok", "view"]) == {"sky", "ground"}


def test_simulated_files_are_read_as_real_ones(simulated: SimulatedSource, tmp_path: Path) -> None:
    real = SageSource(simulated.root, nodes=simulated.root.parent / "nodes.csv")
    asked = {"kept": Kept((16, 20)), "split": Split(val=0.2, test=0.2)}
    one, other = prepare(simulated, tmp_path, **asked), prepare(real, tmp_path, **asked)
    own = [column for column in other.index.columns if column not in label_columns(one.index)]
    pd.testing.assert_frame_equal(one.index[own], other.index)
    rows = range(len(one))
    assert all((a == b).all() for a, b in zip(one.read(rows), other.read(rows), strict=True))


def test_other_parameters_have_another_folder(tmp_path: Path) -> None:
    def folder(**asked: Any) -> Path:
        return SimulatedSource(tmp_path, **(SMALL | asked)).root

    assert folder() == folder(workers=2, picture_size=[384, 128])
    assert len({folder(), folder(seed=1), folder(frames=7), folder(positions=[1]), folder(faults=0)}) == 5
    assert not list(tmp_path.iterdir())  # nothing is written before it is asked for


@pytest.mark.parametrize("size", ["128", "128x", "axb", [128], [128, 0], "128x32x3"])
def test_a_size_that_is_none_is_refused(tmp_path: Path, size: Any) -> None:
    with pytest.raises(UserError, match=r"data\.picture_size=.* is not a size"):
        SimulatedSource(tmp_path, **(SMALL | {"picture_size": size}))


def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        SageSource(
            tmp_path / "nowhere", nodes=tmp_path / "none.csv", crop_box=[0.5, 0, 0.2, 1], thermal_unit="F"
        )
    keys = [line.split("=")[0] for line in caught.value.lines]
    assert keys == ["data.root", "data.nodes", "data.crop_box", "data.thermal_unit"]


def test_a_folder_without_pairs_says_what_was_looked_for_and_what_was_found(tmp_path: Path) -> None:
    for name in ("1700000000000000000_6144x2048.jpg", "readme.txt", "plot.png"):
        (tmp_path / name).touch()
    with pytest.raises(
        UserError, match=r"holds no pair: looked for .*\*\.jpg.*celsius.*found 1 pictures, 0 .* 2 other"
    ):
        SageSource(tmp_path).scan()


def test_a_source_tells_what_its_pixels_depend_on(tmp_path: Path) -> None:
    assert SageSource(tmp_path).recipe["crop_box"] == list(CROP_BOX)
    assert SageSource(tmp_path).recipe != SageSource(tmp_path, crop_box=(0, 0, 1, 1)).recipe
