"""Going on with a run: its own config again, with what may change in mid-run taken from the command line."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser

from sage_lightning.config.bounds import show
from sage_lightning.errors import UserError

# What may differ between the parts of one run: where it computes and writes, and who watches.
# Everything else would make the rest of the run the rest of another run.
FREE = (
    "callbacks",
    "clustering",
    "compile",
    "data.num_workers",
    "data.prepare_workers",
    "health",
    "logger",
    "paths",
    "resume",
    "trainer.accelerator",
    "trainer.check_val_every_n_epoch",
    "trainer.devices",
    "trainer.log_every_n_steps",
    "trainer.num_nodes",
    "trainer.strategy",
)

# Where files lie, which may have moved; of a simulated camera `data.nodes` is a number, and not among these.
PLACES = ("paths.data_dir", "data.root", "data.nodes", "data.table")

# Keys that runs of before them have not, and what those did all the same.
SINCE = {
    "augment.dropout": 0.0,
    "augment.view.vertical_flip": 0.0,
    "compile": False,
    "data.look": "own",
    "data.rgb_store_kind": "raw",
    "model.grad_cache": False,
    "model.grad_cache_pairs": 64,
    "model.ir_backbone.grad_checkpointing": "auto",
    "model.rgb_backbone.grad_checkpointing": "auto",
    "model.ibot_mask": [0.1, 0.5],
    "model.ibot_probability": 0.5,
    "model.ibot_weight": 0.0,
    "model.local": False,
    "model.sharing": "separate",
}

# Keys that conf/ lets take their value from another: the config of a begun run no longer says so.
FOLLOWERS = (
    ("data.source.root", "paths.data_dir"),
    ("data.source.root", "data.root"),
    ("data.source.nodes", "data.nodes"),
    ("data.source.table", "data.table"),
    ("data.source.workers", "data.prepare_workers"),
)


def settled(asked: dict[str, Any], overrides: list[str]) -> dict[str, Any]:
    """The config as it is run and kept: folders absolute, and that of the run that is resumed, if one is.

    Args:
        asked: as composed from the command line, resolved.
        overrides: the command line.

    Raises:
        UserError: as `resumed`; or the run that is to be resumed has no checkpoint that can be read.
    """
    config = _absolute(asked)
    if config.get("resume") is None:
        return config
    return resumed(_begun(config["resume"]), config, overrides)


def own_key(run: str, key: str, text: str) -> str | None:
    """What to say of a key that the chosen model has not, if the run that is to be resumed has it.

    Args:
        run: folder or checkpoint of that run.
        key: that the command line sets.
        text: as it sets it.

    Raises:
        UserError: the run has no checkpoint that can be read.
    """
    was = _flat(_begun(run))
    if key not in was:
        return None
    begun = f"the run that is resumed has its own {key.partition('.')[0]}, begun with {key}={show(was[key])}"
    return f"{text}: {begun}; leave it out, or begin a new run"


def _begun(run: str) -> dict[str, Any]:
    """The config that a run was begun with."""
    # torch takes seconds to import
    from sage_lightning.checkpoints import KEY, find_checkpoint, read_checkpoint

    config: dict[str, Any] = read_checkpoint(find_checkpoint(Path(run)))[KEY]["config"]
    return config


def resumed(begun: dict[str, Any], asked: dict[str, Any], overrides: list[str]) -> dict[str, Any]:
    """The config to go on with.

    Args:
        begun: of the run that is resumed.
        asked: as composed from the command line.
        overrides: the command line. What it does not say is as it was.

    Raises:
        UserError: a line for each key that the command line sets to what the run was not begun with.
    """
    parsed = OverridesParser.create().parse_overrides(overrides)
    said = [override.package or override.key_or_group.replace("/", ".") for override in parsed]
    now = _flat(asked)
    was = {key: value for key, value in SINCE.items() if key in now} | _flat(begun)
    free = [*FREE, *(key for key in PLACES if isinstance(was.get(key), str))]
    # Of another trainer it matters where it computes; it has no say in how long, or how exactly.
    strict = [key for key in said if key != "trainer"]
    lines = [
        f"{key}={show(now.get(key))}: the run was begun with {show(was.get(key))}; "
        "leave it out, or begin a new run"
        for key in was | now
        if now.get(key) != was.get(key) and _within(key, strict) and not _within(key, free)
    ]
    if "experiment" in said:
        lines.append("experiment: the run that is resumed has its own; leave it out, or begin a new run")
    if lines:
        raise UserError(*lines)
    config = deepcopy(begun)
    config["paths"]["output_dir"] = asked["paths"]["output_dir"]
    config["resume"] = asked["resume"]
    for name in free:
        for key in said:
            if _within(name, [key]):
                _copy(asked, config, name)
            elif _within(key, [name]):
                _copy(asked, config, key)
    return _followed(begun, config)


def moved(config: dict[str, Any], places: Mapping[str, str | None]) -> dict[str, Any]:
    """The config of a run whose files have moved.

    Args:
        config: of the run.
        places: `PLACES` → where they lie now; None for where they were.

    Raises:
        UserError: the run has no such files.
    """
    now = deepcopy(config)
    was = _flat(config)
    lines = []
    for key, place in places.items():
        if place is None:
            continue
        if not isinstance(was.get(key), str):
            lines.append(f"{key}={place}: this checkpoint's data have none; leave it out")
            continue
        section, name = key.split(".")
        # A table's path counts from data.root, as it did.
        now[section][name] = place if name == "table" else str(Path(place).absolute())
    if lines:
        raise UserError(*lines)
    return _followed(config, now)


def _followed(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    was, becomes = _flat(before), _flat(now)
    for follower, leader in FOLLOWERS:
        if follower in was and leader in was and was[follower] == was[leader]:
            _, node, name = follower.split(".")
            now["data"][node][name] = becomes[leader]
    return now


def _absolute(config: dict[str, Any]) -> dict[str, Any]:
    config = deepcopy(config)
    data = config.get("data", {})
    places = [(config["paths"], name) for name in config["paths"]]
    places += [(keys, name) for keys in (data, data.get("source", {})) for name in ("root", "nodes")]
    places.append((config.get("download", {}), "folder"))
    places.append((config.get("inventory", {}), "records"))
    model = config.get("model", {})
    places += [(model.get(f"{sensor}_backbone", {}), "weights") for sensor in ("rgb", "ir")]
    for keys, name in places:
        if isinstance(keys.get(name), str) and keys[name] != "timm":
            keys[name] = str(Path(keys[name]).absolute())
    return config


def _within(key: str, names: Sequence[str]) -> bool:
    return any(f"{key}.".startswith(f"{name}.") for name in names)


def _copy(source: dict[str, Any], target: dict[str, Any], key: str) -> None:
    *path, last = key.split(".")
    for part in path:
        source, target = source[part], target[part]
    if last in source:
        target[last] = deepcopy(source[last])


def _flat(tree: dict[str, Any], above: str = "") -> dict[str, Any]:
    """{"a": {"b": 1}} as {"a.b": 1}; an empty node is a value."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        name = f"{above}{key}"
        flat |= _flat(value, f"{name}.") if isinstance(value, dict) and value else {name: value}
    return flat
