"""The side-by-side picture: the right half, the right box, and never a half-grey picture."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from sage_lightning.data.simulated.camera import SimulatedCamera
from sage_lightning.sage.picture import CROP_BOX, PictureError, picture_size, read_optical


def side_by_side(path: Path, width: int = 1536, height: int = 512) -> Path:
    """Red grows to the right and green downwards over the optical half; the thermal half is bright."""
    picture = np.full((height, width, 3), 255, dtype=np.uint8)
    half = width // 2
    picture[:, half:, 1] = np.linspace(200, 255, height)[:, None]
    picture[:, :half, 0] = np.linspace(0, 255, half)
    picture[:, :half, 1] = np.linspace(0, 255, height)[:, None]
    picture[:, :half, 2] = 0
    Image.fromarray(picture).save(path, quality=95)
    return path


@pytest.mark.parametrize("size", [(16, 24), (48, 64), (96, 128), (256, 384)])
def test_the_box_is_cut_from_the_optical_half(tmp_path: Path, size: tuple[int, int]) -> None:
    path = side_by_side(tmp_path / "a.jpg")
    seen = read_optical(path, CROP_BOX, size).astype(float)
    assert seen.shape == (*size, 3)
    left, top, right, bottom = CROP_BOX
    columns = 255 * (left + (right - left) * (np.arange(size[1]) + 0.5) / size[1])
    rows = 255 * (top + (bottom - top) * (np.arange(size[0]) + 0.5) / size[0])
    assert np.abs(seen[..., 0] - columns).max() < 6
    assert np.abs(seen[..., 1] - rows[:, None]).max() < 6
    assert seen[..., 2].max() < 12


def test_decoding_at_a_reduced_scale_changes_little(tmp_path: Path) -> None:
    path = side_by_side(tmp_path / "a.jpg")
    whole = np.asarray(Image.open(path).crop((0, 0, 768, 512)).resize((48, 32), Image.Resampling.BOX))
    reduced = read_optical(path, (0.0, 0.0, 1.0, 1.0), (32, 48))
    assert np.abs(whole.astype(int) - reduced).max() < 8


def test_a_cut_anywhere_is_refused(tmp_path: Path) -> None:
    path = side_by_side(tmp_path / "a.jpg", 192, 64)
    whole = path.read_bytes()
    for cut in range(0, len(whole) - 2, 7):
        path.write_bytes(whole[:cut])
        with pytest.raises(PictureError) as error:
            read_optical(path, CROP_BOX, (16, 16))
        assert error.value.reason in ("unreadable", "truncated")
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PictureError, match="truncated"):
        read_optical(path, CROP_BOX, (16, 16))


def test_one_half_alone_is_refused(tmp_path: Path) -> None:
    path = side_by_side(tmp_path / "a.jpg", 768, 512)
    with pytest.raises(PictureError, match="missing half"):
        read_optical(path, CROP_BOX, (16, 16))


def noise(height: int, width: int, levels: int = 200) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, levels, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("empty", [slice(0, 384), slice(384, None), slice(None)])
@pytest.mark.parametrize("colour", [0, 128, (0, 0, 255)])
@pytest.mark.parametrize("size", [(8, 12), (200, 300)])
def test_a_half_with_nothing_in_it_is_refused(
    tmp_path: Path, empty: slice, colour: object, size: tuple[int, int]
) -> None:
    pixels = noise(256, 768)
    pixels[:, empty] = colour
    Image.fromarray(pixels).save(tmp_path / "a.jpg", quality=85)
    with pytest.raises(PictureError, match="missing half"):
        read_optical(tmp_path / "a.jpg", CROP_BOX, size)


@pytest.mark.parametrize("size", [(8, 12), (200, 300)])
def test_a_dark_night_is_no_missing_half(tmp_path: Path, size: tuple[int, int]) -> None:
    SimulatedCamera(tmp_path, frames=60, picture_size=(384, 128), thermal_size=(24, 18), faults=0).write()
    pictures = sorted((tmp_path / "raw").rglob("*.jpg"))
    assert min(read_optical(path, CROP_BOX, size).mean() for path in pictures) < 10
    pixels = noise(512, 1536)
    pixels[:, :768] = noise(512, 768, levels=5)  # an average of 2 of 255
    Image.fromarray(pixels).save(tmp_path / "a.jpg", quality=85)
    assert read_optical(tmp_path / "a.jpg", CROP_BOX, size).mean() < 4


def test_a_picture_of_another_size_than_its_name_says_is_refused(tmp_path: Path) -> None:
    Image.fromarray(noise(300, 800)).save(tmp_path / "1700000000000000000-384x128_position3.jpg", "JPEG")
    with pytest.raises(PictureError, match="wrong size"):
        read_optical(tmp_path / "1700000000000000000-384x128_position3.jpg", CROP_BOX, (16, 16))
    Image.fromarray(noise(128, 384)).save(tmp_path / "384x128.jpg")
    assert read_optical(tmp_path / "384x128.jpg", CROP_BOX, (16, 16)).shape == (16, 16, 3)


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"not a picture")
    for read in (picture_size, lambda p: read_optical(p, CROP_BOX, (16, 16))):
        with pytest.raises(PictureError, match="unreadable"):
            read(path)


def test_size_is_that_of_both_halves(tmp_path: Path) -> None:
    assert picture_size(side_by_side(tmp_path / "a.jpg", 192, 64)) == (192, 64)


def test_errors_travel_between_processes() -> None:
    error = pickle.loads(pickle.dumps(PictureError(Path("a.jpg"), "truncated")))
    assert (error.reason, str(error)) == ("truncated", "a.jpg: truncated")
