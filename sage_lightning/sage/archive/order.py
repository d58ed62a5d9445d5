"""What is wanted of the archive, and how it is asked for."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class Order:
    """What is wanted, and how it is asked for.

    Attributes:
        nodes: VSNs or ids.
        start: UTC.
        end: UTC, not included.
        folder: where files go.
        plugin: of the uploads, as the query language has it; None for any.
        task: likewise.
        endpoint: of the query API.
        storage: what all files' addresses begin with.
        workers: files under way at once.
        timeout: seconds, for connecting and for silence between bytes.
        least_rate: kB a second that each of them brings over each `timeout`, at least.
        retries: of each request, after its first try.
        backoff: seconds before the first of them.
    """

    nodes: list[str]
    start: datetime
    end: datetime
    folder: Path
    plugin: str | None
    task: str | None
    endpoint: str
    storage: str
    workers: int
    timeout: float
    least_rate: float
    retries: int
    backoff: float
