"""Pictures are kept at one size, degrees are degrees, and what is written anew is seen."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from sage_lightning.data.source import PairFiles
from sage_lightning.errors import UserError
from sage_lightning.sage.celsius import write_celsius

from .collection import made, source


def test_pictures_of_all_sizes_are_kept_at_one(folder: Path) -> None:
    store = made(folder)
    assert store.rgb_size == (12, 18)
    assert store.ir_size == (10, 15)
    index = store.index.set_index("rgb_path")
    rgb, ir = store.read(index["store_row"].to_numpy(dtype=np.int64))
    numbers = index.index.str.extract(r"(\d+)", expand=False).astype(int).to_numpy()
    top = ir[:, :5]
    np.testing.assert_allclose(top, np.broadcast_to(numbers[:, None, None], top.shape), rtol=1e-6)
    grey = numbers % 5 == 0
    assert (rgb[grey] == rgb[grey][..., :1]).all()
    assert not (rgb[~grey] == rgb[~grey][..., :1]).all()


@pytest.mark.parametrize(
    ("suffix", "unit", "scale", "offset"),
    [
        (".png", "kelvin", 0.01, 0),
        (".tif", "celsius", 1, 0),
        (".npy", "kelvin", 1, 0),
        (".csv", "celsius", 1, 0),
    ],
)
def test_degrees_are_degrees_whatever_the_file(
    tmp_path: Path, suffix: str, unit: str, scale: float, offset: float
) -> None:
    celsius = np.round(np.random.default_rng(0).uniform(-40, 30, (10, 15)), 2).astype(np.float32)
    path = tmp_path / f"ir{suffix}"
    if suffix == ".png":
        Image.fromarray(np.rint((celsius.astype(np.float64) + 273.15) * 100).astype(np.uint16)).save(path)
    elif suffix == ".tif":
        Image.fromarray(celsius).save(path)
    elif suffix == ".npy":
        np.save(path, celsius.astype(np.float64) + 273.15)
    else:
        write_celsius(path, celsius)
    Image.new("RGB", (8, 8)).save(tmp_path / "rgb.png")
    pd.DataFrame({"visible": ["rgb.png"], "thermal": [path.name]}).to_csv(tmp_path / "pairs.csv", index=False)
    found = source(tmp_path, thermal_unit=unit, thermal_scale=scale, thermal_offset=offset)
    assert found.thermal_unit == "celsius"
    np.testing.assert_allclose(
        found.read(PairFiles("rgb.png", path.name, "unknown", -1), (8, 8))[1], celsius, atol=2e-3
    )


def test_marks_for_no_value_are_no_temperatures(tmp_path: Path) -> None:
    matrix = np.full((10, 15), 290.0)
    matrix[0, 0], matrix[0, 1] = -9999, 65535
    np.save(tmp_path / "IR.NPY", matrix)
    (tmp_path / "IR.NPY.npy").rename(tmp_path / "IR.NPY")
    Image.new("RGB", (8, 8)).save(tmp_path / "rgb.png")
    pd.DataFrame({"visible": ["rgb.png"], "thermal": ["IR.NPY"]}).to_csv(tmp_path / "pairs.csv", index=False)
    for unit, missing in (("kelvin", 2), ("counts", 0)):
        found = source(tmp_path, thermal_unit=unit).read(
            PairFiles("rgb.png", "IR.NPY", "unknown", -1), (8, 8)
        )[1]
        assert np.isnan(found).sum() == missing


def test_numbers_that_a_unit_does_not_fit_are_out_of_range_and_the_keys_are_named(folder: Path) -> None:
    """Hundredths of kelvins, taken for kelvins."""
    for path in (folder / "data/ir").iterdir():
        numbers = 29315 + np.arange(150, dtype=np.uint16).reshape(10, 15) + int(path.stem)
        Image.fromarray(numbers.astype(np.uint16)).save(path)
    with pytest.raises(UserError) as caught:
        made(folder, thermal_unit="kelvin")
    (line,) = caught.value.lines
    assert line.endswith(
        "40 rows in quarantine: 40 out of range; with data.thermal_unit=kelvin, data.thermal_scale=1.0, "
        "data.thermal_offset=0.0 these are no temperatures"
    )
    assert (made(folder, thermal_unit="kelvin", thermal_scale=0.01).index["status"] == "ok").all()


def test_a_file_that_is_written_anew_at_the_same_length_is_decoded_again(folder: Path) -> None:
    table = pd.read_csv(folder / "data/pairs.csv")
    path, matrix = folder / "data/ir/0.npy", np.arange(150.0).reshape(10, 15)
    table.loc[0, "thermal"] = "ir/0.npy"
    table.to_csv(folder / "data/pairs.csv", index=False)

    def first() -> np.ndarray:
        store = made(folder)
        row = store.index.set_index("rgb_path").loc["rgb/0.png", "store_row"]
        return store.read([row])[1][0]

    np.save(path, matrix)
    hashes = [made(folder).index_hash]
    np.testing.assert_array_equal(first(), matrix)
    np.save(path, matrix + 7)
    later = path.stat().st_mtime_ns + 1
    os.utime(path, ns=(later, later))
    np.testing.assert_array_equal(first(), matrix + 7)
    assert [made(folder).index_hash] == hashes
