"""Progress of long steps: a rich bar on a terminal, plain lines, one every few seconds, anywhere else."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

T = TypeVar("T")

SECONDS_BETWEEN_LINES = 5.0


def bar(console: Console) -> Progress:
    """The one look of all bars: what, how far, how many, how long still."""
    return Progress(
        TextColumn("{task.description:<28}"),
        BarColumn(bar_width=32),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=console,
    )


def track(items: Iterable[T], what: str, total: int) -> Iterator[T]:
    """Yields the items and shows how far along they are.

    Args:
        items: what is worked through.
        what: the step's name, as in "Decoding pairs".
        total: how many items there are.
    """
    console = Console(file=sys.stderr)
    if console.is_terminal:
        with bar(console) as progress:
            yield from progress.track(items, total=total, description=what)
        return
    started = spoken = time.monotonic()
    done = 0
    for item in items:
        yield item
        done += 1
        now = time.monotonic()
        if now - spoken >= SECONDS_BETWEEN_LINES and done < total:
            left = (now - started) / done * (total - done)
            print(f"{what}: {done}/{total}, {left:.0f} s left", file=sys.stderr, flush=True)
            spoken = now
    print(f"{what}: {done} in {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)
