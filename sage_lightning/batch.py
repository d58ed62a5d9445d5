"""A batch of RGB/thermal pairs, and the legend of shapes for the whole package.

B pairs; 3 colours and C_ir thermal channels; H, W pixels of an RGB crop; h, w of a thermal crop; D features.
`embedding` is what a backbone gives, (B, D): evaluation uses it. `projection` is what a head gives, (B, P):
the loss uses it. Row i of every tensor of a batch belongs to the same pair, always.
"""

from typing import NamedTuple

from torch import Tensor


class PairBatch(NamedTuple):
    """B pairs, as the store gives them and then, after the DataModule's transfer hook, as a model takes them.

    Attributes:
        rgb: (B, 3, H, W); uint8 from the store, normalised float32 after the hook.
        ir: (B, h, w) from the store, uint16 hundredths of a kelvin (0 is missing) or float32 in the
            collection's unit (NaN is missing); (B, C_ir, h, w) normalised float32 after the hook.
        sample_id: (B,) int64, a hash of the pair id: the same for a pair in any subset, order or machine.
        epoch: (B,) int64, the epoch that this sample is drawn for; with the seed and `sample_id` it fixes
            every random choice made for the sample.
        row: (B,) int64, the pair's row in the split's index table.
    """

    rgb: Tensor
    ir: Tensor
    sample_id: Tensor
    epoch: Tensor
    row: Tensor


class MultiCropBatch(NamedTuple):
    """B pairs seen through G global and L local crops, as a method takes them.

    Crop g of both sensors is the same field of view.

    Attributes:
        rgb: (G, B, 3, H, W), normalised float32.
        ir: (G, B, C_ir, h, w).
        rgb_local: (L, B, 3, H_local, W_local); L may be 0.
        ir_local: (L, B, C_ir, h_local, w_local).
        sample_id: (B,) int64, as in `PairBatch`.
        epoch: (B,) int64.
        row: (B,) int64.
    """

    rgb: Tensor
    ir: Tensor
    rgb_local: Tensor
    ir_local: Tensor
    sample_id: Tensor
    epoch: Tensor
    row: Tensor
