"""How much memory there is, how much a process has had at most, and what says that there was too little."""

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from sage_lightning.errors import ShortageError

_CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)
# What allocators of the CPU say, which has no error of its own.
_SAID = ("can't allocate memory", "bad_alloc", "Cannot allocate memory")


def out_of_memory(error: BaseException) -> bool:
    """Whether it says that memory has run out, of a GPU or of the CPU."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError | OSError) and any(words in str(error) for words in _SAID)


@contextmanager
def enough_memory_or(line: str) -> Iterator[None]:
    """What goes on inside ends with this line where memory runs out.

    Raises:
        ShortageError: it has run out.
    """
    try:
        yield
    except (RuntimeError, MemoryError, OSError) as error:
        if not out_of_memory(error):
            raise
        raise ShortageError(line) from error


def room(gpu: bool) -> int | None:
    """Bytes that this process may still take: of the GPU, or of this machine; None where nothing tells."""
    if gpu:
        free, _ = torch.cuda.mem_get_info()
        return int(free) + torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
    known = [_available(), *(_of_cgroup(*files) for files in _CGROUPS), _of_limits()]
    return min((number for number in known if number is not None), default=None)


def resident() -> int:
    """Bytes of memory that this process has now; at most, where the system does not tell."""
    return _status().get("VmRSS") or peak_resident()


def peak_resident() -> int:
    """Bytes of memory that this process has had at most."""
    if "VmHWM" in (said := _status()):
        return said["VmHWM"]  # `ru_maxrss` counts from the process that began this one
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def stay_within(number: int) -> None:
    """Lets this process take so many bytes more, and then fail before the machine is short of them."""
    if taken := _status().get("VmData"):
        limit, hard = taken + number, resource.getrlimit(resource.RLIMIT_DATA)[1]
        resource.setrlimit(
            resource.RLIMIT_DATA, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard)
        )


def _available() -> int | None:
    path = Path("/proc/meminfo")
    return _table(path).get("MemAvailable") if path.is_file() else None


def _of_cgroup(limit: str, used: str) -> int | None:
    """What a group of processes may still take; files that it has read give way, so they do not count."""
    try:
        most, now = int(Path(limit).read_text()), int(Path(used).read_text())
        said = dict(line.split() for line in Path(used).with_name("memory.stat").read_text().splitlines())
    except (OSError, ValueError):  # there is none, or its limit is "max"
        return None
    files = int(said.get("total_inactive_file", said.get("inactive_file", 0)))
    return max(most - (now - files), 0)


def _of_limits() -> int | None:
    """What `ulimit -v` and `ulimit -d` leave."""
    said = _status()
    left = [
        resource.getrlimit(kind)[0] - said[name]
        for kind, name in ((resource.RLIMIT_AS, "VmSize"), (resource.RLIMIT_DATA, "VmData"))
        if name in said and resource.getrlimit(kind)[0] != resource.RLIM_INFINITY
    ]
    return max(min(left), 0) if left else None


def _status() -> dict[str, int]:
    path = Path("/proc/self/status")
    return _table(path) if path.is_file() else {}


def _table(path: Path) -> dict[str, int]:
    """Bytes by name, of lines such as `VmHWM:   1234 kB`."""
    words = (line.split() for line in path.read_text().splitlines())
    return {line[0].rstrip(":"): int(line[1]) * 1024 for line in words if line[2:] == ["kB"]}
