"""Memory for crops, kept from batch to batch.

New memory is cleared by the system, page by page, at its first touch: half as long as all that is done to a
crop. Large pages are no way out: they are dear to find where memory is in many pieces.
"""

from dataclasses import dataclass, field
from math import prod
from threading import Lock
from weakref import ref

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[np.float32]


@dataclass
class Kept:
    """Gives memory again once no tensor is on it any more, on whatever graph or list it was."""

    _used: list[tuple[Array, "ref[Array]"]] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def empty(self, *shape: int) -> Tensor:
        """`torch.empty` in float32 on the CPU; free memory that is of another size is let go."""
        size = prod(shape)
        with self._lock:
            free = [memory for memory, use in self._used if use() is None]
            fits = [memory for memory in free if memory.size == size]
            if not fits:
                self._used = [(memory, use) for memory, use in self._used if use() is not None]
                fits = [np.empty(size, np.float32)]
            else:
                self._used = [(memory, use) for memory, use in self._used if memory is not fits[0]]
            # A tensor holds the array that it was made from, and no other.
            view = fits[0][:]
            self._used.append((fits[0], ref(view)))
            return torch.from_numpy(view).view(shape)
