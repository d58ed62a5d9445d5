"""How degrees become the channels that a model takes, on the device.

Each choice is a module: (B, h, w) values in, NaN where missing; (B, channels, h, w) out, about −1…1. A
missing value becomes its frame's mean, or 0 where the whole frame is missing.
"""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from sage_lightning.data.missing import complete


class ThermalChannels(nn.Module, ABC):
    """What all choices share.

    Attributes:
        channels: how many come out.
        needs_degrees: whether values must be temperatures.
    """

    channels: int
    needs_degrees: bool

    def forward(self, degrees: Tensor) -> Tensor:
        """(B, h, w) to (B, channels, h, w)."""
        channels = self.scale(degrees)
        if complete(degrees):
            return channels
        missing = degrees.isnan()[:, None]
        known = channels.masked_fill(missing, 0.0)
        count = (~missing).sum((2, 3), keepdim=True).clamp_min(1)
        return torch.where(missing, known.sum((2, 3), keepdim=True) / count, known)

    @abstractmethod
    def scale(self, degrees: Tensor) -> Tensor:
        """(B, h, w) to (B, channels, h, w), whatever where values are missing."""


class Celsius(ThermalChannels):
    """Fixed physical bounds become −1 and 1, so the same degree is the same number in every frame.

    Args:
        low: °C; clear sky at the zenith lies there.
        high: °C; hot ground stays below. Beyond the bounds values go on to ±1.5 and are held there.
    """

    channels = 1
    needs_degrees = True

    def __init__(self, low: float = -60.0, high: float = 60.0) -> None:
        super().__init__()
        if not low < high:
            raise ValueError(f"thermal.low={low} is not below thermal.high={high}")
        self.low = low
        self.high = high

    def scale(self, degrees: Tensor) -> Tensor:
        """See `ThermalChannels`."""
        half = (self.high - self.low) / 2
        return ((degrees - (self.low + half)) / half).clamp_(-1.5, 1.5)[:, None]


class Percentile(ThermalChannels):
    """Each frame is stretched between two of its own percentiles: contrast without absolute temperature.

    The percentiles are those of what is seen: of a crop, in training.

    Args:
        low: percentile that becomes −1.
        high: percentile that becomes 1. Beyond them values go on to ±1.5 and are held there.
    """

    channels = 1
    needs_degrees = False

    def __init__(self, low: float = 1.0, high: float = 99.0) -> None:
        super().__init__()
        if not 0 <= low < high <= 100:
            raise ValueError(
                f"thermal.low={low} and thermal.high={high} are not percentiles, the lower one first"
            )
        self.low = low
        self.high = high

    def scale(self, degrees: Tensor) -> Tensor:
        """See `ThermalChannels`."""
        quantiles = degrees.new_tensor([self.low / 100, self.high / 100])
        low, high = degrees.flatten(1).nanquantile(quantiles, dim=1)[:, :, None, None].unbind(0)
        spread = (high - low).clamp_min(torch.finfo(degrees.dtype).tiny)  # a flat frame becomes 0
        middle = (low + high) / 2
        return ((degrees - middle) / (spread / 2)).clamp(-1.5, 1.5)[:, None]


class Bins3(ThermalChannels):
    """Three temperature bins as three channels that sum to 1: clear sky, cloud, ground.

    Args:
        thresholds: °C between clear sky and cloud, and between cloud and ground.
        softness: °C over which a channel fades into the next (the scale of a logistic function).
    """

    channels = 3
    needs_degrees = True

    def __init__(self, thresholds: tuple[float, float] = (-30.0, 5.0), softness: float = 3.0) -> None:
        super().__init__()
        if len(thresholds) != 2 or not thresholds[0] < thresholds[1]:
            raise ValueError(
                f"thermal.thresholds={list(thresholds)} are not two temperatures, the lower one first"
            )
        if not softness > 0:
            raise ValueError(f"thermal.softness={softness} is not above 0")
        self.thresholds = (float(thresholds[0]), float(thresholds[1]))
        self.softness = softness

    def scale(self, degrees: Tensor) -> Tensor:
        """See `ThermalChannels`."""
        clear = torch.sigmoid((self.thresholds[0] - degrees) / self.softness)
        ground = torch.sigmoid((degrees - self.thresholds[1]) / self.softness)
        return torch.stack([clear, 1 - clear - ground, ground], dim=1)
