"""What operations take, on whatever device their tensors are: bytes alive, and arithmetic."""

import weakref
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only
from torch.utils.flop_counter import flop_registry


class Meter(TorchDispatchMode):
    """Counts storages from the operation that makes them to when nothing holds them any more, and FLOPs.

    These are by the formulas of torch's FlopCounterMode, which itself holds on to tensors that checkpointed
    parts mean to let go.

    Attributes:
        live: bytes alive.
        peak: the most that were alive at once.
        flops: of matrix products, convolutions and attention; a multiplication and an addition are two.
    """

    def __init__(self) -> None:
        super().__init__()
        self.live = self.peak = self.flops = 0
        self._known: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        made = func(*args, **kwargs)
        tree_map_only(Tensor, self._note, made)
        if formula := flop_registry.get(func._overloadpacket):
            self.flops += formula(*args, **kwargs, out_val=made)
        return made

    def _note(self, tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key not in self._known:
            self._known.add(key)
            self.live += size
            self.peak = max(self.peak, self.live)
            weakref.finalize(storage, self._gone, key, size)
        return tensor

    def _gone(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.live -= size
