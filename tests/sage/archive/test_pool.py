"""A bounded pool: every item once, never too many, and an end when it is over."""

import threading
import time
from contextlib import closing
from threading import Event

import pytest

from sage_lightning.sage.archive.pool import spread


@pytest.mark.parametrize("workers", [1, 3, 8])
def test_every_item_is_worked_on_once(workers):
    assert sorted(spread(range(50), lambda number: number**2, workers, Event())) == [n**2 for n in range(50)]
    assert list(spread([], lambda number: number, workers, Event())) == []


def test_items_are_taken_as_they_are_needed():
    taken = []

    def items():
        for number in range(100):
            taken.append(number)
            yield number

    with closing(spread(items(), lambda number: number, 2, Event())) as results:
        next(results)
        assert len(taken) <= 4


def test_never_more_at_once_than_workers():
    lock, now, most = threading.Lock(), [0], [0]

    def work(_: int) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.005)
        with lock:
            now[0] -= 1

    list(spread(range(30), work, 3, Event()))
    assert most[0] == 3


def test_what_is_raised_ends_everything():
    stop = Event()

    def work(number: int) -> int:
        if number == 5:
            raise OSError("full")
        return number

    with pytest.raises(OSError, match="full"):
        list(spread(range(1000), work, 2, stop))
    assert stop.is_set()


def test_a_caller_that_goes_is_not_held_up_by_a_thread_that_waits():
    stop, never = Event(), Event()
    started = time.monotonic()
    with closing(spread(range(9), lambda number: never.wait(20) if number else number, 3, stop)) as results:
        assert next(results) == 0
    assert stop.is_set()
    assert time.monotonic() - started < 10
    never.set()
