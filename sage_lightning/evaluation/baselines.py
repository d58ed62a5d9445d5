"""Features that need no learning, from the whole field of view. Shapes: B pairs, H, W and h, w pixels.

A claim of having learned something is worth what it has over these.
"""

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

CELLS = 16
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def gray(rgb: Tensor) -> Tensor:
    """(B, 3, H, W) uint8 → (B, H, W) brightness in 0..1."""
    weights = torch.tensor(LUMA, device=rgb.device).view(3, 1, 1)
    return (rgb.float() * weights).sum(1) / 255


def mean_and_spread(image: Tensor) -> Tensor:
    """(B, 2) mean and standard deviation of (B, h, w) images, NaN left out; a frame of only NaN gives 0."""
    valid = ~image.isnan()
    count = valid.sum((1, 2)).clamp_min(1)
    filled = image.nan_to_num(nan=0.0)
    mean = filled.sum((1, 2)) / count
    deviation = (filled - mean[:, None, None]) * valid
    return torch.stack([mean, (deviation.square().sum((1, 2)) / count).sqrt()], dim=1)


def gradient_grid(image: Tensor) -> Tensor:
    """Where the edges are: gradient magnitudes averaged in 16 x 16 cells, square-rooted.

    On pixel-aligned pairs this alone retrieves the partner well, since edges stay where they are from one
    sensor to the other. NaN pixels have no gradient.

    Args:
        image: (B, h, w) brightness or degrees.

    Returns:
        (B, 256); compare by cosine.
    """
    vertical, horizontal = torch.gradient(image, dim=(1, 2))
    magnitude = (vertical.square() + horizontal.square()).sqrt().nan_to_num(nan=0.0)
    return adaptive_avg_pool2d(magnitude[:, None], CELLS).flatten(1).sqrt()


def pixel_features(rgb: Tensor, degrees: Tensor) -> dict[str, Tensor]:
    """All of them, for both sensors.

    Args:
        rgb: (B, 3, H, W) uint8.
        degrees: (B, h, w), NaN where missing.

    Returns:
        rgb_mean and ir_mean, (B, 2) mean and spread; rgb_gradients and ir_gradients, (B, 256).
    """
    features = {}
    for sensor, image in (("rgb", gray(rgb)), ("ir", degrees.float())):
        features[f"{sensor}_mean"] = mean_and_spread(image)
        features[f"{sensor}_gradients"] = gradient_grid(image)
    return features
