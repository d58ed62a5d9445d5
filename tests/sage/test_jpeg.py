"""Zeros in a JPEG: what a disk has lost is told, and what its own tables write is not."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from sage_lightning.sage.jpeg import hole
from sage_lightning.sage.picture import PictureError, read_optical

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 200, (512, 1536, 3), dtype=np.uint8)
SKY = np.full((1024, 2048, 3), 255, np.uint8)  # over-exposed, with a little ground
SKY[960:] = RNG.integers(0, 200, (64, 2048, 3))


def jpeg(pixels: NDArray[np.uint8], **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=85, **options)
    return file.getvalue()


def lost(data: bytes, start: float, count: int) -> bytes:
    """Zeros from that share of the file on."""
    first = int(start * len(data))
    return data[:first] + bytes(count) + data[first + count :]


@pytest.mark.parametrize(
    "options", [{}, {"optimize": True}, {"subsampling": "4:4:4"}, {"comment": bytes(9999)}]
)
@pytest.mark.parametrize("start", [0.3, 0.5, 0.8])
@pytest.mark.parametrize("count", [1024, 65_536])
def test_a_hole_is_seen_wherever_it_is(options: dict[str, Any], start: float, count: int) -> None:
    whole = jpeg(NOISE, **options)
    assert hole(whole) is None
    assert hole(lost(whole, start, min(count, int(0.15 * len(whole))))) == "unreadable"


def test_decoders_do_not_see_it_and_it_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(lost(jpeg(NOISE), 0.5, 65_536))
    with Image.open(path) as image:
        image.load()
    with pytest.raises(PictureError, match="unreadable"):
        read_optical(path)


def test_zeros_up_to_the_end_are_a_cut(tmp_path: Path) -> None:
    whole = jpeg(NOISE)
    assert hole(lost(whole, 0.5, len(whole) - len(whole) // 2)) == "truncated"


def test_padding_behind_the_end_is_no_hole() -> None:
    assert hole(jpeg(NOISE) + bytes(65_536)) is None


def test_a_plain_sky_is_no_hole_however_it_is_written(tmp_path: Path) -> None:
    written = {name: jpeg(SKY, **{name: True}) for name in ("optimize", "progressive")} | {"": jpeg(SKY)}
    assert bytes(512) in written["optimize"]  # its own tables write plain blocks as zeros
    for data in written.values():
        assert hole(data) is None
        (tmp_path / "a.jpg").write_bytes(data)
        assert read_optical(tmp_path / "a.jpg").shape[2] == 3


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8", b"\xff\xd8\xff", b"\xff\xd8\xff\xc4\x00\x00" * 9, bytes(9999)]
)
def test_bytes_that_are_no_jpeg_say_nothing(data: bytes) -> None:
    assert hole(data) is None


def test_any_cut_and_any_byte_ends() -> None:
    whole = jpeg(NOISE[:64, :128])
    for end in range(0, 700, 3):
        assert hole(whole[:end]) in (None, "truncated")
        assert hole(whole[:end] + RNG.bytes(2000)) in (None, "truncated", "unreadable")
