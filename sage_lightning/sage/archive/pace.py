"""Reading what comes over a line as it comes, and not from a server that sends a byte now and then."""

import time
from collections.abc import Callable, Iterator

CHUNK = 64 * 1024  # bytes
KILO = 1000


class TooSlow(TimeoutError):
    """Bytes come, but too few."""


def paced(read1: Callable[[int], bytes], least_rate: float, timeout: float) -> Iterator[bytes]:
    """The bytes, piece by piece, until there are no more.

    Only the time that is spent waiting for them counts, not what is done with them.

    Args:
        read1: gives up to so many bytes as soon as there are some; none at the end.
        least_rate: kB a second, over each `timeout`; 0 for any.
        timeout: seconds.

    Raises:
        TooSlow: less has come.
    """
    waited, came = 0.0, 0
    while True:
        started = time.monotonic()
        piece = read1(CHUNK)
        if not piece:
            return
        waited += time.monotonic() - started
        came += len(piece)
        yield piece
        if waited >= timeout:
            if came < least_rate * KILO * waited:
                raise TooSlow(f"less than {least_rate:g} kB/s for {waited:.2g} s")
            waited, came = 0.0, 0
