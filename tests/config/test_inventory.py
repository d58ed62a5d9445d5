"""What an inventory is refused of."""

import json
from pathlib import Path
from typing import Any

import pytest

from sage_lightning import config
from sage_lightning.config.inventory import inventory
from sage_lightning.errors import UserError

SAGE = "sage_lightning.data.sources.SageSource"
SIMULATED = "sage_lightning.data.sources.SimulatedSource"


def asked(records: str | None = None, root: str | None = None, source: str = SAGE) -> dict[str, Any]:
    return {"inventory": {"records": records}, "data": {"root": root, "source": {"_target_": source}}}


def lines(*overrides: str) -> tuple[str, ...]:
    try:
        config.check(list(overrides), "inventory", False)
    except UserError as error:
        return error.lines
    return ()


@pytest.fixture
def records(tmp_path: Path) -> str:
    name = "6144x2048.jpg"
    record = {
        "timestamp": "2023-05-21T09:57:36Z",
        "name": "upload",
        "value": f"https://x/1-{name}",
        "meta": {"filename": name},
    }
    path = tmp_path / "records.ndjson"
    path.write_text(json.dumps(record) + "\n")
    return str(path)


def test_one_collection_is_asked_for(records: str) -> None:
    assert [line.partition(":")[0] for line in inventory(asked())] == ["data.root has no value"]
    assert list(inventory(asked(root="/files"))) == []
    assert list(inventory(asked(records))) == []
    assert list(inventory(asked(source=SIMULATED))) == []
    both = f"data.root=/files and inventory.records={records} are two collections: give one"
    assert list(inventory(asked(records, "/files"))) == [both]
    (line,) = inventory(asked(root="/files", source=SIMULATED))
    assert line.startswith("data.root=/files: the simulated camera writes its own files")
    (line,) = inventory(asked(records, source=SIMULATED))
    assert line == f"inventory.records={records}: records are of Sage cameras; use data=sage"


def test_other_commands_are_not_asked() -> None:
    assert list(inventory({"data": {"root": None}})) == []


def test_through_the_real_conf(records: str, tmp_path: Path) -> None:
    assert lines(f"inventory.records={records}") == ()
    assert lines("data=simulated") == ()
    assert lines("data=simulated", "thermal=celsius") == ()
    (tmp_path / "6144x2048.jpg").touch()
    assert lines(f"data.root={tmp_path}") == ()  # no pair, and that is what one wants to know
    assert lines("inventory.records=/no/such.ndjson") == (
        "inventory.records=/no/such.ndjson: no such file or folder",
    )
    assert lines("data=simulated", "thermal.thresholds=[5,5]", "inventory.frames_per_group=-1") == (
        "inventory.frames_per_group=-1: must be at least 0",
        "thermal.thresholds=[5,5]: must be different temperatures",
    )
    assert lines("data=simulated", "thermal.thresholds=[5,-5]") == (
        "thermal.thresholds=[5,-5]: must go from the smaller to the larger",
    )
    assert lines("data=simulated", "inventory.gap_factor=often", "inventory.records=3") == (
        "inventory.gap_factor=often: not a number",
        "inventory.records=3: not text or null; quote it: inventory.records='\"3\"'",
    )


def test_a_table_may_be_counted_too(tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text("rgb,ir\na,b\n")
    assert lines("data=folder", f"data.root={tmp_path}", "data.table=pairs.csv") == ()
