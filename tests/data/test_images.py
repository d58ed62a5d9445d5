"""Pictures of any kind: what they hold is read as it is meant, and what holds nothing is not used."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sage_lightning.data.images import read_picture, read_thermal
from sage_lightning.data.quarantine import Unusable


def test_missing_values_weigh_nothing(tmp_path: Path) -> None:
    matrix = np.full((20, 30), 5.0)
    matrix[:, :15] = np.nan
    np.save(tmp_path / "ir.npy", matrix)
    found = read_thermal(tmp_path / "ir.npy", (10, 15), 1, 0)
    assert np.isnan(found[:, :6]).all()
    np.testing.assert_allclose(found[:, 9:], 5)


@pytest.mark.parametrize(
    ("content", "reason"),
    [("false colour", "false colour"), ("pickle", "unreadable"), ("nan", "all NaN"), ("cut", "truncated")],
)
def test_what_is_no_thermal_picture_is_not_used(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / (
        "ir.npy" if content in ("pickle", "nan") else "ir.png" if content != "cut" else "ir.jpg"
    )
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    if content == "pickle":
        np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    elif content == "nan":
        np.save(path, np.full((4, 4), np.nan))
    else:
        Image.fromarray(noise).save(path)
    if content == "cut":
        path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(Unusable) as caught:
        read_thermal(path, (8, 8), 1, 0)
    assert caught.value.reason == reason


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "I;16", "CMYK"])
def test_every_kind_of_picture_becomes_colour(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    if mode == "I;16":
        Image.fromarray(np.full((8, 8), 32896, np.uint16)).save(path)
    else:
        Image.new("L", (8, 8), 128).convert("RGB").convert(mode).save(path)
    found = read_picture(path, (4, 6))
    assert found.shape == (4, 6, 3)
    assert np.abs(found.astype(int) - 128).max() <= 3


def test_what_is_no_finite_number_is_missing(tmp_path: Path) -> None:
    matrix = np.full((10, 15), 5.0)
    matrix[0, 0], matrix[0, 1] = np.inf, 1e300
    np.save(tmp_path / "ir.npy", matrix)
    found = read_thermal(tmp_path / "ir.npy", (10, 15), 1, 0)
    assert np.isnan(found[0, :2]).all()
    assert np.isnan(found).sum() == 2


def test_an_array_of_texts_is_unreadable(tmp_path: Path) -> None:
    np.save(tmp_path / "ir.npy", np.array([["a", "b"]]))
    with pytest.raises(Unusable, match="unreadable"):
        read_thermal(tmp_path / "ir.npy", (10, 15), 1, 0)


def test_a_dark_16_bit_picture_is_as_dark_as_its_numbers(tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8), 200, np.uint16)).save(tmp_path / "a.png")
    assert (read_picture(tmp_path / "a.png", (4, 4)) == 0).all()


def test_the_way_up_is_that_of_the_camera(tmp_path: Path) -> None:
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[:, :4] = 255
    upright, exif = Image.fromarray(pixels), Image.Exif()
    exif[0x0112] = 3  # the camera hung upside down
    upright.rotate(180).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png", (8, 8)), pixels)


@pytest.mark.parametrize(
    "shape", [(1, 20, 30), (20, 30, 1), (1, 1, 20, 30), (20, 30, 3), (1, 20, 30, 4), (20, 30, 2)]
)
def test_axes_of_one_and_channels_last_are_one_picture(tmp_path: Path, shape: tuple[int, ...]) -> None:
    matrix = np.arange(600.0).reshape(20, 30)
    channels = shape[-1] if shape[-1] <= 4 else 1
    np.save(tmp_path / "ir.npy", np.repeat(matrix, channels).reshape(shape))
    np.testing.assert_array_equal(read_thermal(tmp_path / "ir.npy", (20, 30), 1, 0), matrix)


@pytest.mark.parametrize(
    "shape", [(3, 20, 30), (2, 20, 30), (20, 30, 5), (4, 3, 20, 30), (30,), (1, 30, 1), ()]
)
def test_other_axes_are_no_picture(tmp_path: Path, shape: tuple[int, ...]) -> None:
    np.save(tmp_path / "ir.npy", np.arange(float(np.prod(shape))).reshape(shape))
    with pytest.raises(Unusable, match="unreadable"):
        read_thermal(tmp_path / "ir.npy", (20, 30), 1, 0)
