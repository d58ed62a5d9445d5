"""Overrides that set a value (`data.ir_patch=8`): is there such a key, may it be set, is it of its kind."""

from collections.abc import Iterable
from typing import Any

from hydra.core.override_parser.types import Override

from sage_lightning.config.compose import FAILURES, Composer, first_line
from sage_lightning.config.known import MAY_BE_NULL, OPEN, OWNERS
from sage_lightning.config.problem import Problem, nearest
from sage_lightning.config.targets import target
from sage_lightning.config.tree import Tree
from sage_lightning.config.values import kind_problem, unfit


def check_key(composer: Composer, override: Override, tree: Tree) -> Problem | None:
    """The problem with one override, if it has one.

    Args:
        composer: of the command.
        override: of a key, not of a group.
        tree: composed from the choices alone.
    """
    key, text = override.key_or_group, override.input_line
    if override.package is not None:
        return _no_such_key(composer, text, f"{key}@{override.package}", tree)
    if key.partition(".")[0] == "hydra":
        return _hydra_says(composer, text)
    if owner := OWNERS.get(key):
        return Problem(f"{text}: {owner} says it; set that instead", (owner,))
    if node := next((node for node in OPEN if f"{key}.".startswith(f"{node}.")), None):
        return _in_open_node(composer, override, node, tree)
    if not tree.has(key):
        return _new_key(composer, override, tree)
    if override.is_add():
        return Problem(f"{text}: the key is there already; write {text.lstrip('+')}", (key,))
    if override.is_delete():
        return _deletion(override, tree)
    return _value(composer, text, key, override.value(), tree)


def _value(composer: Composer, text: str, key: str, value: Any, tree: Tree) -> Problem | None:
    if isinstance(value, str) and "${" in value:
        return None  # known only when everything is composed
    if key in MAY_BE_NULL and (value is None or not tree.children(key)):
        return None
    if not (children := tree.children(key)):
        return kind_problem(text, key, value, tree)
    if not isinstance(value, dict):
        return Problem(f"{text}: {key} holds keys of its own: {', '.join(children)}", (key,))
    for name, item in value.items():
        inner = f"{key}.{name}"
        known = tree.has(inner)
        if (
            problem := _value(composer, text, inner, item, tree)
            if known
            else _no_such_key(composer, text, inner, tree)
        ):
            return problem
    return None


def _in_open_node(composer: Composer, override: Override, node: str, tree: Tree) -> Problem | None:
    key, text = override.key_or_group, override.input_line
    if key == node:
        grouped = override.value() is None or isinstance(override.value(), dict)
        return None if grouped else Problem(f"{text}: not a group of keys or null", (key,))
    if tree.has(key) or override.is_add() or override.is_force_add():
        return None
    if override.is_delete():
        return _no_such_key(composer, text, key, tree)
    return Problem(f"{text}: a key that is new to {node} takes a +: +{text}", (key,))


def _new_key(composer: Composer, override: Override, tree: Tree) -> Problem | None:
    """A key that conf/ does not set: the callable of its node may have it all the same."""
    key, text = override.key_or_group, override.input_line
    node, _, last = key.rpartition(".")
    path = tree.callable_of(key) if node and tree.has(node) else None
    if path is None:
        return _no_such_key(composer, text, key, tree)
    called = target(path)
    parameter = called.parameters.get(last)
    adds = override.is_add() or override.is_force_add()
    if parameter is None:
        free = called.takes_any and adds
        return (
            None
            if free
            else _no_such_key(composer, text, key, tree, (f"{node}.{name}" for name in called.parameters))
        )
    if parameter.required:
        return Problem(f"{text}: the program fills it in", (key,))
    if override.is_delete():
        return Problem(f"{text}: the key is not set", (key,))
    if not adds:
        return Problem(f"{text}: conf does not set it so far, which takes a +: +{text}", (key,))
    value = override.value()
    return None if isinstance(value, str) and "${" in value else unfit(text, key, value, parameter.kind)


def _deletion(override: Override, tree: Tree) -> Problem | None:
    key, text = override.key_or_group, override.input_line
    if path := tree.callable_of(key):
        parameter = target(path).parameters.get(key.rpartition(".")[2])
        if parameter is not None and not parameter.required:
            return None
    return Problem(f"{text}: the key cannot be left out", (key,))


def _hydra_says(composer: Composer, text: str) -> Problem | None:
    try:
        composer.compose([text])
    except FAILURES as error:
        return Problem(f"{text}: {first_line(error)}", ())
    return None


def _options_with(key: str, tree: Tree, composer: Composer) -> list[str]:
    """Other options of the key's group that have the key, as overrides."""
    group = key.partition(".")[0]
    options = composer.options(group) if group in tree.groups else []
    return [f"{group}={name}" for name in options if Tree(composer.compose([f"{group}={name}"])).has(key)]


def _no_such_key(
    composer: Composer, text: str, key: str, tree: Tree, parameters: Iterable[str] = ()
) -> Problem:
    known = [*tree.settable, *tree.groups]
    if elsewhere := _options_with(key, tree, composer):
        have = "have" if len(elsewhere) > 1 else "has"
        return Problem(f"{text}: no such key here; {' and '.join(elsewhere)} {have} it", (key,))
    if near := nearest(
        key, [*known, *(name for name in parameters if not tree.has(name) and name not in OWNERS)]
    ):
        return Problem(
            f"{text}: no such key; did you mean {'' if near in known else '+'}{near}?", (key, near)
        )
    node = key
    while node and not tree.has(node):
        node = node.rpartition(".")[0]
    children = ", ".join(tree.children(node))
    if not children:
        return Problem(f"{text}: no such key; {node} holds none", (key,))
    return Problem(f"{text}: no such key; {node or 'the top level'} has {children}", (key,))
