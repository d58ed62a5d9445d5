"""The common look: both sensors as one grey channel in which a frame tells its pattern, not its units.

x ↦ (x − mean) / std over the frame itself, so that a picture and a thermal frame that show one pattern, up to
a factor above 0 and an offset, become the same input. Needs no degrees, nor statistics of a collection.
"""

import torch
from torch import Tensor

LOOKS = ("own", "common")
CHANNELS = 3  # equal ones: what a tower for pictures takes
_BOUND = 4.0  # standard deviations; the sun, or a broken pixel, is not to be all that a tower sees
_FLAT = 1e-6  # a standard deviation below this share of the largest value is rounding, and no pattern


def common_rgb(rgb: Tensor) -> Tensor:
    """(B, 3, H, W) colours to (B, 3, H, W): the mean of the three, standardised, three times."""
    return standard(rgb.mean(1, keepdim=True))


def common_ir(values: Tensor) -> Tensor:
    """(B, h, w) in any unit, NaN where missing, to (B, 3, h, w); what is missing is its frame's mean.

    A frame of which all is missing is 0.
    """
    mean = values.nanmean((1, 2), keepdim=True).nan_to_num()
    return standard(torch.where(values.isnan(), mean, values)[:, None])


def standard(grey: Tensor) -> Tensor:
    """(B, 1, H, W) to (B, 3, H, W): each frame with mean 0 and standard deviation 1, then held within ±4.

    A flat frame becomes 0.
    """
    largest = grey.abs().amax((2, 3), keepdim=True)
    centred = grey - grey.mean((2, 3), keepdim=True)
    std = centred.square().mean((2, 3), keepdim=True).sqrt()
    flat = std <= _FLAT * largest
    scaled = (centred / std.masked_fill(flat, 1.0)).masked_fill(flat, 0.0)
    return scaled.clamp(-_BOUND, _BOUND).expand(-1, CHANNELS, -1, -1)
