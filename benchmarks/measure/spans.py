"""When each part of a training began and ended, by Lightning's names, and a trace of it for a viewer."""

import json
import time
from pathlib import Path
from typing import NamedTuple

from pytorch_lightning.profilers import Profiler


class Span(NamedTuple):
    """Seconds of one clock."""

    name: str
    start: float
    end: float


class Spans(Profiler):
    """A profiler that only looks at a clock: a microsecond a span, and nothing within torch."""

    def __init__(self) -> None:
        super().__init__()
        self.spans: list[Span] = []
        self._open: dict[str, float] = {}

    def start(self, action_name: str) -> None:
        """Called by Lightning, as is `stop`."""
        self._open[action_name] = time.perf_counter()

    def stop(self, action_name: str) -> None:
        """Lightning stops at the end of a loader what it has begun; of that there is no span."""
        if (start := self._open.pop(action_name, None)) is not None:
            self.spans.append(Span(action_name, start, time.perf_counter()))

    def of(self, part: str) -> list[Span]:
        """Those whose name, without the object it is of, is `part`."""
        return [span for span in self.spans if span.name.rpartition(".")[2] == part]

    def write_trace(self, path: Path) -> None:
        """As chrome://tracing and Perfetto open it."""
        events = [
            {
                "name": span.name,
                "ph": "X",
                "ts": span.start * 1e6,
                "dur": (span.end - span.start) * 1e6,
                "pid": 0,
                "tid": 0,
            }
            for span in self.spans
        ]
        path.write_text(json.dumps({"traceEvents": events, "displayTimeUnit": "ms"}))
