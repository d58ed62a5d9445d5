"""Who decodes. An executor changes no byte of what comes out, only how long it takes."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

POOL_PAYS_FROM = 256  # pairs: starting a pool takes as long as decoding a few hundred small ones
_CHUNK = 8  # items that are sent to a process at a time

Map = Callable[[Callable[[Any], Any], Sequence[Any]], Iterator[Any]]


class Executor(Protocol):
    """Calls a function for many items; the function and the items must pickle."""

    def opened(self, items: int) -> AbstractContextManager[Map]:
        """A function like `map`, its results in the order of its items, for about so many items in all."""
        ...


@dataclass(frozen=True)
class Processes:
    """Processes of this machine.

    Args:
        workers: how many; 0 and 1 do the work in the process that asks.
    """

    workers: int

    @contextmanager
    def opened(self, items: int) -> Iterator[Map]:
        """See `Executor.opened`; few items are not worth a process."""
        if self.workers <= 1 or items < POOL_PAYS_FROM:
            yield map
            return
        # Spawned, not forked: PyTorch's threads may run here, and a fork takes their locks, not them.
        with ProcessPoolExecutor(self.workers, multiprocessing.get_context("spawn")) as pool:
            yield lambda function, items: pool.map(function, items, chunksize=_CHUNK)
