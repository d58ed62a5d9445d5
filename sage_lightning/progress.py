"""Progress of long steps: a rich bar on a terminal, anywhere else a line of the log every few seconds."""

import logging
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

log = logging.getLogger("sage_lightning")

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
    console = Console(stderr=True)
    if console.is_terminal:
        with bar(console) as progress:
            yield from progress.track(items, total=total, description=what)
        return
    started = spoken = first = time.monotonic()
    done = 0
    for item in items:
        yield item
        done += 1
        now = time.monotonic()
        if done == 1:
            first = now  # what comes before it, such as starting processes, says nothing of the rate
        elif now - spoken >= SECONDS_BETWEEN_LINES and done < total:
            log.info("%s: %d/%d, %.0f s left", what, done, total, (now - first) / (done - 1) * (total - done))
            spoken = now
    log.info("%s: %d in %.1f s", what, done, time.monotonic() - started)
