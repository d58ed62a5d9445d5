"""Who reads what a command prints may leave, as `head` does once it has enough: it then ends quietly."""

import io
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

STATUS = 141  # of what a shell calls ended by SIGPIPE, 128 + 13


@contextmanager
def reader_may_leave() -> Iterator[None]:
    """What is printed inside goes to a reader, or ends with `STATUS` where there is none any more.

    Not by the signal itself, which ends others too: a process that has lost a worker, or a server, says so.
    """
    try:
        try:
            yield
        finally:
            sys.stdout.flush()  # else Python does it at the very end, and complains
    except BrokenPipeError:
        if not _has_left():
            raise
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        sys.exit(STATUS)


@contextmanager
def printed_after() -> Iterator[None]:
    """What is printed inside is printed once it is over: by us, where a library would take offence."""
    kept = io.StringIO()
    try:
        with redirect_stdout(kept):
            yield
    finally:
        sys.stdout.write(kept.getvalue())


def _has_left() -> bool:
    """Whether standard output is a pipe that nobody reads."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    return any(said & select.POLLERR for _, said in poll.poll(0))
