"""Whether anything is missing: where nothing is, there is nothing to weigh and nothing to fill."""

from torch import Tensor


def complete(values: Tensor) -> bool:
    """Whether no value is NaN, so far as that is known at once: not on a device that must be waited for."""
    return values.device.type == "cpu" and not bool(values.sum().isnan())
