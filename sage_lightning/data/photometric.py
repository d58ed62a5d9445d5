"""Changes of brightness and temperature, each sensor's own; nothing here moves a pixel.

No hue and no solarisation: the colour of the sky is content, and on degrees neither means anything.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from sage_lightning.data.counted import Stream, key, normal_of, uniform
from sage_lightning.data.missing import complete
from sage_lightning.data.resample import Taps, separable

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
_BLUR_REACH = 6.0  # standard deviations: what lies beyond has no weight in float32
SHARP = 1e-3  # pixels: a standard deviation that leaves a picture as it is


class Changes(NamedTuple):
    """What was drawn for B pairs, (B,) each.

    Attributes:
        brightness: factor of RGB, as the next two.
        contrast: of the distance from the mean luma.
        saturation: of the distance from a pixel's own luma.
        gray: bool, whether the luma is all that is left.
        sigma: of the blur, in pixels of the view; 0 for none.
        gain: of a thermal frame's distance from its mean.
        offset: of a thermal frame, in the collection's unit.
        noise: int64, from which the noise of a thermal frame is drawn.
    """

    brightness: Tensor
    contrast: Tensor
    saturation: Tensor
    gray: Tensor
    sigma: Tensor
    gain: Tensor
    offset: Tensor
    noise: Tensor


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

    def draw(self, seed: int, epoch: Tensor, sample_id: Tensor) -> Changes:
        """What becomes of B pairs; epoch and sample_id are (B,)."""
        keys = (seed, epoch, sample_id)
        colour = 2 * uniform(*keys, Stream.RGB_COLOUR, 3) - 1
        gray = uniform(*keys, Stream.RGB_GRAY, 1)[:, 0] < self.gray
        blur = uniform(*keys, Stream.RGB_BLUR, 2)
        low, high = self.blur_sigma
        return Changes(
            brightness=1 + colour[:, 0] * self.brightness,
            contrast=1 + colour[:, 1] * self.contrast,
            saturation=1 + colour[:, 2] * self.saturation,
            gray=gray,
            sigma=torch.where(blur[:, 0] < self.blur, low + blur[:, 1] * (high - low), 0.0),
            gain=1 + (2 * uniform(*keys, Stream.IR_GAIN, 1)[:, 0] - 1) * self.ir_gain,
            offset=(2 * uniform(*keys, Stream.IR_OFFSET, 1)[:, 0] - 1) * self.ir_offset,
            noise=key(*keys, Stream.IR_NOISE),
        )

    def rgb(self, rgb: Tensor, changes: Changes) -> Tensor:
        """Changes B pictures, (B, 3, H, W), 0…1, in place where it can."""
        brightness, contrast, saturation = (
            factor.to(rgb.dtype)[:, None, None, None]
            for factor in (changes.brightness, changes.contrast, changes.saturation)
        )
        rgb.mul_(brightness).clamp_(0, 1)
        mean = _luma(rgb.mean((2, 3), keepdim=True))
        rgb.mul_(contrast).add_(mean * (1 - contrast)).clamp_(0, 1)
        luma = _luma(rgb)
        rgb.mul_(saturation).add_(luma.mul_(1 - saturation)).clamp_(0, 1)
        rgb.copy_(torch.where(changes.gray[:, None, None, None], _luma(rgb), rgb))
        return rgb if self.blur == 0 else self._blurred(rgb, changes.sigma.to(rgb.dtype))

    def _blurred(self, rgb: Tensor, sigma: Tensor) -> Tensor:
        """Those with a sigma above 0; another's matrices would leave it as it is."""
        if rgb.device.type != "cpu":  # which they are is not known there without waiting
            return self._smoothed(rgb, sigma)
        drawn = sigma.nonzero()[:, 0]
        if len(drawn):
            rgb[drawn] = self._smoothed(rgb[drawn], sigma[drawn])
        return rgb

    def _smoothed(self, rgb: Tensor, sigma: Tensor) -> Tensor:
        radius = blur_reach(self.blur_sigma[1])
        rows, columns = (_gaussians(sigma, size, min(radius, size - 1)) for size in rgb.shape[2:])
        return separable(rgb, rows, columns)

    def ir(self, degrees: Tensor, changes: Changes) -> Tensor:
        """Changes B thermal frames, (B, h, w), NaN where missing, in place."""
        gain, offset = (part.to(degrees.dtype)[:, None, None] for part in (changes.gain, changes.offset))
        average = torch.mean if complete(degrees) else torch.nanmean
        mean = average(degrees, (1, 2), keepdim=True)
        degrees.mul_(gain).add_(mean * (1 - gain) + offset)
        if self.ir_noise == 0:
            return degrees
        noise = normal_of(changes.noise, degrees.shape[1] * degrees.shape[2])
        return degrees.add_(noise.view_as(degrees), alpha=self.ir_noise)


NOTHING = Photometric(
    brightness=0.0, contrast=0.0, saturation=0.0, gray=0.0, ir_gain=0.0, ir_offset=0.0, ir_noise=0.0
)


def blur_reach(sigma: float) -> int:
    """How many pixels away there still is any weight."""
    return math.ceil(_BLUR_REACH * sigma)


def _luma(rgb: Tensor) -> Tensor:
    """(B, 1, H, W)."""
    red, green, blue = rgb.unbind(1)
    return (LUMA[0] * red).add_(green, alpha=LUMA[1]).add_(blue, alpha=LUMA[2])[:, None]


def _gaussians(sigma: Tensor, size: int, radius: int) -> Taps:
    """Matrices that blur a line of pixels with these (B,) standard deviations."""
    step = torch.arange(-radius, radius + 1, device=sigma.device)
    pixel = torch.arange(size, device=sigma.device)[:, None] + step
    weight = torch.exp(-0.5 * (step / sigma.clamp_min(SHARP)[:, None]).square())[:, None]
    weight = weight * ((pixel >= 0) & (pixel < size))
    pixel = pixel.clamp(0, size - 1).expand(len(sigma), -1, -1)
    return Taps(pixel, weight / weight.sum(2, keepdim=True))
