"""The thermal file: exact values, the exact bytes of the camera's tool, and a reason for every damage."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sage_lightning.sage.celsius import CelsiusError, header_size, read_celsius, write_celsius

HEADER = (
    "sensor;right\nbit depth;14 bit\nwidth;{}\nheight;{}\nresolution;high\n"
    "advanced radiometry support;yes\nunit;degrees Celsius\n\n"
)


def file_of(folder: Path, rows: list[list[str]], end: str = "\n") -> Path:
    path = folder / "a.csv"
    body = "\n".join(";".join(row) for row in rows)
    path.write_bytes((HEADER.format(len(rows[0]), len(rows)) + body + end).encode())
    return path


def test_every_cell_is_the_float32_nearest_to_its_text(tmp_path: Path) -> None:
    rows = [
        ["-23", "7.5", "nan", "-44.07"],
        ["0", "-0.01", "123.456", "16777217"],
        ["8.17", "1e-05", "-7", "20"],
    ]
    values = read_celsius(file_of(tmp_path, rows))
    expected = np.array([[float(cell) for cell in row] for row in rows]).astype(np.float32)
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, expected)


def test_all_values_of_the_sensor_are_exact(tmp_path: Path) -> None:
    texts = [f"{0.04 * raw - 273.15:.6g}" for raw in range(2**14)]
    rows = [texts[start : start + 128] for start in range(0, len(texts), 128)]
    expected = np.array([np.float32(float(text)) for text in texts]).reshape(128, 128)
    np.testing.assert_array_equal(read_celsius(file_of(tmp_path, rows)), expected)


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_writing_is_what_ostream_prints(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    width, height = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 6))
    numbers = st.one_of(st.floats(-300, 600, width=32), st.just(float("nan")))
    flat = data.draw(st.lists(numbers, min_size=width * height, max_size=width * height))
    celsius = np.array(flat, dtype=np.float32).reshape(height, width)
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    write_celsius(path, celsius)
    body = "".join(";".join(f"{value:.6g}" for value in row.tolist()) + "\n" for row in celsius)
    assert path.read_bytes() == (HEADER.format(width, height) + body).encode()
    printed = np.array([[float(f"{v:.6g}") for v in row] for row in celsius.tolist()]).astype(np.float32)
    np.testing.assert_array_equal(read_celsius(path), printed)
    assert header_size(path) == (width, height)


def test_a_cut_anywhere_is_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    celsius = (0.04 * rng.integers(5000, 8000, size=(4, 5)) - 273.15).astype(np.float32)
    path = tmp_path / "a.csv"
    write_celsius(path, celsius)
    whole, expected = path.read_bytes(), read_celsius(path)
    header = whole.index(b"\n\n") + 2
    for cut in range(len(whole) - 1):
        path.write_bytes(whole[:cut])
        with pytest.raises(CelsiusError) as error:
            read_celsius(path)
        assert error.value.reason == ("unreadable" if cut < header else "truncated"), cut
    path.write_bytes(whole[:-1])  # only the final newline is missing
    np.testing.assert_array_equal(read_celsius(path), expected)


def test_without_a_final_newline_a_short_last_value_may_be_cut(tmp_path: Path) -> None:
    assert np.isnan(read_celsius(file_of(tmp_path, [["1", "nan"]], end=""))[0, 1])
    with pytest.raises(CelsiusError, match="truncated"):
        read_celsius(file_of(tmp_path, [["1.25", "2.5"]], end=""))
    assert read_celsius(file_of(tmp_path, [["1.25", "2.5"]]))[0, 1] == 2.5


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: text + "1;2\n", "wrong size"),
        (lambda text: text.replace("3;4", "3;4;5"), "wrong size"),
        (lambda text: text.replace("1;2", "1"), "wrong size"),
        (lambda text: text.replace("1;2", "1;x"), "unreadable"),
        (lambda text: text.replace("1;2", "1;inf"), "unreadable"),
        (lambda text: text.replace("1;2", "1;"), "unreadable"),
        (lambda text: text.replace("1;2", "1;\x80"), "unreadable"),
        (lambda text: text.replace("width;2", "width;two"), "unreadable"),
        (lambda text: text.replace("width;2", "width;0"), "unreadable"),
        (lambda text: text.replace("resolution;high\n", ""), "unreadable"),
        (lambda text: text.replace("degrees Celsius", "raw uint16"), "unreadable"),
        (lambda text: "", "unreadable"),
        (lambda text: text.replace("\n\n", "\n"), "unreadable"),
    ],
)
def test_each_damage_has_its_reason(tmp_path: Path, change, reason: str) -> None:
    path = file_of(tmp_path, [["1", "2"], ["3", "4"]])
    path.write_bytes(change(path.read_bytes().decode()).encode("latin-1"))
    with pytest.raises(CelsiusError, match=reason) as error:
        read_celsius(path)
    assert error.value.reason == reason


def test_errors_travel_between_processes() -> None:
    error = pickle.loads(pickle.dumps(CelsiusError(Path("a: b.csv"), "truncated", "ends: early")))
    assert (error.reason, str(error)) == ("truncated", "a: b.csv: truncated: ends: early")
