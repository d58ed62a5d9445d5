"""Kinds of values: does a plain value fit a type annotation, and what is the annotation in words."""

import collections.abc
import pathlib
import types
import typing
from typing import Any, Literal, get_args, get_origin

_NAMES = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    pathlib.Path: "text",
    types.NoneType: "null",
}
_PLURALS = {bool: "true or false", int: "whole numbers", float: "numbers", str: "texts"}
_LISTS = (list, tuple, collections.abc.Sequence, collections.abc.Iterable)
_MAPS = (dict, collections.abc.Mapping)


def fits(value: Any, kind: Any) -> bool:
    """Whether a plain value (from YAML or the command line) is of a kind; what cannot be judged fits."""
    if kind is Any:
        return True
    if kind is None or kind is types.NoneType:
        return value is None
    if members := _members(kind):
        return any(fits(value, member) for member in members)
    origin = get_origin(kind) or kind
    if origin is Literal:
        return any(value == legal and type(value) is type(legal) for legal in get_args(kind))
    if origin is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if origin is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if origin in (bool, str):
        return isinstance(value, origin)
    if origin is pathlib.Path:
        return isinstance(value, str)
    if origin in _LISTS:
        return isinstance(value, list) and _items_fit(value, origin, get_args(kind))
    if origin in _MAPS:
        return isinstance(value, dict)
    if isinstance(origin, type) and origin is not object:
        return isinstance(value, dict) and "_target_" in value  # an object to build
    return True


def name(kind: Any) -> str:
    """A kind in words, "" for what no plain value can be."""
    if members := _members(kind):
        # Every whole number is a number.
        plain = [member for member in members if not (member is int and float in members)]
        return " or ".join(dict.fromkeys(word for member in plain if (word := name(member))))
    origin = get_origin(kind) or kind
    if origin is Literal:
        return "one of " + ", ".join(str(legal) for legal in get_args(kind))
    if origin in _LISTS:
        items = get_args(kind)
        if not items:
            return "a list"
        fixed = origin is tuple and items[-1] is not Ellipsis
        count = f"{len(items)} " if fixed else ""
        words = _PLURALS.get(_first_plain(items[0]), "values")
        return f"a list of {count}{words}"
    if origin in _MAPS:
        return "a group of keys"
    return _NAMES.get(types.NoneType if kind is None else kind, "")


def kind_of(value: Any) -> Any:
    """The kind that a default value tells."""
    if isinstance(value, list | tuple):
        inner = [kind_of(item) for item in value]
        return list[inner[0]] if inner and all(kind is inner[0] for kind in inner) else list  # type: ignore[valid-type]
    return type(value)


def _members(kind: Any) -> tuple[Any, ...]:
    if get_origin(kind) in (typing.Union, types.UnionType):
        return get_args(kind)
    return ()


def _items_fit(values: list[Any], origin: Any, items: tuple[Any, ...]) -> bool:
    if not items:
        return True
    if origin is tuple and items[-1] is not Ellipsis:
        return len(values) == len(items) and all(
            fits(value, item) for value, item in zip(values, items, strict=True)
        )
    return all(fits(value, items[0]) for value in values)


def _first_plain(kind: Any) -> Any:
    members = _members(kind)
    plain = [member for member in members if member in _PLURALS]
    return (float if float in plain else plain[0]) if plain else kind
