"""Changes of style: what a sensor makes of a scene is drawn anew for each crop, where its edges lie stays.

For frames in the common look (`data.look`), whose numbers mean nothing by themselves: warm may be bright or
dark. A tower that is to know a crop again through such changes cannot count on how one sensor shows it.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from sage_lightning.data.counted import Stream, normal, uniform
from sage_lightning.data.look import standard


@dataclass(frozen=True)
class Style:
    """Drawn for each crop and sensor from seed, epoch and crop id; applied in this order, then standardised.

    Args:
        invert: probability that dark and bright change places.
        shift: the frame is shifted by up to this, either way, in its standard deviations: the next change
            bends it about another value.
        power: bounds of the exponent, drawn log-uniformly, that x ↦ sign(x)·|x|^exponent bends the frame by.
        blur: probability of a mean over 3 × 3 pixels.
        noise: largest standard deviation of noise added to every pixel, in the frame's; drawn uniformly.
    """

    invert: float = 0.5
    shift: float = 0.9
    power: tuple[float, float] = (0.45, 2.2)
    blur: float = 0.5
    noise: float = 0.3

    def rgb(self, frames: Tensor, seed: int, epoch: Tensor, crop_id: Tensor) -> Tensor:
        """Changes B pictures in the common look, (B, 3, H, W); epoch and crop_id are (B,)."""
        return self._changed(frames, seed, epoch, crop_id, Stream.RGB_STYLE, Stream.RGB_STYLE_NOISE)

    def ir(self, frames: Tensor, seed: int, epoch: Tensor, crop_id: Tensor) -> Tensor:
        """Changes B thermal frames in the common look, (B, 3, h, w); the rest as of `rgb`."""
        return self._changed(frames, seed, epoch, crop_id, Stream.IR_STYLE, Stream.IR_STYLE_NOISE)

    def _changed(
        self, frames: Tensor, seed: int, epoch: Tensor, crop_id: Tensor, stream: int, noise_stream: int
    ) -> Tensor:
        grey = frames[:, :1]
        draws = uniform(seed, epoch, crop_id, stream, 5).to(grey.dtype)
        invert, shift, power, blur, noise = draws[:, :, None, None, None].unbind(1)
        grey = torch.where(invert < self.invert, -grey, grey) + (2 * shift - 1) * self.shift
        low, high = map(math.log, self.power)
        grey = grey.sign() * grey.abs().pow((low + power * (high - low)).exp())
        smooth = avg_pool2d(grey, 3, stride=1, padding=1, count_include_pad=False)
        grey = torch.where(blur < self.blur, smooth, grey)
        if self.noise > 0:
            pixels = normal(seed, epoch, crop_id, noise_stream, grey[0].numel()).view_as(grey)
            grey = grey + self.noise * noise * pixels
        return standard(grey)
