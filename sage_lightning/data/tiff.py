"""Numbers of TIFF files that Pillow has no mode for, or reads as others: what NumPy and GDAL write.

Pillow refuses floats of 16 and 64 bits, takes −1 of 8 bits for 255, and leaves the bytes of compressed
numbers in the order of another machine. tifffile reads these, uncompressed or deflated; LZW it does not know.
"""

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from sage_lightning.data import quarantine
from sage_lightning.data.quarantine import Unusable

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_BITS, _ORIENTATION, _FORMAT = 258, 274, 339  # tags
_UNSIGNED, _SIGNED, _FLOAT = 1, 2, 3
_RIGHT = {(_UNSIGNED, 1), (_UNSIGNED, 8), (_UNSIGNED, 16)}  # by Pillow
_RIGHT_IN_ORDER = {(_SIGNED, 16), (_SIGNED, 32), (_FLOAT, 32)}  # as far as the low byte comes first
_DEFLATED = (tifffile.COMPRESSION.ADOBE_DEFLATE, tifffile.COMPRESSION.DEFLATE)
_UPRIGHT: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {  # of an array whose orientation is the key
    2: np.fliplr,
    3: lambda array: np.rot90(array, 2),
    4: np.flipud,
    5: lambda array: array.swapaxes(0, 1),
    6: lambda array: np.rot90(array, -1),
    7: lambda array: np.rot90(array, 2).swapaxes(0, 1),
    8: np.rot90,
}

tifffile.logger().disabled = True  # what it says of a damaged file is the reason that the index has


def is_right(image: Image.Image) -> bool:
    """Whether Pillow gives the numbers that the file has, whatever kind of file it is."""
    if not isinstance(image, TiffImageFile):
        return True
    tags = image.tag_v2
    bits, formats = tags.get(_BITS, (1,)), tags.get(_FORMAT, (_UNSIGNED,))
    kinds = {(kind, size) for kind in formats for size in bits}
    return kinds <= (_RIGHT | _RIGHT_IN_ORDER if tags.prefix == b"II" else _RIGHT)


def read_tiff(data: bytes) -> NDArray[Any]:
    """(h, w), or (h, w, channels), of the first picture, the way up that its file notes.

    Raises:
        Unusable: "truncated", or "unreadable", as what is compressed otherwise is.
    """
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            page = file.pages.first
            known = page.compression in (tifffile.COMPRESSION.NONE, *_DEFLATED)
            if not known or page.size > (Image.MAX_IMAGE_PIXELS or np.inf):
                raise Unusable(quarantine.UNREADABLE)
            array = page.asarray()
            orientation = page.tags.valueof(_ORIENTATION, 1)
    except (
        ValueError,
        LookupError,
        TypeError,
        struct.error,
        zlib.error,
    ) as error:  # of damaged tags, or data
        short = any(words in str(error) for words in ("failed to read", "truncated"))
        raise Unusable(quarantine.TRUNCATED if short else quarantine.UNREADABLE) from error
    return _UPRIGHT.get(orientation, np.asarray)(array)
