"""Which rows and columns of an image an architecture leaves out: those after a layer's last whole window.

A layer whose windows touch but do not overlap, such as a 4 × 4 patch with stride 4, reads 48 of 50 rows, and
no architecture says so. On the meta device a forward costs no arithmetic, so this can be asked before a run.
"""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.pooling import _AvgPoolNd, _MaxPoolNd

_WINDOWS = (nn.Conv2d, _AvgPoolNd, _MaxPoolNd)


def left_out(net: nn.Module, forward: Callable[[Tensor], Any], image: Tensor) -> tuple[int, int]:
    """Rows at the bottom and columns at the right that a layer drops, in pixels of the image.

    What overlapping windows have read before still has a weak say; it counts as left out all the same.

    Args:
        net: its layers are watched.
        forward: calls it on an image.
        image: (B, C, H, W).
    """
    most = [0, 0]

    def watch(layer: Any, arguments: tuple[Tensor, ...]) -> None:
        for side in range(2):
            size, whole = arguments[0].shape[2 + side], image.shape[2 + side]
            rest = _rest(layer, side, size)
            most[side] = max(most[side], -(-rest * whole // size))  # of a stage's rows to the image's

    # timm's layers of this name fill up to whole windows in their forward.
    layers = [
        part
        for part in net.modules()
        if isinstance(part, _WINDOWS) and not type(part).__name__.endswith("Same")
    ]
    hooks = [layer.register_forward_pre_hook(watch) for layer in layers]
    try:
        forward(image)
    finally:
        for hook in hooks:
            hook.remove()
    return most[0], most[1]


def _rest(layer: Any, side: int, size: int) -> int:
    """How many of `size` rows (side 0) or columns (side 1) no window reads."""
    kernel, stride, padding = (
        _of(getattr(layer, name), side) for name in ("kernel_size", "stride", "padding")
    )
    if stride == 1 or kernel < stride or getattr(layer, "ceil_mode", False):
        return 0  # kernel < stride skips rows everywhere: a shortcut beside layers that do not
    return max(0, (size + 2 * padding - kernel) % stride - padding)


def _of(value: Any, side: int) -> int:
    if isinstance(value, str):  # "same" and "valid" go with stride 1 and with no padding
        return 0
    return int(value if isinstance(value, int) else value[side])
