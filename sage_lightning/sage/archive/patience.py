"""Trying again: after 1, 2, 4 … times the backoff, with jitter, or as long as the server asks for."""

from threading import Event

import tenacity

from sage_lightning.sage.archive.troubles import Transient

LONGEST_WAIT = 60.0  # seconds between tries, unless the server asks for more
LONGEST_ASKED = 600.0  # a server that asks for more is left to the next call


def patience(retries: int, backoff: float, stop: Event) -> tenacity.Retrying:
    """Calls again what raises `Transient`, as often as `retries` says; then the last one is raised.

    Args:
        retries: tries after the first.
        backoff: seconds before the second try.
        stop: ends the waiting, and the trying, when it is set.
    """
    waits = tenacity.wait_exponential(backoff, LONGEST_WAIT) + tenacity.wait_random(0, backoff)

    def wait(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        return max(waits(state), error.after if isinstance(error, Transient) else 0.0)

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception(_worth_it),
        stop=tenacity.stop_after_attempt(retries + 1) | tenacity.stop_when_event_set(stop),
        wait=wait,
        sleep=tenacity.sleep_using_event(stop),
        reraise=True,
    )


def _worth_it(error: BaseException) -> bool:
    return isinstance(error, Transient) and error.after <= LONGEST_ASKED
