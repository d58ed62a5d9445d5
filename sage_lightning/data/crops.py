"""Crops of a batch that are drawn for all of it, and cut a few pairs at a time."""

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

    def of(self, pairs: slice) -> "Crops":
        """All crops of some pairs."""

        def some(cut: Cut) -> Cut:
            boxes, flip, upset = (self.rows(part, pairs) for part in (cut.boxes, cut.flip, cut.upset))
            return Cut(boxes, cut.size, flip, upset)

        epoch, crop_id = self.rows(self.epoch, pairs), self.rows(self.crop_id, pairs)
        return Crops(epoch, crop_id, some(self.rgb), some(self.ir), pairs.stop - pairs.start)

    def rows(self, rows: Tensor, pairs: slice) -> Tensor:
        """Of N·B rows those that are some pairs'."""
        return rows.unflatten(0, (-1, self.pairs))[:, pairs].flatten(0, 1)
