"""What a collection of pairs must be like: its unit, its files, and what the simulated camera can do."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from hydra.utils import get_object

from sage_lightning.config.bounds import bounds, get
from sage_lightning.config.pictures import pictures
from sage_lightning.errors import UserError

# data/sources.py, which takes half a second to import, is imported where it is asked.
SAGE = "sage_lightning.data.sources.SageSource"
FOLDER = "sage_lightning.data.folder.FolderSource"
SIMULATED = "sage_lightning.data.sources.SimulatedSource"
LONGEST_LAG = timedelta(days=3660)


def units(config: dict[str, Any]) -> Iterator[str]:
    """What a thermal choice needs, the collection has."""
    unit, thermal = get(config, "data.thermal_unit"), get(config, "thermal._target_")
    if unit in (None, "celsius"):
        return
    from sage_lightning.data.sources import THERMAL_UNITS

    if unit not in THERMAL_UNITS:
        yield f"data.thermal_unit={unit}: not one of {', '.join(THERMAL_UNITS)}"
    elif (source := get(config, "data.source._target_")) in (SAGE, SIMULATED):
        camera = "Sage cameras'" if source == SAGE else "the simulated camera's"
        yield f"data.thermal_unit={unit}: {camera} files hold degrees Celsius"
    elif unit in ("counts", "display") and get_object(thermal).needs_degrees:
        name = thermal.rpartition(".")[2].lower()
        yield f"thermal={name} needs degrees, and data.thermal_unit={unit} has none; use thermal=percentile"


def tables(config: dict[str, Any]) -> Iterator[str]:
    """Tables that are there, and have the columns that are named; `folders` says where the root is not."""
    data = config.get("data", {})
    root = data.get("root")
    if get(config, "data.source._target_") != FOLDER or root is None or not Path(root).is_dir():
        return
    from sage_lightning.data.tables import table_problems

    yield from table_problems(root, data["table"], data["tables"], data["columns"])


def selection(config: dict[str, Any]) -> Iterator[str]:
    """What is no expression over an index, whatever its columns."""
    if (expression := get(config, "data.select")) is None:
        return
    from sage_lightning.data.select import columns_of

    try:
        columns_of(str(expression))
    except UserError as error:
        yield from error.lines


def pairs(config: dict[str, Any]) -> Iterator[str]:
    """A folder of camera files holds a pair, and a node table can be read; `folders` says where none is.

    An index is made, and an inventory taken, of a folder without pairs, too.
    """
    root, nodes = get(config, "data.root"), get(config, "data.nodes")
    if get(config, "data.source._target_") != SAGE:
        return
    from sage_lightning.sage.nodes import NodeTable, read_nodes

    table = NodeTable()
    problems: tuple[str, ...] = ()
    if isinstance(nodes, str) and Path(nodes).is_file():
        try:
            table = read_nodes(Path(nodes))
        except UserError as error:
            problems = error.lines
    if root is not None and Path(root).is_dir() and not {"index", "inventory"} & set(config):
        from sage_lightning.data.scan import pairless

        if line := pairless(Path(root), table):
            yield line
    yield from problems


def simulation(config: dict[str, Any]) -> Iterator[str]:
    """What the simulated camera itself refuses; of keys that other rules refuse it is not asked."""
    if get(config, "data.source._target_") != SIMULATED:
        return
    from sage_lightning.data.simulated.camera import SimulatedCamera
    from sage_lightning.data.sources import read_size

    refused = {line.partition("=")[0] for line in (*bounds(config), *pictures(config))}
    asked: dict[str, Any] = {}
    for name in ("frames", "nodes", "positions", "days", "picture_size", "thermal_size", "faults"):
        if (key := f"data.{name}") not in refused:
            value = get(config, key)
            asked[name] = read_size(key, value) if name.endswith("_size") else value
    try:
        SimulatedCamera(Path(), **asked)
    except UserError as error:
        yield from error.lines


def lags(config: dict[str, Any]) -> Iterator[str]:
    """Durations that are some, the tolerance shorter than the lag."""
    given = {name: config[name] for name in ("lag", "tolerance") if config.get(name) is not None}
    known = {name: _duration(text) for name, text in given.items()}
    for name, example in (("lag", "30min"), ("tolerance", "5min")):
        if name in given and known[name] is None:
            yield f"{name}={given[name]}: not a duration; write it as {name}={example}"
    lag, tolerance = known.get("lag"), known.get("tolerance")
    if lag is not None and not timedelta(0) < lag <= LONGEST_LAG:
        yield f"lag={given['lag']}: must be above 0, and no longer than ten years"
    elif lag is not None and tolerance is not None and not timedelta(0) <= tolerance < lag:
        yield f"tolerance={given['tolerance']}: must be at least 0 and below lag={given['lag']}"


def _duration(text: Any) -> timedelta | None:
    import pandas as pd  # half a second, and most commands have no durations

    if str(text).strip().replace(".", "", 1).isdecimal():
        return None  # pandas takes it for nanoseconds
    try:
        found = pd.Timedelta(str(text)) if text is not None else None
    except ValueError:
        return None
    return None if found is None or pd.isna(found) else found.to_pytimedelta()
