"""All mistakes of a command line at once, before any work: of each override, then of all together."""

import itertools
import math
import re
from collections.abc import Iterator

from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from sage_lightning.config.choices import choose
from sage_lightning.config.compose import FAILURES, Composer, composer, first_line, resolved
from sage_lightning.config.experiments import check_experiment
from sage_lightning.config.keys import check_key
from sage_lightning.config.known import HINTS
from sage_lightning.config.problem import Problem
from sage_lightning.config.resume import own_key, settled
from sage_lightning.config.rules import RULES, folders
from sage_lightning.config.secrets import without_secrets
from sage_lightning.config.tree import Tree
from sage_lightning.config.values import kind_problem
from sage_lightning.errors import UserError

# Of a sweep with more trials each value is checked, but not each combination of values.
MOST_TRIALS = 256


def check(overrides: list[str], config_name: str, multirun: bool, config_dir: str | None = None) -> None:
    """Finds every problem that can be found without doing any work.

    Args:
        overrides: as on the command line.
        config_name: the command: train, evaluate …
        multirun: whether `a=1,2` is a sweep.
        config_dir: a folder of further options, from --config-dir.

    Raises:
        UserError: one line a problem.
    """
    lines: dict[str, None] = {}  # a set that keeps its order
    with composer(config_name, config_dir) as hydra:
        values: list[list[Override]] = []
        for text in overrides:
            try:
                values.append(_values(hydra, text, multirun))
            except UserError as error:
                lines |= dict.fromkeys(error.lines)
        for trial in _trials(values):
            lines |= dict.fromkeys(_trial(hydra, list(trial)))
    if lines:
        raise UserError(*map(without_secrets, lines))


def _values(hydra: Composer, text: str, multirun: bool) -> list[Override]:
    """The override, or, of a sweep, one override for each of its values."""
    try:
        override = hydra.parse(text)
        if not override.is_sweep_override():
            if not override.key_or_group:
                raise UserError(f"{text}: no key; write key=value")
            return [override]
        key = override.get_key_element()
        if not multirun:
            given = text.partition("=")[2]
            raise UserError(f"{text}: several values take -m; a list is written {key}=[{given}]")
        if not override.is_discrete_sweep():
            raise UserError(f"{text}: an interval has no end of values; list those to try, as in {key}=1,2,3")
        return [hydra.parse(f"{key}={value}") for value in override.sweep_string_iterator()]
    except HydraException as error:
        raise UserError(_unreadable(text, error)) from error


def _unreadable(text: str, error: HydraException) -> str:
    if "=" not in text and not text.startswith("~"):
        return f"{text}: no value; write {text}=<value>"
    key, _, value = text.partition("=")
    if any(sign in value for sign in " =()[]{},:'\"\\"):
        return (
            f"{text}: cannot be read; a value with special signs goes in two pairs of quotes: {key}='\"…\"'"
        )
    return f"{text}: cannot be read; {first_line(error)}"


def _trials(values: list[list[Override]]) -> Iterator[tuple[Override, ...]]:
    if math.prod(map(len, values)) <= MOST_TRIALS:
        yield from itertools.product(*values)
        return
    first = [alternatives[0] for alternatives in values]
    yield tuple(first)
    for place, alternatives in enumerate(values):
        for override in alternatives[1:]:
            yield (*first[:place], override, *first[place + 1 :])


def _trial(hydra: Composer, overrides: list[Override]) -> list[str]:
    """The lines of one set of overrides."""
    groups = [override for override in overrides if hydra.is_group(override.key_or_group)]
    keys = [override for override in overrides if override not in groups]
    choices = choose(hydra, groups)
    tree = Tree(choices.config)
    amiss = list(check_experiment(hydra, groups))
    problems = [*choices.problems, *amiss]
    unknown = {key for problem in problems for key in problem.doubt}
    kept: list[Override] = []
    for override in keys:
        if any(f"{override.key_or_group}.".startswith(f"{part}.") for part in unknown):
            continue  # below a choice that nothing is known of
        if problem := check_key(hydra, override, tree):
            problems.append(_of_resumed(override, keys, tree) or problem)
        else:
            kept.append(override)
    lines = [problem.line for problem in problems]
    if amiss:
        return lines  # what an experiment sets cannot be left out, and the rules count on it
    texts = [*choices.overrides, *(override.input_line for override in kept)]
    try:
        config = hydra.compose(texts)
    except FAILURES as error:
        return [*lines, first_line(error)]
    given = {override.key_or_group for override in kept}
    doubt = [key for problem in problems for key in problem.doubt if key not in given]
    return lines + [line for line in _together(config, texts, kept, tree) if not _mentions(line, doubt)]


def _of_resumed(override: Override, keys: list[Override], tree: Tree) -> Problem | None:
    """A key that is none of the model chosen here may be one of the run that is resumed."""
    run = next((str(other.value()) for other in keys if other.key_or_group == "resume"), None)
    key = override.key_or_group
    if run is None or tree.has(key) or any(folders({"resume": run})):
        return None
    try:
        line = own_key(run, key, override.input_line)
    except UserError:
        return None  # that the run cannot be read is told where the whole is looked at
    return None if line is None else Problem(line, (key,))


def _together(config: DictConfig, texts: list[str], overrides: list[Override], tree: Tree) -> Iterator[str]:
    """What can be said only of the whole."""
    whole_tree = Tree(config)
    for key in whole_tree.missing:
        yield f"{key} has no value: give {HINTS.get(key, f'{key}=<value>')}"
    task = whole_tree.filled()
    doubt: list[str] = []
    for override in overrides:
        for problem in list(_settled(task, override, tree)):
            yield problem.line
            doubt += problem.doubt
            # The rules count on each value being of its kind.
            OmegaConf.update(task, override.key_or_group, tree.default(override.key_or_group))
    try:
        whole = resolved(task)
    except FAILURES as error:
        yield f"{getattr(error, 'full_key', None) or 'the config'}: {first_line(error)}"
        return
    if whole.get("resume") is not None and not any(folders(whole)):
        try:
            whole = settled(whole, texts)  # what must hold is what the resumed run will be
        except UserError as error:
            yield from error.lines
            return
    for rule in RULES:
        yield from (line for line in rule(whole) if not _mentions(line, doubt))


def _settled(task: DictConfig, override: Override, tree: Tree) -> Iterator[Problem]:
    """Two truths for one number, and values that an interpolation gives."""
    key, text = override.key_or_group, override.input_line
    if override.is_delete() or not tree.has(key):
        return
    try:
        value = OmegaConf.select(task, key)
        source = tree.source(key)
        if source is not None and value != OmegaConf.select(task, source):
            yield Problem(f"{text}: {source} says it; set that instead", (key,))
        elif "${" in str(override.value()) and (problem := kind_problem(text, key, value, tree)):
            yield problem
    except FAILURES:
        return  # what cannot be resolved is reported once, for the whole config


def _mentions(line: str, keys: list[str]) -> bool:
    return any(re.search(rf"(?<![\w.]){re.escape(key)}(?![\w.])", line) for key in keys)
