"""A bounded pool of threads over items that are made one after the other.

Not `concurrent.futures`: its threads are waited for at the program's end, and one that waits for a silent
server would hold up Ctrl-C for as long as the server is silent. These are left behind.
"""

from collections.abc import Callable, Generator, Iterable
from queue import Queue
from threading import Event, Thread
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

GRACE = 1.0  # seconds for all threads together to see that it is over


def spread(items: Iterable[T], work: Callable[[T], R], workers: int, stop: Event) -> Generator[R, None, None]:
    """Yields what `work` makes of the items, as it gets done.

    At most twice as many items as workers are under way.

    Args:
        items: taken in the calling thread, as they are needed.
        work: called in the threads; what it raises is raised here, and ends everything.
        workers: how many threads.
        stop: is set when the caller goes before the end, or something is raised.
    """
    todo: Queue[T | None] = Queue()
    done: Queue[_Outcome[R]] = Queue()

    def serve() -> None:
        while (item := todo.get()) is not None:
            done.put(_Outcome(work, item))

    threads = [Thread(target=serve, name=f"download-{number}", daemon=True) for number in range(workers)]
    for thread in threads:
        thread.start()
    under_way = 0
    try:
        for item in items:
            todo.put(item)
            under_way += 1
            while under_way >= 2 * workers or not done.empty():
                under_way -= 1
                yield done.get().value()
        while under_way:
            under_way -= 1
            yield done.get().value()
    except BaseException:
        stop.set()
        raise
    finally:
        for _ in threads:
            todo.put(None)
        for thread in threads:
            thread.join(GRACE / workers)


class _Outcome(Generic[R]):
    """What a call came to, carried from its thread to the caller's."""

    def __init__(self, work: Callable[[T], R], item: T) -> None:
        self._error: BaseException | None = None
        try:
            self._value = work(item)
        except BaseException as error:  # it is raised again in `value`
            self._error = error

    def value(self) -> R:
        if self._error is not None:
            raise self._error
        return self._value
