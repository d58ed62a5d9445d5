"""TIFF files of every kind of number give the numbers that they hold, or a reason."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageOps

from sage_lightning.data.images import read_picture, read_thermal
from sage_lightning.data.quarantine import Unusable

DEGREES = np.random.default_rng(0).uniform(-40, 30, (10, 15))
KINDS = ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"]


def numbers(kind: str) -> NDArray[Any]:
    return (np.abs(DEGREES) if kind.startswith("u") else DEGREES).astype(kind)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_numbers_of_a_file_are_read(
    tmp_path: Path, kind: str, compression: str | None, order: Any
) -> None:
    path = tmp_path / "ir.tif"
    tifffile.imwrite(path, numbers(kind), compression=compression, byteorder=order)
    found = read_thermal(path, (10, 15), 1, 0)
    np.testing.assert_array_equal(found, numbers(kind).astype(np.float32))


@pytest.mark.parametrize("kind", ["float32", "uint8", "uint16", "int32"])
def test_what_pillow_alone_decompresses_is_read(tmp_path: Path, kind: str) -> None:
    Image.fromarray(numbers(kind)).save(tmp_path / "ir.tif", compression="tiff_lzw")
    found = read_thermal(tmp_path / "ir.tif", (10, 15), 1, 0)
    np.testing.assert_array_equal(found, numbers(kind).astype(np.float32))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_way_up_is_that_of_the_camera(tmp_path: Path, orientation: int) -> None:
    """As Pillow turns the numbers that it knows."""
    turned, exif = Image.fromarray(DEGREES.astype(np.float32)), Image.Exif()
    exif[274] = orientation
    turned.getexif().update(exif)
    upright = np.asarray(ImageOps.exif_transpose(turned))
    tags = [(274, 3, 1, orientation, True)]
    for kind in ("float32", "float64"):
        tifffile.imwrite(tmp_path / "ir.tif", DEGREES.astype("float32").astype(kind), extratags=tags)
        np.testing.assert_array_equal(read_thermal(tmp_path / "ir.tif", upright.shape, 1, 0), upright)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # of what is missing
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize(
    ("left", "reason"), [(0.9, "truncated"), (0.5, "truncated"), (0.05, "unreadable"), (0, "unreadable")]
)
def test_a_file_that_was_cut_has_its_reason(
    tmp_path: Path, compression: str | None, left: float, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "ir.tif"
    tifffile.imwrite(path, DEGREES, compression=compression)
    data = path.read_bytes()
    path.write_bytes(data[: max(4, int(len(data) * left))])
    with pytest.raises(Unusable) as caught:
        read_thermal(path, (10, 15), 1, 0)
    assert caught.value.reason == reason
    assert capfd.readouterr() == ("", "")


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # of each odd tag
def test_damaged_files_are_read_or_have_a_reason(tmp_path: Path) -> None:
    """Whatever their tags say, of sizes beyond all memory, too."""
    path, rng = tmp_path / "ir.tif", np.random.default_rng(0)
    tifffile.imwrite(path, DEGREES)
    data, reasons = path.read_bytes(), set()
    for _ in range(300):
        damaged = bytearray(data)
        for at in rng.integers(4, 260, 2):
            damaged[at] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            read_thermal(path, (10, 15), 1, 0)
        except Unusable as error:
            reasons.add(error.reason)
    assert {"unreadable", "truncated"} <= reasons <= {"unreadable", "truncated", "all NaN", "false colour"}


@pytest.mark.parametrize("kind", ["int8", "float32", "float64"])
def test_signed_bytes_and_real_numbers_are_no_optical_picture(tmp_path: Path, kind: str) -> None:
    tifffile.imwrite(tmp_path / "rgb.tif", numbers(kind))
    with pytest.raises(Unusable, match="unreadable"):
        read_picture(tmp_path / "rgb.tif", (10, 15))
