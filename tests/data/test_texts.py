"""Thermal pictures as text: the same numbers whatever tool has written them, or a reason."""

from pathlib import Path

import numpy as np
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
