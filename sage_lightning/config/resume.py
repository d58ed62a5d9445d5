"""Going on with a run: its own config again, with what may change in mid-run taken from the command line."""

from copy import deepcopy
from typing import Any

from sage_lightning.config.compose import composer, resolved
from sage_lightning.errors import UserError

# What may differ between the parts of one run: where it computes and writes, and who watches.
# Everything else would make the rest of the run the rest of another run.
FREE = (
    "callbacks",
    "clustering",
    "data.num_workers",
    "data.prepare_workers",
    "data.source.workers",
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


def resumed(begun: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    """The config to go on with.

    Args:
        begun: of the run that is resumed.
        asked: as composed from the command line.

    Raises:
        UserError: a line for each key that the command line sets to what the run was not begun with.
    """
    with composer("train") as hydra:
        default = _flat(resolved(hydra.compose_task([])))
    was, now = _flat(begun), _flat(asked)
    lines = [
        f"{key}={now.get(key)}: the run was begun with {was.get(key)}; leave it out, or begin a new run"
        for key in default | now
        if now.get(key) != default.get(key) and now.get(key) != was.get(key) and not _free(key)
    ]
    if lines:
        raise UserError(*lines)
    merged = deepcopy(begun)
    for name in FREE:
        *path, last = name.split(".")
        source, target = asked, merged
        for part in path:
            source, target = source.get(part, {}), target.get(part, {})
        if last in source:
            target[last] = source[last]
    return merged


def _free(key: str) -> bool:
    return any(f"{key}.".startswith(f"{name}.") for name in FREE)


def _flat(tree: dict[str, Any], above: str = "") -> dict[str, Any]:
    """{"a": {"b": 1}} as {"a.b": 1}; an empty node is a value."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        name = f"{above}{key}"
        flat |= _flat(value, f"{name}.") if isinstance(value, dict) and value else {name: value}
    return flat
