"""Thermal pictures as text, of collections that are not Sage's: Celsius files, and plain rows of numbers.

Files of Sage are read by `sage_lightning.sage.celsius`, which is strict and fast.
"""

import io
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sage_lightning.data import quarantine
from sage_lightning.data.quarantine import Unusable, bytes_of
from sage_lightning.sage.celsius import CelsiusError, parse_celsius

_SEPARATORS = (";", "\t", ",")  # the first of these that a file holds
_MARK = b"\xef\xbb\xbf"  # which some editors put before UTF-8


def read_matrix(path: Path) -> NDArray[np.float64]:
    """(h, w): the numbers of a Celsius file, or of rows between `;`, tabs or `,`; an empty cell is NaN.

    Line ends may be those of any system. Where `;` or tabs separate, numbers may have a decimal comma.
    Numbers of rows and columns, as pandas writes them beside a matrix, are no part of it.

    Raises:
        Unusable: "truncated" where the last row is short, "unreadable" where another is or a cell is no
            number, `NOT_READ`; of a Celsius file what `parse_celsius` finds.
    """
    data = bytes_of(path).removeprefix(_MARK).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError as error:
        raise Unusable(quarantine.UNREADABLE) from error
    if _begins_with_a_number(text):
        return _plain(text)
    try:
        return parse_celsius(data, path).astype(np.float64)
    except CelsiusError as error:
        raise Unusable(error.reason) from error


def _separator(text: str) -> str:
    return next((mark for mark in _SEPARATORS if mark in text), _SEPARATORS[0])


def _begins_with_a_number(text: str) -> bool:
    """Whether there is no header: an empty cell is a number that is missing."""
    line = text.lstrip("\n").partition("\n")[0]
    cell, separator, _ = line.partition(_separator(line))
    try:
        float(cell.replace(",", ".") or "nan")
    except ValueError:
        return False
    return bool(cell or separator)


def _plain(text: str) -> NDArray[np.float64]:
    lines = [line for line in text.split("\n") if line.strip()]
    separator = _separator(text)
    cells = [line.count(separator) for line in lines]
    if len(set(cells)) > 1:
        short = len(set(cells[:-1])) == 1 and cells[-1] < cells[0]
        raise Unusable(quarantine.TRUNCATED if short else quarantine.UNREADABLE)
    decimal = "," if separator != "," and "," in text else "."
    try:
        found = pd.read_csv(
            io.StringIO("\n".join(lines)),
            sep=separator,
            decimal=decimal,
            header=None,
            dtype="float64",
            skipinitialspace=True,
        )
    except ValueError as error:
        raise Unusable(quarantine.UNREADABLE) from error
    numbers = found.to_numpy()
    ends = bool(np.isnan(numbers[:, -1]).all()) and all(line.endswith(separator) for line in lines)
    top = [cell.strip() for cell in lines[0].split(separator)]
    left = [line.partition(separator)[0].strip() for line in lines]
    return (
        _without_numbering(numbers[:, :-1], top[:-1], left)
        if ends
        else _without_numbering(numbers, top, left)
    )


def _without_numbering(numbers: NDArray[np.float64], top: list[str], left: list[str]) -> NDArray[np.float64]:
    """The numbers without a first row, a first column, or both, that count from 0.

    A ramp is a picture, though, whose first row counts, too: there the next one counts on.

    Args:
        numbers: (h, w).
        top: the cells of the first row as the file has them,
        left: and of the first column.
    """
    if top[0] == "":
        return numbers[1:, 1:] if _count(top[1:]) and _count(left[1:]) else numbers
    if _count(top) and len(left) > 1 and not _rises(numbers[1]):
        return numbers[1:]
    if _count(left) and len(top) > 1 and not _rises(numbers[:, 1]):
        return numbers[:, 1:]
    return numbers


def _count(cells: list[str]) -> bool:
    return len(cells) > 1 and cells == [str(number) for number in range(len(cells))]


def _rises(values: NDArray[np.float64]) -> bool:
    return bool((np.diff(values) == 1).all())
