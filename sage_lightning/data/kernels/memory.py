"""Memory for many crops: the system clears each page at its first touch, and small ones take long to clear."""

import mmap
from math import prod
from pathlib import Path

import torch
from torch import Tensor

_PAGE = 2**21  # bytes of a large one; of the others there are 512 in it
_LARGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage")


def empty(*shape: int) -> Tensor:
    """`torch.empty` in float32 on the CPU; on large pages where Linux has them, which are fewer to clear."""
    size = prod(shape) * torch.float32.itemsize
    if size < _PAGE or not _LARGE_PAGES.exists():
        return torch.empty(shape)
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(mmap.MADV_HUGEPAGE)
    return torch.frombuffer(memory, dtype=torch.float32).view(shape)
