"""Changes of brightness and temperature, each sensor's own; nothing here moves a pixel.

No hue and no solarisation: the colour of the sky is content, and on degrees neither means anything.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from sage_lightning.data.counted import Stream, normal, uniform
from sage_lightning.data.resample import separable

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


@dataclass(frozen=True)
class Photometric:
    """Drawn for each pair from seed, epoch and sample id; a strength of 0 leaves its part untouched.

    Args:
        brightness: RGB is multiplied by a factor from 1 ± this.
        contrast: its distance from its mean luma likewise.
        saturation: its distance from its own luma likewise.
        gray: probability that RGB is its luma alone.
        blur: probability of a Gaussian blur of RGB.
        blur_sigma: bounds of the blur's standard deviation, in pixels of the view.
        ir_gain: a frame's distance from its mean is multiplied by a factor from 1 ± this.
        ir_offset: a frame is shifted by up to this, either way, in the collection's unit.
        ir_noise: standard deviation of noise added to every thermal pixel, in the collection's unit.
    """

    brightness: float = 0.4
    contrast: float = 0.4
    saturation: float = 0.2
    gray: float = 0.1
    blur: float = 0.0
    blur_sigma: tuple[float, float] = (0.1, 2.0)
    ir_gain: float = 0.1
    ir_offset: float = 1.0
    ir_noise: float = 0.1

    def rgb(self, rgb: Tensor, seed: int, epoch: Tensor, sample_id: Tensor) -> Tensor:
        """Changes B pictures, (B, 3, H, W), 0…1; epoch and sample_id are (B,)."""
        draws = uniform(seed, epoch, sample_id, Stream.RGB_COLOUR, 3)
        strength = draws.new_tensor([self.brightness, self.contrast, self.saturation])
        factors = (1 + (2 * draws - 1) * strength).to(rgb.dtype)[:, :, None, None, None].unbind(1)
        rgb = (rgb * factors[0]).clamp(0, 1)
        mean = _luma(rgb).mean((2, 3), keepdim=True)
        rgb = torch.lerp(mean, rgb, factors[1]).clamp(0, 1)
        rgb = torch.lerp(_luma(rgb), rgb, factors[2]).clamp(0, 1)
        gray = uniform(seed, epoch, sample_id, Stream.RGB_GRAY, 1) < self.gray
        rgb = torch.where(gray[:, :, None, None], _luma(rgb), rgb)
        if self.blur == 0:
            return rgb
        draws = uniform(seed, epoch, sample_id, Stream.RGB_BLUR, 2)
        low, high = self.blur_sigma
        sigma = (low + draws[:, 1] * (high - low)).to(rgb.dtype)
        blurred = separable(rgb, _gaussians(sigma, rgb.shape[2]), _gaussians(sigma, rgb.shape[3]))
        return torch.where((draws[:, 0] < self.blur)[:, None, None, None], blurred, rgb)

    def ir(self, degrees: Tensor, seed: int, epoch: Tensor, sample_id: Tensor) -> Tensor:
        """Changes B thermal frames, (B, h, w), NaN where missing; epoch and sample_id are (B,)."""
        gain = 1 + (2 * uniform(seed, epoch, sample_id, Stream.IR_GAIN, 1) - 1) * self.ir_gain
        offset = (2 * uniform(seed, epoch, sample_id, Stream.IR_OFFSET, 1) - 1) * self.ir_offset
        mean = degrees.nanmean((1, 2), keepdim=True)
        degrees = torch.lerp(mean, degrees, gain[:, :, None].to(degrees.dtype)) + offset[:, :, None]
        if self.ir_noise == 0:
            return degrees
        noise = normal(seed, epoch, sample_id, Stream.IR_NOISE, degrees.shape[1] * degrees.shape[2])
        return degrees + self.ir_noise * noise.view_as(degrees)


def _luma(rgb: Tensor) -> Tensor:
    """(B, 1, H, W)."""
    red, green, blue = rgb.unbind(1)
    return (_LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue)[:, None]


def _gaussians(sigma: Tensor, size: int) -> Tensor:
    """(B, size, size) matrices that blur a line of pixels with these (B,) standard deviations."""
    pixel = torch.arange(size, device=sigma.device, dtype=sigma.dtype)
    weight = torch.exp(-0.5 * ((pixel - pixel[:, None]) / sigma[:, None, None]).square())
    return weight / weight.sum(2, keepdim=True)
