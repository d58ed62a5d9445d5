"""Texts with special signs, as a shell hands them on, in the quotes that Hydra's grammar wants of them."""

import re
from collections.abc import Iterable

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException

from sage_lightning.config.known import TEXTS

_SET = re.compile(rf"((?:\+\+?)?(?:{'|'.join(map(re.escape, TEXTS))})=)(.*)", re.DOTALL)


def quoted(words: Iterable[str]) -> list[str]:
    """The words of a command line, of which Hydra can read those that set one of `TEXTS`.

    What it can read as it stands stays so: texts that are quoted already, sweeps, null.
    """
    parser = OverridesParser.create()
    return [_readable(parser, word) for word in words]


def _readable(parser: OverridesParser, word: str) -> str:
    if not (found := _SET.fullmatch(word)):
        return word
    try:
        parser.parse_override(word)
    except HydraException:
        return found[1] + QuotedString(found[2], Quote.double).with_quotes()
    return word
