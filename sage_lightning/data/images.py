"""Pictures of collections that are not Sage's: any size, grey or colour, thermal as image, matrix or text."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from sage_lightning.data import quarantine
from sage_lightning.data.quarantine import Unusable, bytes_of
from sage_lightning.data.resample import crop_resize_missing
from sage_lightning.data.texts import read_matrix
from sage_lightning.data.tiff import MAGIC, is_right, read_tiff

# Grey levels by which the channels of a grey picture that was kept as colour may differ, on average: JPEG.
_SAME_CHANNELS = 3.0
_MOST_CHANNELS = 4  # colours and transparency; a longer last axis is one of pixels


def read_picture(path: Path, size: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W, 3) of `size`, averaged over areas; grey becomes three equal channels, transparency is left out.

    Raises:
        Unusable: "truncated"; or "unreadable", as a picture of real numbers or signed bytes is: nothing
            says what is white.
    """
    image = _parsed(bytes_of(path))
    if image.mode == "F":
        raise Unusable(quarantine.UNREADABLE)
    if image.mode.startswith("I"):  # 16-bit grey, of which the upper half is kept
        levels = np.asarray(image, dtype=np.float64)
        image = Image.fromarray(np.clip(levels / 257, 0, 255).astype(np.uint8))
    image = image.convert("RGB")
    down = image.height >= size[0] and image.width >= size[1]
    how = Image.Resampling.BOX if down else Image.Resampling.BILINEAR
    return np.asarray(image.resize((size[1], size[0]), how))


def read_thermal(
    path: Path,
    size: tuple[int, int],
    scale: float,
    offset: float,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> NDArray[np.float32]:
    """(h, w) of `size`: the file's numbers · scale + offset, averaged over areas, NaN where missing.

    What lies outside of `bounds` is missing too.

    Raises:
        Unusable: "unreadable", "truncated", "all NaN", "out of range" where bounds leave nothing, or "false
            colour" where channels differ.
    """
    numbers = _matrix(path) * scale + offset
    numbers[~(np.abs(numbers) <= np.finfo(np.float32).max)] = np.nan  # no number that a store could keep
    if np.isnan(numbers).all():
        raise Unusable(quarantine.ALL_NAN)
    numbers[(numbers < bounds[0]) | (numbers > bounds[1])] = np.nan
    if np.isnan(numbers).all():
        raise Unusable(quarantine.OUT_OF_RANGE)
    if numbers.shape == size:
        return numbers.astype(np.float32)
    whole = torch.tensor([[0.0, 0.0, 1.0, 1.0]], dtype=torch.float64)
    resized = crop_resize_missing(
        torch.from_numpy(numbers)[None], whole, size, torch.zeros(1, dtype=torch.bool)
    )
    return resized[0].numpy().astype(np.float32)


def _matrix(path: Path) -> NDArray[np.float64]:
    """The numbers as the file has them."""
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return read_matrix(path)
    data = bytes_of(path)
    try:
        found = (
            np.load(io.BytesIO(data), allow_pickle=False) if suffix == ".npy" else _numbers_of_picture(data)
        )
    except (ValueError, EOFError, OSError) as error:  # what NumPy says of a file that is none of its own
        raise Unusable(quarantine.UNREADABLE) from error
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "biuf":  # an archive of arrays, or texts
        raise Unusable(quarantine.UNREADABLE)
    return _one_channel(found)


def _one_channel(found: NDArray[Any]) -> NDArray[np.float64]:
    numbers = found.astype(np.float64)
    if numbers.ndim > 2:  # as torch and others keep a picture: (1, h, w), (h, w, 1) …
        numbers = numbers.squeeze()
    if numbers.ndim == 3 and numbers.shape[2] <= _MOST_CHANNELS:
        channels = numbers[..., :3] if numbers.shape[2] >= 3 else numbers[..., :1]
        if np.abs(channels - channels.mean(2, keepdims=True)).mean() > _SAME_CHANNELS:
            raise Unusable(quarantine.FALSE_COLOUR)
        numbers = channels.mean(2)
    if numbers.ndim != 2 or numbers.size == 0:
        raise Unusable(quarantine.UNREADABLE)
    return numbers


def _numbers_of_picture(data: bytes) -> NDArray[Any]:
    if data.startswith(MAGIC) and not _is_as_pillow_reads_it(data):
        return read_tiff(data)
    return np.asarray(_parsed(data))


def _is_as_pillow_reads_it(data: bytes) -> bool:
    try:
        return is_right(Image.open(io.BytesIO(data)))
    except (OSError, SyntaxError):
        return False


def _parsed(data: bytes) -> Image.Image:
    try:
        opened = Image.open(io.BytesIO(data))
        if not is_right(opened):
            raise Unusable(quarantine.UNREADABLE)
        opened.load()
        image = ImageOps.exif_transpose(opened)  # the way up that the camera noted
    except UnidentifiedImageError as error:
        raise Unusable(quarantine.UNREADABLE) from error
    except (OSError, SyntaxError) as error:
        short = "truncated" in str(error).lower()
        raise Unusable(quarantine.TRUNCATED if short else quarantine.UNREADABLE) from error
    return image.convert("RGB") if image.mode == "P" else image
