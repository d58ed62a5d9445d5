"""Views: which part of the field of view a pair is seen through. One geometry for both sensors, always."""

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from sage_lightning.data.counted import Stream, uniform
from sage_lightning.data.crops import Crops
from sage_lightning.data.resample import Cut, crop_resize, crop_resize_missing


class View(Protocol):
    """Says through which crops pairs are seen, at the sizes that a model takes."""

    def crops(self, seed: int, epoch: Tensor, sample_id: Tensor) -> Crops:
        """One crop of each of B pairs; what is drawn for a pair follows from seed, epoch and sample id alone.

        Args:
            seed: of the run.
            epoch: (B,).
            sample_id: (B,).
        """
        ...


@dataclass(frozen=True)
class FullView:
    """The whole field of view, nothing drawn: what evaluation sees.

    Args:
        rgb_size: (H, W) in pixels.
        ir_size: (h, w) in pixels.
    """

    rgb_size: tuple[int, int]
    ir_size: tuple[int, int]

    def crops(self, seed: int, epoch: Tensor, sample_id: Tensor) -> Crops:
        """See `View`."""
        boxes = torch.tensor([[0.0, 0.0, 1.0, 1.0]], device=sample_id.device).expand(len(sample_id), -1)
        straight = torch.zeros_like(sample_id, dtype=torch.bool)
        rgb, ir = (Cut(boxes, size, straight, straight) for size in (self.rgb_size, self.ir_size))
        return Crops(epoch, sample_id, rgb, ir, len(sample_id))

    def rgb(self, rgb: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, 3, *rgb_size)."""
        return crop_resize(rgb, *_whole(rgb, self.rgb_size))

    def ir(self, degrees: Tensor) -> Tensor:
        """(B, h, w) to (B, *ir_size)."""
        return crop_resize_missing(degrees, *_whole(degrees, self.ir_size))


@dataclass(frozen=True)
class PairedCrop:
    """One random-resized crop a pair, mirrored for some: the same part of the scene for both sensors.

    Args:
        rgb_size: (H, W) in pixels.
        ir_size: (h, w) in pixels.
        scale: bounds of the crop's area, a fraction of the field of view; drawn uniformly.
        ratio: bounds of the crop's width to its height, in units of the whole field's; drawn
            log-uniformly from those that fit at the area drawn. 1 is the shape that `FullView` sees.
        flip: probability of mirroring left and right.
        vertical_flip: of turning top and bottom round.
        jitter: the thermal box is shifted, either way on each axis, by up to this fraction of the field.
    """

    rgb_size: tuple[int, int]
    ir_size: tuple[int, int]
    scale: tuple[float, float] = (0.4, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    flip: float = 0.5
    vertical_flip: float = 0.0
    jitter: float = 0.0

    def crops(self, seed: int, epoch: Tensor, sample_id: Tensor) -> Crops:
        """See `View`."""
        keys = (seed, epoch, sample_id)
        flip = uniform(*keys, Stream.FLIP, 1)[:, 0] < self.flip
        upset = uniform(*keys, Stream.VERTICAL_FLIP, 1)[:, 0] < self.vertical_flip
        rgb_boxes, ir_boxes = self.boxes(*keys)
        rgb, ir = Cut(rgb_boxes, self.rgb_size, flip, upset), Cut(ir_boxes, self.ir_size, flip, upset)
        return Crops(epoch, sample_id, rgb, ir, len(sample_id))

    def boxes(self, seed: int, epoch: Tensor, sample_id: Tensor) -> tuple[Tensor, Tensor]:
        """The boxes of both sensors, (B, 4) each: top, left, height, width in 0…1 of the field of view."""
        draws = uniform(seed, epoch, sample_id, Stream.CROP, 4)
        area = self.scale[0] + draws[:, 0] * (self.scale[1] - self.scale[0])
        narrowest = area.log().clamp_min(math.log(self.ratio[0]))
        widest = (-area.log()).clamp_max(math.log(self.ratio[1]))
        root = (0.5 * (narrowest + draws[:, 1] * (widest - narrowest))).exp()  # of the ratio
        height, width = (area.sqrt() / root).clamp_max(1.0), (area.sqrt() * root).clamp_max(1.0)
        top, left = draws[:, 2] * (1 - height), draws[:, 3] * (1 - width)
        shift = (2 * uniform(seed, epoch, sample_id, Stream.JITTER, 2) - 1) * self.jitter
        ir_top = torch.minimum((top + shift[:, 0]).clamp_min(0.0), 1 - height)
        ir_left = torch.minimum((left + shift[:, 1]).clamp_min(0.0), 1 - width)
        return torch.stack([top, left, height, width], 1), torch.stack([ir_top, ir_left, height, width], 1)


def _whole(images: Tensor, size: tuple[int, int]) -> tuple[Tensor, tuple[int, int], Tensor]:
    """The last arguments of `crop_resize` that leave nothing out."""
    box = torch.tensor([[0.0, 0.0, 1.0, 1.0]], device=images.device)
    return box, size, torch.zeros(1, dtype=torch.bool, device=images.device)
