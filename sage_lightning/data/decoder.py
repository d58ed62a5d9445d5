"""Files → a decoded pair, or the reason why there is none."""

from dataclasses import dataclass
from io import BytesIO
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from sage_lightning.data import centikelvin, quarantine
from sage_lightning.data.files import NO_TIME
from sage_lightning.data.shards import Frame, moments, sha256_of
from sage_lightning.data.source import PairFiles, PairSource

Digests = tuple[bytes, bytes]  # the sha256 of a pair's picture and thermal file

_QUALITY = 95  # of JPEGs, with colours at full resolution


@dataclass(frozen=True)
class Decoder:
    """Decodes one pair into what a shard keeps. It is sent to processes, so it pickles.

    Args:
        source: whose files they are.
        rgb_size: (H, W) wanted.
        ir_size: (h, w); a thermal picture of another size is not used.
        rgb_kind: "raw" pixels, or "jpeg", a tenth of the bytes.
    """

    source: PairSource
    rgb_size: tuple[int, int]
    ir_size: tuple[int, int]
    rgb_kind: Literal["raw", "jpeg"] = "raw"

    def __call__(self, pair: PairFiles) -> Frame | str:
        """The decoded pair, or the reason why there is none."""
        try:
            rgb, ir = self.source.read(pair, self.rgb_size)
        except quarantine.Unusable as error:
            return error.reason
        if ir.shape != self.ir_size:
            return quarantine.WRONG_SIZE
        if reason := nothing_in(ir):
            return reason
        exact = centikelvin.encode(ir) if self.source.thermal_unit == "celsius" else None
        kept, rgb = self._kept(rgb)
        try:
            digests = [sha256_of(self.source.root / path) for path in (pair.rgb_path, pair.ir_path)]
        except OSError:  # it could be read a moment ago
            return quarantine.NOT_READ
        content = np.frombuffer(bytes.fromhex("".join(digests)), np.uint8).reshape(2, -1)
        return Frame(kept, ir if exact is None else exact, moments(rgb, ir), content)

    def _kept(self, rgb: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """What the store keeps of a picture, and what it gives back."""
        if self.rgb_kind == "raw":
            return rgb, rgb
        file = BytesIO()
        Image.fromarray(rgb).save(file, "JPEG", quality=_QUALITY, subsampling="4:4:4")
        return np.frombuffer(file.getvalue(), np.uint8), np.asarray(Image.open(file))


def nothing_in(ir: NDArray[np.float32]) -> str:
    """The reason why a thermal picture that can be read, (h, w), tells nothing; "" where it does."""
    if np.isnan(ir).all():
        return quarantine.ALL_NAN
    return quarantine.FLAT if np.nanmin(ir) == np.nanmax(ir) else ""


def pair_files_of(pairs: pd.DataFrame) -> list[PairFiles]:
    """What a source needs to decode these rows of an index."""
    times = pairs["time"].dt.as_unit("ns").astype("int64").where(pairs["time"].notna(), NO_TIME)
    columns = (pairs["rgb_path"], pairs["ir_path"], pairs["node"], times)
    return [PairFiles(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]
