"""Overrides that choose options (`model=vicreg_vit_tiny`): is there such an option, is it in its place.

A misspelt option is taken for its nearest, so that the rest can be checked.
"""

import difflib
from dataclasses import dataclass, field
from typing import Any

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from sage_lightning.config.compose import FAILURES, Composer, first_line
from sage_lightning.config.problem import Problem, nearest


@dataclass
class Choices:
    """What the choices come to.

    Attributes:
        config: composed from them.
        overrides: those that compose.
        problems: one for each that does not.
    """

    config: DictConfig
    overrides: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def choose(composer: Composer, overrides: list[Override]) -> Choices:
    """Composes all choices at once if they are right, or else one by one."""
    texts = [override.input_line for override in overrides]
    if not any(override.is_add() or _option(composer, override)[0] for override in overrides):
        try:
            return Choices(composer.compose(texts), texts)
        except FAILURES:
            pass  # one by one, it shows which it is
    # Those of a part of the config (`group@part=`) come after those of the whole, which may bring the part.
    result = Choices(composer.compose([]))
    for override in sorted(overrides, key=lambda override: override.package is not None):
        text = override.input_line
        problem, mended = _option(composer, override)
        if problem is None:
            problem = _place(composer, override, result.config)
            mended = None if problem else text
        if mended is not None:
            try:
                result.config = composer.compose([*result.overrides, mended])
                result.overrides.append(mended)
            except FAILURES as error:
                problem = problem or Problem(f"{text}: {first_line(error)}", (_part(override),))
        if problem is not None:
            result.problems.append(problem)
    return result


def _option(composer: Composer, override: Override) -> tuple[Problem | None, str | None]:
    """A problem with the option's name, and the override with the nearest name instead, if one is near."""
    group, text, value = override.key_or_group, override.input_line, override.value()
    options = composer.options(group)
    if value is None:
        if composer.choices(composer.compose([])).get(override.get_key_element().lstrip("+~"), "") is None:
            return Problem(f"{text}: none is chosen anyway; leave this away", ()), None
        return Problem(f"{text}: a run needs one; {group} is one of {', '.join(options)}", ()), None
    names: list[Any] = value if isinstance(value, list) else [value]
    unknown = [name for name in names if name not in options]
    if not unknown:
        return None, None
    which = f" {', '.join(map(str, unknown))}" if len(names) > 1 else ""
    legal = f"{group} is one of {', '.join(options)}" if options else f"{group} has none yet"
    mended: list[str] = []
    for name in names:
        near = difflib.get_close_matches(str(name), options, n=1)
        if not near:
            return Problem(f"{text}: no such option{which}; {legal}", (_part(override),)), None
        mended.append(near[0])
    key = override.get_key_element()
    instead = f"{key}=[{','.join(mended)}]" if isinstance(value, list) else f"{key}={mended[0]}"
    return Problem(f"{text}: no such option{which}; {legal}", ()), instead


def _place(composer: Composer, override: Override, config: DictConfig) -> Problem | None:
    """A problem with where the option is to go."""
    group, text = override.key_or_group, override.input_line
    key = override.get_key_element().lstrip("+~")
    choices = composer.choices(config)
    if key in choices:
        if override.is_add() and choices[key] is not None:
            return Problem(f"{text}: {key} is chosen already; write {text.lstrip('+')}", ())
        return None
    # A group of several options, such as the loggers, is no single choice, but it has its node.
    if override.package is None and OmegaConf.select(config, group.replace("/", ".")) is not None:
        return None
    value = text.partition("=")[2]
    if parts := sorted(choice for choice in choices if choice.partition("@")[0] == group):
        ways = " or ".join(f"{part}={value}" for part in parts)
        return Problem(f"{text}: not a place that {group} is chosen for; write {ways}", ())
    near = nearest(key, choices)
    hint = f"did you mean {near}?" if near else f"the choices are {', '.join(_own(choices))}"
    return Problem(f"{text}: no such choice; {hint}", (_part(override),))


def _own(choices: dict[str, str | None]) -> list[str]:
    return sorted(choice for choice in choices if not choice.startswith("hydra/"))


def _part(override: Override) -> str:
    """The keys that the choice brings: nothing is known of them where it fails."""
    return str(override.package or override.key_or_group.replace("/", "."))
