"""Multi-crop (Caron et al. 2020): a pair seen through few large and many small crops.

A crop is drawn as `PairedCrop` draws it, for a sample id of its own: hashed from the pair's id and the crop's
number, so that crop g is the same however many there are, and on any rank.
"""

from dataclasses import dataclass, replace

from torch import Tensor

from sage_lightning.data.augment import PairedCrop
from sage_lightning.data.counted import Stream, part_ids
from sage_lightning.data.crops import Crops


@dataclass(frozen=True)
class MultiCrop:
    """Global and local crops; each is mirrored or not for itself, and is one field of view for both sensors.

    Args:
        rgb_size: (H, W) in pixels of a global crop.
        ir_size: (h, w) likewise.
        rgb_local_size: of a local crop.
        ir_local_size: likewise.
        global_crops: how many a pair.
        local_crops: how many a pair; may be 0.
        global_scale: bounds of a global crop's area, a fraction of the field of view.
        local_scale: of a local crop's.
        ratio: as of `PairedCrop`, as the next ones.
        flip: probability of mirroring.
        vertical_flip: of turning top and bottom round.
        jitter: misregistration of the thermal box.
    """

    rgb_size: tuple[int, int]
    ir_size: tuple[int, int]
    rgb_local_size: tuple[int, int]
    ir_local_size: tuple[int, int]
    global_crops: int = 2
    local_crops: int = 8
    global_scale: tuple[float, float] = (0.4, 1.0)
    local_scale: tuple[float, float] = (0.05, 0.4)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    flip: float = 0.5
    vertical_flip: float = 0.0
    jitter: float = 0.0

    def large(self, seed: int, epoch: Tensor, sample_id: Tensor) -> Crops:
        """The global crops; arguments as of `View`."""
        view = self._crop(self.rgb_size, self.ir_size, self.global_scale)
        crop_id = part_ids(sample_id, Stream.GLOBAL_CROPS, self.global_crops)
        return _crops(view, seed, epoch, crop_id)

    def small(self, seed: int, epoch: Tensor, sample_id: Tensor) -> Crops | None:
        """The local crops, None if there are none; arguments as of `View`."""
        if self.local_crops == 0:
            return None
        view = self._crop(self.rgb_local_size, self.ir_local_size, self.local_scale)
        crop_id = part_ids(sample_id, Stream.LOCAL_CROPS, self.local_crops)
        return _crops(view, seed, epoch, crop_id)

    def _crop(
        self, rgb_size: tuple[int, int], ir_size: tuple[int, int], scale: tuple[float, float]
    ) -> PairedCrop:
        return PairedCrop(rgb_size, ir_size, scale, self.ratio, self.flip, self.vertical_flip, self.jitter)


def _crops(view: PairedCrop, seed: int, epoch: Tensor, crop_id: Tensor) -> Crops:
    """All crops of a resolution; crop_id is (N, B)."""
    each = view.crops(seed, epoch.expand_as(crop_id).flatten(), crop_id.flatten())
    return replace(each, pairs=crop_id.shape[1])
