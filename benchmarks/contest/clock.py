"""Equal time: a process's own seconds on its processor, in which neighbours on the machine do not count."""

import math
import time


class Budget:
    """Seconds of this process, from the first look at it, and a learning rate that follows them.

    Both contestants' rates go along one curve, whatever a step takes: a linear warm-up over the first
    twentieth of the time, then half a cosine.

    Args:
        seconds: in all.
    """

    WARM_UP = 0.05

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.started: float | None = None

    @property
    def used(self) -> float:
        """So far."""
        if self.started is None:
            self.started = time.process_time()
        return time.process_time() - self.started

    @property
    def over(self) -> bool:
        return self.used >= self.seconds

    def rate(self, step: int) -> float:
        """The factor on the learning rate now; the step has no say."""
        share = min(self.used / self.seconds, 1.0)
        return min(max(share, 0.002) / self.WARM_UP, 1.0) * 0.5 * (1 + math.cos(math.pi * share))
