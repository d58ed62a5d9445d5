"""The common look: both sensors as one grey channel in which a frame tells its pattern, not its units.

x ↦ (x − mean) / std over the frame itself, so that a picture and a thermal frame that show one pattern, up to
a factor above 0 and an offset, become the same input. Needs no degrees, nor statistics of a collection.

What it takes away, how warm or bright a frame is and how much it varies, a tower cannot tell: `levels` tells.
"""

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

LOOKS = ("own", "common")
CHANNELS = 3  # equal ones: what a tower for pictures takes
_BOUND = 4.0  # standard deviations; the sun, or a broken pixel, is not to be all that a tower sees
_FLAT = 1e-6  # a standard deviation below this share of the largest value is rounding, and no pattern
_FAINTEST = 1e-2  # of the collection's standard deviation: a flat frame's logarithm is to be a number


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


def levels(channels: Tensor, regions: int) -> Tensor:
    """What standardising takes away of frames in their own look, (B, C, H, W) to (B, C · (regions² + 1)).

    Each part's mean, of regions × regions, which tells colours too; then the log of each channel's standard
    deviation over the frame. As large as 1 in an ordinary frame, since their own look is standard over all.
    """
    means = adaptive_avg_pool2d(channels, regions).flatten(1)
    spread = channels.flatten(2).std(2, correction=0)
    return torch.cat([means, spread.clamp_min(_FAINTEST).log()], dim=1)
