"""Where files lie may change between the parts of a run; what it trains on may not."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir

from sage_lightning import config
from sage_lightning.checkpoints import FORMAT, KEY, write_checkpoint
from sage_lightning.config.resume import moved, resumed
from sage_lightning.errors import UserError

SAGE: dict[str, Any] = {
    "paths": {"data_dir": "/old/cache", "output_dir": "/old/out"},
    "data": {
        "root": "/old/files",
        "nodes": None,
        "source": {"root": "/old/files", "nodes": None},
        "num_workers": 0,
        "batch_size": 8,
    },
    "resume": None,
}
SIMULATED: dict[str, Any] = {
    "paths": {"data_dir": "/old/cache", "output_dir": "/old/out"},
    "data": {"nodes": 2, "source": {"root": "/old/cache", "nodes": 2}},
}


def test_the_files_of_a_checkpoint_have_moved() -> None:
    before = deepcopy(SAGE)
    now = moved(SAGE, {"data.root": "/new/files", "paths.data_dir": None, "data.nodes": None})
    assert now["data"]["root"] == now["data"]["source"]["root"] == "/new/files"
    assert now["paths"]["data_dir"] == "/old/cache"
    assert before == SAGE


def test_a_simulated_camera_moves_with_the_cache() -> None:
    begun = {"data": {"root": "/a", "table": "/a/t.csv", "source": {"root": "/a", "table": "/a/t.csv"}}}
    now = moved(begun, {"data.root": "/b", "data.table": "t.csv"})["data"]
    assert now == {"root": "/b", "table": "t.csv", "source": {"root": "/b", "table": "t.csv"}}
    now = moved(SIMULATED, {"paths.data_dir": "/new"})
    assert now["data"]["source"]["root"] == now["paths"]["data_dir"] == "/new"
    with pytest.raises(UserError) as caught:
        moved(SIMULATED, {"data.root": "/files", "data.nodes": "nodes.csv"})
    assert caught.value.lines == (
        "data.root=/files: this checkpoint's data have none; leave it out",
        "data.nodes=nodes.csv: this checkpoint's data have none; leave it out",
    )


def test_a_run_goes_on_where_its_files_are_now() -> None:
    asked = deepcopy(SAGE)
    asked["resume"] = "/old/run"
    asked["data"]["root"] = asked["data"]["source"]["root"] = "/new/files"
    now = resumed(SAGE, asked, ["resume=/old/run", "data.root=/new/files"])
    assert now["data"]["root"] == now["data"]["source"]["root"] == "/new/files"
    asked["data"]["batch_size"] = 16
    with pytest.raises(UserError, match=r"data\.batch_size=16: the run was begun with 8"):
        resumed(SAGE, asked, ["data.root=/new/files", "data.batch_size=16"])


def test_a_run_of_before_there_was_a_choice_goes_on_as_it_was() -> None:
    asked = deepcopy(SAGE)
    asked["data"] |= {"look": "own", "rgb_store_kind": "raw"}
    asked["model"] = {"grad_cache": False, "grad_cache_pairs": 64}
    assert resumed(SAGE, asked, ["data=sage", "model=vicreg_vit_pico"]) == SAGE
    del asked["model"]  # DINO has no such key, and is asked for none
    assert resumed(SAGE, asked, ["data=sage", "model=dino_vit_pico"]) == SAGE
    asked["data"]["look"] = "common"
    with pytest.raises(UserError, match=r"data\.look=common: the run was begun with own"):
        resumed(SAGE, asked, ["data.look=common"])


def test_how_many_nodes_are_simulated_is_no_place() -> None:
    asked = deepcopy(SIMULATED) | {"resume": None}
    asked["data"]["nodes"] = asked["data"]["source"]["nodes"] = 3
    with pytest.raises(UserError, match=r"data\.nodes=3: the run was begun with 2"):
        resumed(SIMULATED | {"resume": None}, asked, ["data.nodes=3"])


def test_a_key_of_the_resumed_model_says_what_the_run_was_begun_with(tmp_path: Path) -> None:
    """Another model is the default, and has no such key; the run that goes on has its own model anyway."""
    with initialize_config_dir(str(config.config_dir()), version_base="1.3"):
        begun = compose("train", ["model=dino_vit_pico", "model.direction=rgb_teacher"])
    run = tmp_path / "run.ckpt"
    write_checkpoint({KEY: {"format": FORMAT, "config": config.resolved(begun)}}, run)
    with pytest.raises(UserError) as caught:
        config.check([f"resume={run}", "model.direction=both", "model.nothing=1"], "train", False)
    direction, nothing = caught.value.lines
    assert direction == (
        "model.direction=both: the run that is resumed has its own model, begun with "
        "model.direction=rgb_teacher; leave it out, or begin a new run"
    )
    assert nothing.startswith("model.nothing=1: no such key")
    run.write_bytes(b"no checkpoint")
    with pytest.raises(UserError) as caught:
        config.check([f"resume={run}", "model.direction=both"], "train", False)
    assert "no such key here" in caught.value.lines[0]
    assert "not a checkpoint, or damaged" in caught.value.lines[1]
