"""The side-by-side JPEG: optical picture on the left, thermal picture as false colours on the right."""

import io
import math
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sage_lightning.sage.jpeg import hole
from sage_lightning.sage.names import parse_name

Reason = Literal["unreadable", "truncated", "missing half", "wrong size"]

# Left, top, right, bottom of the thermal field of view, as fractions of the optical half: the best published
# alignment by hand, for one camera. It depends on the mounting.
CROP_BOX = (685 / 3072, 215 / 2048, 2627 / 3072, 1808 / 2048)

# Decoders can leave out detail at these scales and are then as many times faster.
_DECODER_SCALES = (8, 4, 2)

_PLAIN = 2  # levels within which a half holds nothing; the darkest night has more noise
_SEAM = 16  # pixels beside the other half, which JPEG's blocks mix
_FEW = (48, 16)  # pixels that are looked at first


class PictureError(ValueError):
    """A picture that must not be used; `reason` says in a word why."""

    def __init__(self, path: Path, reason: Reason) -> None:
        super().__init__(path, reason)  # both of them, so that it can be pickled across processes
        self.reason: Reason = reason

    def __str__(self) -> str:
        path, reason = self.args
        return f"{path}: {reason}"


def read_optical(
    path: str | Path,
    crop_box: tuple[float, float, float, float] = CROP_BOX,
    size: tuple[int, int] | None = None,
    masks: Sequence[tuple[float, float, float, float]] = (),
) -> NDArray[np.uint8]:
    """What the optical sensor saw within the box, (H, W, 3), averaged over areas down to `size`.

    Args:
        path: the side-by-side picture.
        crop_box: left, top, right, bottom, as fractions of the optical half; see `CROP_BOX`.
        size: (H, W) in pixels; None for as many as the box has in the file.
        masks: parts of the optical half, as fractions of it, that hold on-screen drawings. They get the mean
            colour of the rest.

    Raises:
        PictureError: "unreadable", which a part lost to zeros is, too; "truncated"; "missing half" where the
            picture is too narrow for two, or nothing is in one; "wrong size" where its name says another.
    """
    path = Path(path)
    return parse_optical(path.read_bytes(), path, crop_box, size, masks)


def parse_optical(
    data: bytes,
    path: Path,
    crop_box: tuple[float, float, float, float] = CROP_BOX,
    size: tuple[int, int] | None = None,
    masks: Sequence[tuple[float, float, float, float]] = (),
) -> NDArray[np.uint8]:
    """What `read_optical` gives for a file that holds `data`; the name of `path` says a size."""
    with _open(path, io.BytesIO(data)) as image:
        _refuse_other_sizes(path, image)
        if lost := hole(data):
            raise PictureError(path, lost)
        left, top, right, bottom = crop_box
        rows, columns = (bottom - top) * image.height, (right - left) * image.width / 2
        size = size or (max(1, round(rows)), max(1, round(columns)))
        for scale in _DECODER_SCALES:
            if rows >= scale * size[0] and columns >= scale * size[1]:
                image.draft("RGB", (image.width // scale, image.height // scale))
                break
        _load(path, image)
        if _half_is_empty(image):  # at this scale; noise averages out
            with _open(path, io.BytesIO(data)) as whole:
                _load(path, whole)
                if _half_is_empty(whole):
                    raise PictureError(path, "missing half")
        half = image.width / 2
        box = (left * half, top * image.height, right * half, bottom * image.height)
        optical = image.convert("RGB").resize((size[1], size[0]), Image.Resampling.BOX, box=box)
    return _masked(np.array(optical), masks, crop_box) if masks else np.asarray(optical)


def _refuse_other_sizes(path: Path, image: Image.Image) -> None:
    if image.width < 2 * image.height:
        raise PictureError(path, "missing half")
    said = parse_name(path.name, None)
    if said is not None and said.width is not None and (said.width, said.height) != image.size:
        raise PictureError(path, "wrong size")


def _load(path: Path, image: Image.Image) -> None:
    try:
        image.load()
    except (OSError, SyntaxError) as error:
        raise PictureError(path, _reason(error)) from error


def _half_is_empty(image: Image.Image) -> bool:
    """Whether one half is of one colour all over."""
    half = image.width // 2
    seam = min(_SEAM, half // 4)
    boxes = ((0, 0, half - seam, image.height), (image.width - half + seam, 0, image.width, image.height))
    return any(
        _is_plain(image.resize(_FEW, Image.Resampling.NEAREST, box=box)) and _is_plain(image.crop(box))
        for box in boxes
    )


def _is_plain(part: Image.Image) -> bool:
    return int(np.ptp(np.asarray(part), axis=(0, 1)).max()) <= _PLAIN


def _masked(
    optical: NDArray[np.uint8],
    masks: Sequence[tuple[float, float, float, float]],
    crop_box: tuple[float, ...],
) -> NDArray[np.uint8]:
    """Fills every pixel that a mask touches; `optical` is what lies within the box."""
    rows, columns = optical.shape[:2]
    left, top, right, bottom = crop_box
    hidden = np.zeros((rows, columns), dtype=bool)
    for mask in masks:
        x = [(edge - left) / (right - left) * columns for edge in mask[0::2]]
        y = [(edge - top) / (bottom - top) * rows for edge in mask[1::2]]
        hidden[
            max(0, math.floor(y[0])) : max(0, math.ceil(y[1])),
            max(0, math.floor(x[0])) : max(0, math.ceil(x[1])),
        ] = True
    if hidden.any() and not hidden.all():
        optical[hidden] = optical[~hidden].mean(0).round().astype(np.uint8)
    return optical


def picture_size(path: Path) -> tuple[int, int]:
    """(W, H) in pixels, both halves together, from the header alone.

    Raises:
        PictureError: "unreadable".
    """
    path = Path(path)
    with path.open("rb") as file, _open(path, file) as image:
        return image.size


def _open(path: Path, file: IO[bytes]) -> Image.Image:
    try:
        with warnings.catch_warnings():
            # 6144x2048 is what these cameras make; it is no decompression bomb.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return Image.open(file, formats=["JPEG"])
    except (OSError, SyntaxError) as error:
        raise PictureError(path, _reason(error)) from error


def _reason(error: Exception) -> Reason:
    # Pillow has no other sign of a decoder that runs out of data.
    return "truncated" if "truncated" in str(error).lower() else "unreadable"
