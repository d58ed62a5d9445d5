"""Is a value of its key's kind? Kinds come from defaults and from the annotations of `_target_` callables."""

from typing import Any

from sage_lightning.config import kinds
from sage_lightning.config.known import EXAMPLES, KINDS, LISTS
from sage_lightning.config.problem import Problem
from sage_lightning.config.targets import Parameter, target
from sage_lightning.config.tree import Tree

# What YAML writes with a dot is written without one on the command line.
_YAML_NUMBERS = {".inf": "inf", "+.inf": "inf", "-.inf": "-inf", ".nan": "nan"}


def kind_problem(text: str, key: str, value: Any, tree: Tree) -> Problem | None:
    """The problem if a value is not of its key's kind.

    Args:
        text: the override, as it was given.
        key: the existing key that it sets.
        value: what it sets it to, plain.
        tree: has the key's default.
    """
    if key in KINDS:
        return unfit(text, key, value, KINDS[key])
    default = tree.default(key)
    own = Any if default is None else kinds.kind_of(default)
    # A text can be one of a few words, and null or another kind can be legal: only the callable knows. To
    # ask it can take seconds, for it is imported, so a number where a number was is not asked about,
    # nor a list as long as the one that was.
    plain = own not in (Any, str) and kinds.fits(value, own)
    if plain and not (isinstance(value, list) and len(value) != len(default)):
        return None
    taker = _taker(tree, key)
    if taker is None:
        return unfit(text, key, value, own)
    kind = taker.kind if taker.annotated or own is Any or taker.kind is Any else own | taker.kind
    return unfit(text, key, value, own if kind is Any else kind)


def unfit(text: str, key: str, value: Any, kind: Any) -> Problem | None:
    """The problem if a value is not of this kind, with how to write it if it nearly is."""
    if kinds.fits(value, kind) or not (name := kinds.name(kind)):
        return None
    hint = ""
    if isinstance(value, float) and value.is_integer() and kinds.fits(int(value), kind):
        hint = f"; write {key}={int(value)}"
    elif (
        isinstance(value, str)
        and (number := _YAML_NUMBERS.get(value.lower()))
        and kinds.fits(float(number), kind)
    ):
        hint = f"; write {key}={number}"
    elif key in EXAMPLES and isinstance(value, int | float) and not isinstance(value, bool):
        hint = f"; write {EXAMPLES[key]}"
    elif isinstance(value, int | float) and kinds.fits(str(value), kind):
        hint = f"; quote it: {key}='\"{text.partition('=')[2]}\"'"
    return Problem(f"{text}: not {name}{hint}", (key,))


def bracketed(text: str) -> str:
    """`job.gpus=8,16` as `job.gpus=[8,16]`: of a list that nobody sweeps commas mean nothing else."""
    key, _, value = text.partition("=")
    plain = key.lstrip("+") in LISTS and "," in value and not any(sign in value for sign in "[](){}'\"")
    return f"{key}=[{value}]" if plain else text


def _taker(tree: Tree, key: str) -> Parameter | None:
    """The parameter that a key is for: of its own node's `_target_`, or of one that interpolates the key."""
    for place in [key, *tree.takers(key)]:
        if path := tree.callable_of(place):
            return target(path).parameters.get(place.rpartition(".")[2])
    return None
