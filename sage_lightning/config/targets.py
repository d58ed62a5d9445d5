"""What a `_target_` takes: the parameters of a callable, which is imported to be asked."""

import functools
import inspect
import typing
from dataclasses import dataclass
from typing import Any

from hydra.utils import get_object

from sage_lightning.config.kinds import kind_of


@dataclass(frozen=True)
class Parameter:
    """One parameter.

    Attributes:
        kind: of its values, from its annotation, or else from its default; `Any` where neither tells.
        annotated: whether it has an annotation.
        required: whether it has no default.
    """

    kind: Any
    annotated: bool
    required: bool


@dataclass(frozen=True)
class Target:
    """The parameters of a callable by name; `takes_any` if it has **kwargs."""

    parameters: dict[str, Parameter]
    takes_any: bool


@functools.cache
def target(path: str) -> Target:
    """Looks a callable up.

    Args:
        path: dotted, as in a config's `_target_`.

    Raises:
        ImportError: if there is none.
    """
    called = get_object(path)
    signature = inspect.signature(called)
    try:
        hints = typing.get_type_hints(called.__init__ if inspect.isclass(called) else called)
    except (NameError, TypeError):  # other people's hints may name what only a type checker imports
        hints = {}
    parameters = {}
    takes_any = False
    for name, parameter in signature.parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            takes_any = True
        elif parameter.kind is not parameter.VAR_POSITIONAL:
            required = parameter.default is parameter.empty
            kind = hints.get(name, Any)
            if kind is Any and not required and parameter.default is not None:
                kind = kind_of(parameter.default)
            parameters[name] = Parameter(kind, name in hints, required)
    return Target(parameters, takes_any)
