"""What is wrong with one override, and what the user may have meant."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One line for the user.

    Attributes:
        line: what was given, and what is legal.
        doubt: keys whose value is not known for this mistake: nothing else is said about them.
    """

    line: str
    doubt: tuple[str, ...]


def nearest(given: str, names: Iterable[str]) -> str | None:
    """The name that a misspelt key most likely means: near as a whole, or in its last part."""
    names = list(names)
    last = given.rpartition(".")[2]
    if same := [name for name in names if name.rpartition(".")[2] == last]:
        return max(same, key=lambda name: difflib.SequenceMatcher(None, given, name).ratio())
    if near := difflib.get_close_matches(given, names, n=1, cutoff=0.7):
        return near[0]
    ends = {name.rpartition(".")[2]: name for name in names}
    close = difflib.get_close_matches(last, ends, n=1, cutoff=0.8)
    return ends[close[0]] if close else None
