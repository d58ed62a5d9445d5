"""From the config to an inventory: what is chosen is counted, what is not is told of."""

import json

import pandas as pd
import pytest
from hydra import compose, initialize_config_dir

from sage_lightning.build.inventory import inventory
from sage_lightning.build.objects import instantiate
from sage_lightning.config import config_dir
from sage_lightning.data.facts import Fact, state, table_of
from sage_lightning.errors import UserError

CAMERA = (
    "data=simulated",
    "data.frames=24",
    "data.positions=[1,4]",
    "data.days=4",
    "data.picture_size=64x32",
    "data.thermal_size=16x16",
    "data.faults=0",
    "data.prepare_workers=1",
)


def cfg_of(cache, *overrides):
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        return compose("inventory", [f"paths.data_dir={cache}", *overrides])


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def taken(cache, tmp_path):
    """taken(overrides): what the command gives, and its folder."""

    def take(*overrides):
        return inventory(cfg_of(cache, *overrides), tmp_path), tmp_path

    return take


def test_what_data_select_leaves_out_is_told_of(taken):
    metrics, folder = taken(*CAMERA, "data.select=\"view == 'sky'\"", "inventory.frames_per_group=0")
    assert metrics == {"pairs": 12, "quarantined_files": 0}
    assert set(pd.read_csv(folder / "counts.csv")["position"]) == {1}
    (line,) = pd.read_csv(folder / "excluded.csv").to_dict("records")
    assert (line["reason"], line["files"]) == ("not chosen by data.select", 24)
    assert not (folder / "bins.csv").exists()
    assert not (folder / "temperatures.png").exists()


def test_thermal_choices_without_thresholds_have_no_bins(taken):
    _, folder = taken(*CAMERA, "thermal=celsius", "inventory.frames_per_group=2")
    bins = pd.read_csv(folder / "bins.csv")
    assert "below" not in bins
    assert bins["frames"].max() == 2
    assert bins["pairs"].sum() == 24
    page = (folder / "inventory.html").read_text()
    assert "thermal.thresholds</td>" in page.replace("\n", "")
    assert "Dashed" not in page


def test_a_folder_without_a_camera_file_is_refused(taken, tmp_path):
    files = tmp_path / "files"
    files.mkdir()
    (files / "notes.txt").touch()
    with pytest.raises(UserError, match=r"data\.root=.* holds no camera file; other files: 1"):
        taken(f"data.root={files}")


def test_what_decoding_has_told_is_in_quarantine(taken, cache):
    _, folder = taken(*CAMERA, "data.simulation_seed=1", "inventory.frames_per_group=0")
    before = pd.read_csv(folder / "counts.csv")
    source = instantiate(cfg_of(cache, *CAMERA, "data.simulation_seed=1").data.source)
    path = source.scan(cache).index["ir_path"].iloc[0]
    told = Fact("ir_path", path, *state(source.root, path), "truncated", None, 0, 0)
    source.facts(cache).learn(table_of([told]))
    metrics, _ = taken(*CAMERA, "data.simulation_seed=1", "inventory.frames_per_group=0")
    assert metrics == {"pairs": 23, "quarantined_files": 2}
    assert before["pairs"].sum() == 24
    (line,) = pd.read_csv(folder / "excluded.csv").to_dict("records")
    assert (line["found"], line["reason"], line["files"]) == ("by decoding", "truncated", 2)


def test_records_keep_mismatches_where_that_is_asked_for(taken, tmp_path):
    node = "000048b02d15bc42"
    names = ("6144x2048_position1.jpg", "right_336x252_14bit.thermal.celsius_position2.csv")
    lines = [
        {
            "timestamp": "2023-05-01T00:00:00Z",
            "name": "upload",
            "value": f"https://x/api/v1/data/1/sage-a-1/{node}/1682899200000000000-{name}",
            "meta": {"filename": name, "node": node},
        }
        for name in names
    ]
    (tmp_path / "records.ndjson").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    asked = f"inventory.records={tmp_path / 'records.ndjson'}"
    assert taken(asked)[0] == {"pairs": 0, "quarantined_files": 2}
    assert taken(asked, "data.keep_mismatches=true")[0] == {"pairs": 1, "quarantined_files": 0}
