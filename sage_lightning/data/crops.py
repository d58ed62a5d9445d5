"""Crops of a batch, drawn but not cut yet."""

from dataclasses import dataclass

from torch import Tensor

from sage_lightning.data.resample import Cut, resample, resample_missing


@dataclass(frozen=True)
class Crops:
    """N crops of each of B pairs at one resolution, crop by crop: crop n of pair b is row n·B + b.

    Args:
        epoch: (N·B,) int64.
        crop_id: (N·B,) int64, what takes the place of a sample id in every draw for a crop.
        rgb: how the pictures are cut.
        ir: how the thermal frames are.
        pairs: B.
    """

    epoch: Tensor
    crop_id: Tensor
    rgb: Cut
    ir: Cut
    pairs: int

    def cut(self, rgb: Tensor, frames: Tensor) -> tuple[Tensor, Tensor]:
        """The crops of all B pairs.

        Args:
            rgb: (B, 3, H, W), 0…1, or uint8.
            frames: (B, h, w), NaN where missing, or uint16, 0 where missing.

        Returns:
            (N·B, 3, *rgb_size), 0…1, and (N·B, *ir_size) in the unit of `frames`, NaN where missing.
        """
        return resample(rgb, self.rgb), resample_missing(frames, self.ir)
