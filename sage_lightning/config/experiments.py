"""What an experiment file sets must exist in the run that it is chosen for, like what a command line sets."""

import json
from collections.abc import Iterator
from typing import Any

from hydra.core.override_parser.types import Override
from omegaconf import OmegaConf

from sage_lightning.config.compose import FAILURES, Composer
from sage_lightning.config.keys import check_key
from sage_lightning.config.problem import Problem
from sage_lightning.config.tree import Tree

GROUP = "experiment"


def check_experiment(composer: Composer, groups: list[Override]) -> Iterator[Problem]:
    """A problem for each key of the chosen experiment that the run does not have.

    What the command line chooses counts, not the experiment's own choice: a method has no keys of another.

    Args:
        composer: of the command.
        groups: the choices of the command line.
    """
    name = next((override.value() for override in groups if override.key_or_group == GROUP), None)
    if not isinstance(name, str) or (path := composer.file(GROUP, name)) is None:
        return
    content = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    if not isinstance(content, dict):
        return
    chosen = [override.input_line for override in groups if override.key_or_group != GROUP]
    said = {override.key_or_group for override in groups}
    own = {
        key.removeprefix("override ").removeprefix("/"): value
        for entry in content.pop("defaults", [])
        if isinstance(entry, dict)
        for key, value in entry.items()
    }
    try:
        tree = Tree(
            composer.compose([f"{key}={value}" for key, value in own.items() if key not in said] + chosen)
        )
    except FAILURES:
        return  # told of where the choices are composed
    choices = "".join(f" with {line}" for line in chosen if line.partition("=")[0] in own)
    for key, value in _leaves(content, ""):
        problem = check_key(composer, composer.parse(f"{key}={_written(value)}"), tree)
        if problem is not None:
            yield Problem(f"{GROUP}={name}{choices}: {problem.line}", problem.doubt)


def _leaves(node: dict[Any, Any], above: str) -> Iterator[tuple[str, Any]]:
    for name, value in node.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _written(value: Any) -> str:
    """As in Hydra's grammar, in which JSON's lists, numbers and quoted texts are legal."""
    return "null" if value is None else json.dumps(value)
