"""All crops of a batch, each by itself, so that it stays in a processor's cache until it is done.

Threads share crops among them; what a crop becomes does not depend on how many there are.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sage_lightning.data.kernels.blurring import blur
from sage_lightning.data.kernels.colours import brighten, recolour
from sage_lightning.data.kernels.degrees import temper
from sage_lightning.data.kernels.memory import Kept
from sage_lightning.data.kernels.noise import add_noise
from sage_lightning.data.kernels.sampling import sample_frame, sample_picture
from sage_lightning.data.kernels.taps import room, write_taps
from sage_lightning.data.photometric import LUMA, SHARP, Changes, blur_reach
from sage_lightning.data.resample import Cut

Array = NDArray[np.float32]

_MEMORY = Kept()


def picture_crops(
    pictures: Tensor, cut: Cut, changes: Changes, mean: list[float], std: list[float]
) -> Tensor:
    """Cuts, changes and normalises.

    Args:
        pictures: (B, 3, H, W), uint8, or float32 in 0…1, on the CPU.
        cut: how.
        changes: of each crop.
        mean: of each colour.
        std: likewise.

    Returns:
        (N·B, 3, h, w), round by round.
    """
    count, (h, w), size_in = len(cut.boxes), cut.size, pictures.shape[2:]
    stored = _planes(pictures)
    sample = sample_picture[str(stored.dtype)]
    unit = 1.0 if pictures.is_floating_point() else 1 / 255
    centre, scale = np.array(mean, np.float32), np.float32(1) / np.array(std, np.float32)
    luma = np.array(LUMA, np.float32)
    factors = torch.stack([changes.brightness, changes.contrast, changes.saturation], 1).tolist()
    gray, sigmas = changes.gray.tolist(), changes.sigma.tolist()
    seen = _MEMORY.empty(count, 3, h, w)
    out = seen.numpy()

    def work(crops: range) -> None:
        filters = _Filters(cut, size_in)
        line = np.zeros(3 * (size_in[1] + filters.column_weights.shape[1]), np.float32)
        crop, sums = np.empty((h, 3 * w), np.float32), np.empty(3 * w, np.float32)
        middle = np.empty((h, w), np.float32)
        for i in crops:
            sample(stored[i % len(stored)], *filters.of(i), unit, line, crop)
            brightness, contrast, saturation = factors[i]
            brighten(crop, brightness, sums)
            recolour(crop, sums, luma, contrast, saturation, gray[i], centre, scale, out[i])
            if sigmas[i] > 0:
                reach = blur_reach(sigmas[i])
                weights = np.exp(-0.5 * (np.arange(reach + 1) / max(sigmas[i], SHARP)) ** 2)
                blur(out[i], weights.astype(np.float32), middle, np.empty(w + 2 * reach, np.float32))

    _share(count, work)
    return seen


def frame_crops(frames: Tensor, cut: Cut, changes: Changes, noise: float) -> Tensor:
    """Cuts and changes.

    Args:
        frames: (B, h, w) on the CPU: uint16 hundredths of a kelvin, 0 where missing; or float32, NaN there.
        cut: how.
        changes: of each crop.
        noise: standard deviation.

    Returns:
        (N·B, *size), round by round, °C or the unit of `frames`, NaN where missing.
    """
    count, (h, w), size_in = len(cut.boxes), cut.size, frames.shape[1:]
    stored = frames.contiguous().numpy()
    sample, coded = sample_frame[str(stored.dtype)], not frames.is_floating_point()
    least = stored.min(axis=(1, 2))
    complete = (least > 0 if coded else ~np.isnan(least)).tolist()
    gains, offsets, keys = changes.gain.tolist(), changes.offset.tolist(), changes.noise.tolist()
    even = h * w + h * w % 2  # normal numbers are drawn in pairs
    seen = torch.empty(count, h, w)
    out = seen.numpy()

    def work(crops: range) -> None:
        filters = _Filters(cut, size_in)
        lines = np.zeros((2, size_in[1] + filters.column_weights.shape[1]), np.float32)
        flat, sums = np.empty(even, np.float32), np.empty((2, w), np.float32)
        crop = flat[: h * w].reshape(h, w)
        for i in crops:
            frame = i % len(stored)
            sample(stored[frame], coded, complete[frame], *filters.of(i), lines, crop)
            temper(crop, coded, gains[i], offsets[i], sums)
            if noise > 0:
                add_noise(flat, keys[i], noise)
            out[i] = crop

    _share(count, work)
    return seen


class _Filters:
    """The filters of rows and columns of one crop after another, in the same memory."""

    def __init__(self, cut: Cut, size_in: tuple[int, ...]) -> None:
        self.boxes, self.size_in = cut.boxes.tolist(), size_in
        self.turned = (cut.upset.tolist(), cut.flip.tolist())
        self.rows, self.columns = (np.empty(n, np.int64) for n in cut.size)
        self.row_weights, self.column_weights = (
            np.empty((n, room(whole, n)), np.float32) for n, whole in zip(cut.size, size_in, strict=True)
        )

    def of(self, crop: int) -> tuple[NDArray[np.int64], Array, NDArray[np.int64], Array]:
        """As `sampling` takes them, until the next call."""
        top, left, height, width = self.boxes[crop]
        upset, flip = self.turned[0][crop], self.turned[1][crop]
        write_taps(top, height, self.size_in[0], upset, self.rows, self.row_weights)
        write_taps(left, width, self.size_in[1], flip, self.columns, self.column_weights)
        return self.rows, self.row_weights, self.columns, self.column_weights


def _planes(pictures: Tensor) -> NDArray[np.generic]:
    """(B, 3, H, W) as (B, 1, H, 3·W) where colours lie side by side, as the store has them."""
    if pictures.is_contiguous():
        return pictures.numpy()
    return pictures.permute(0, 2, 3, 1).flatten(2).contiguous()[:, None].numpy()


def _share(count: int, work: Callable[[range], None]) -> None:
    """Has as many threads as torch's do the work on `count` crops; they live no longer, so a fork is safe."""
    threads = min(torch.get_num_threads(), count)
    if threads <= 1:
        work(range(count))
        return
    parts = [range(count)[first::threads] for first in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(work, parts):
            pass
