"""Thermal pictures as text: the same numbers whatever tool has written them, or a reason."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sage_lightning.data.quarantine import Unusable
from sage_lightning.data.texts import read_matrix
from sage_lightning.sage.celsius import CelsiusError, read_celsius, write_celsius

NUMBERS = np.round(np.random.default_rng(0).uniform(-40, 30, (4, 6)), 2)
NUMBERS[1, 2] = np.nan


def plain(separator: str, end: str, decimal: str = ".", missing: str = "nan", trailing: str = "") -> str:
    rows = [[missing if np.isnan(x) else f"{x:.2f}".replace(".", decimal) for x in row] for row in NUMBERS]
    return "".join(separator.join(row) + trailing + end for row in rows)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_celsius_file_is_read_whatever_its_line_ends(tmp_path: Path, end: str, mark: str) -> None:
    path = tmp_path / "a.csv"
    write_celsius(path, NUMBERS.astype(np.float32))
    path.write_bytes((mark + path.read_text().replace("\n", end)).encode())
    np.testing.assert_allclose(read_matrix(path), NUMBERS, atol=1e-5)
    if end != "\n" or mark:
        with pytest.raises(CelsiusError):
            read_celsius(path)  # of Sage's own files this is a fault


@pytest.mark.parametrize(
    "text",
    [
        plain(";", "\n"),
        plain(",", "\r\n"),
        plain("\t", "\n"),
        plain(", ", "\n").rstrip(),
        plain(";", "\n", decimal=","),
        plain(";", "\n", decimal=",") + "  \n",
        plain(";", "\r\n", missing="", trailing=";"),
        plain(",", "\n", missing=""),
        "\ufeff" + plain(",", "\n") + "\n",
    ],
)
def test_rows_of_numbers_need_no_header(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.csv").write_text(text, encoding="utf-8", newline="")
    np.testing.assert_allclose(read_matrix(tmp_path / "a.csv"), NUMBERS, atol=1e-9)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    "names", [{}, {"index": False}, {"header": False}, {"index": False, "header": False}]
)
def test_numbers_of_rows_and_columns_are_no_temperatures(
    tmp_path: Path, separator: str, names: dict[str, bool]
) -> None:
    """As pandas writes a matrix, by default with both."""
    cold = np.full((4, 5), -20.0)
    for matrix in (NUMBERS, cold, np.rint(NUMBERS)):
        pd.DataFrame(matrix).to_csv(tmp_path / "a.csv", sep=separator, **names)
        np.testing.assert_allclose(read_matrix(tmp_path / "a.csv"), matrix)
    for decimal in ".," if separator != "," else ".":
        pd.DataFrame(NUMBERS).to_csv(tmp_path / "a.csv", sep=separator, decimal=decimal, **names)
        np.testing.assert_allclose(read_matrix(tmp_path / "a.csv"), NUMBERS)


@pytest.mark.parametrize(
    "matrix",
    [
        np.arange(24).reshape(4, 6),  # row 1 goes on where row 0 ends
        np.tile(np.arange(6), (4, 1)),
        np.tile(np.arange(4)[:, None], (1, 6)),
        np.add.outer(np.arange(4), np.arange(6)),
        np.arange(6)[None],
        np.arange(1, 25).reshape(4, 6),
        np.array([[0, 1, 2, 4], [7, 7, 7, 7]]),
    ],
)
def test_a_picture_that_counts_is_whole(tmp_path: Path, matrix: np.ndarray) -> None:
    np.savetxt(tmp_path / "a.csv", matrix, fmt="%d", delimiter=",")
    np.testing.assert_array_equal(read_matrix(tmp_path / "a.csv"), matrix)
    matrix = matrix.astype(np.float64)
    matrix[0, 0] = np.nan  # a corner that is missing
    pd.DataFrame(matrix).to_csv(tmp_path / "a.csv", index=False, header=False)
    np.testing.assert_array_equal(read_matrix(tmp_path / "a.csv"), matrix)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "unreadable"),
        ("\n\n", "unreadable"),
        ("1;2;3\n4;5\n", "truncated"),
        ("1;2\n4;5;6\n", "unreadable"),
        ("1;2;3\n4;5\n6;7;8\n", "unreadable"),
        ("1,2\n3,four\n", "unreadable"),
        ("x,y\n1,2\n", "unreadable"),  # a header that says nothing known
        ("1;2\n3;\u00b0\n", "unreadable"),
        ("sensor;right\r\nwidth;2\r\n", "unreadable"),
    ],
)
def test_what_is_no_matrix_has_its_reason(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "a.csv").write_text(text, encoding="utf-8", newline="")
    with pytest.raises(Unusable) as caught:
        read_matrix(tmp_path / "a.csv")
    assert caught.value.reason == reason


def test_a_celsius_file_that_was_cut_is_truncated(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    write_celsius(path, NUMBERS.astype(np.float32))
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n")[:-20])
    with pytest.raises(Unusable, match="truncated"):
        read_matrix(path)
