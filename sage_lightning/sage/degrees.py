"""The text of a thermal matrix as float32, for the form in which cameras write it: `-44.07`, `7.93`, `20.01`.

Raw counts are 0.04 °C apart, with an offset that makes all hundredths odd, so a camera's values have two
decimals. This file reads those from −99.99 to 99.99 and leaves all else to a parser that knows every form.

Eight characters are one number, which is shifted until its point stands in byte 3:

| byte | 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 |
|---|---|---|---|---|---|---|---|---|
| `d.dd;` | 0 | 0 | units | `.` | tenths | hundredths | `;` | what follows |
| `dd.dd;`, `-d.dd;` | 0 | tens or `-` | units | `.` | tenths | hundredths | `;` | what follows |
| `-dd.dd;` | `-` | tens | units | `.` | tenths | hundredths | `;` | what follows |

- Exclusive or with what must stand there (`0` for a digit) leaves 0 to 9 of each digit and 0 of all else.
  Adding 6 shows what is above 9 in the upper half of its byte; bytes below cannot carry into it unless they
  are wrong themselves.
- `10 t + (t >> 8)` makes two digits a number below 100, in the byte of the first of them; a product brings
  both such numbers together as hundredths of a degree.
- Where the next value starts follows from where the point was found, without a branch: which values are
  longer than others is beyond a processor's guessing.
"""

import numpy as np
from numpy.typing import NDArray

from sage_lightning.machine_code import machine_code

_SHORTEST, _LONGEST = len("0.00;"), len("-99.99;")
_BYTES = 8


def _word(characters: bytes) -> int:
    return int.from_bytes(characters.ljust(_BYTES, b"\0"), "little")


# By form: how many characters fewer than the longest, and 4 more with a `-` in byte 1. Others fit nothing.
_EXPECTED = np.array(
    [
        _word(b"-00.00;"),
        _word(b"\x0000.00;"),
        _word(b"\0\x000.00;"),
        _word(b"\xff" * _BYTES),
        _word(b"\xff" * _BYTES),
        _word(b"\0-0.00;"),
        _word(b"\xff" * _BYTES),
        _word(b"\xff" * _BYTES),
    ],
    np.uint64,
)
_SIGN = np.array([-1, 1, 1, 1, 1, -1, 1, 1], np.float32)
_ROW_ENDS = np.uint64(_word(b"\0" * 6 + bytes([ord(";") ^ ord("\n")])))
_SIXES = np.uint64(_word(b"\0\6\6\0\6\6"))
# The bits that are 0 where all is well. What follows is ASCII: to ask that loads all eight bytes at once.
_WRONG = np.uint64(_word(b"\xff\xf0\xf0\xff\xf0\xf0\xff\x80"))
_BYTE_1, _POINT_1, _MINUS_1 = (np.uint64(_word(b"\0" + byte)) for byte in (b"\xff", b".", b"-"))
_BYTE_2, _POINT_2 = (np.uint64(_word(b"\0\0" + byte)) for byte in (b"\xff", b"."))
_PAIRS, _JOIN = np.uint64(_word(b"\xff\0\0\xff")), np.uint64(1 + (100 << 24))
_JOINED, _NUMBER = np.uint64(24), np.uint64(0x3FFF)
_TEN, _HUNDRED = np.uint64(10), np.float32(100)
# Indices are unsigned, or Numba asks of each whether it counts from the end.
_0, _1, _2, _3, _4, _5, _6, _7, _8 = np.arange(9, dtype=np.uint64)


def quick_degrees(data: bytes, start: int, width: int, height: int) -> NDArray[np.float32] | None:
    """The matrix, (h, w), that `data` holds from `start` on, every row with its newline; each value is exact.

    None where any of it has another form, right or wrong.
    """
    n = width * height
    if not _SHORTEST * n <= len(data) - start <= _LONGEST * n:
        return None
    degrees = np.empty((height, width), np.float32)
    rows, end = _read_rows(np.frombuffer(data, np.uint8), start, degrees)
    # The last rows, with what a row of the longest values would have after them.
    rest, longest = len(data) - end, _LONGEST * width + _BYTES
    if rows < height and rest < longest:
        tail = np.frombuffer(data[end:] + bytes(longest), np.uint8)
        more, read = _read_rows(tail, 0, degrees[rows:])
        rows, rest = rows + more, rest - read
    return degrees if rows == height and rest == 0 else None


@machine_code("UniTuple(int64, 2)(Array(uint8, 1, 'C', readonly=True), int64, float32[:, ::1])")
def _read_rows(text: NDArray[np.uint8], start: int, degrees: NDArray[np.float32]) -> tuple[int, int]:
    """Reads row after row, (h, w), as long as a row of the longest values would end within the text.

    Returns:
        How many rows are read, and where the next one starts; a row of another form is not read.
    """
    height, width = degrees.shape
    at, longest = np.uint64(start), np.uint64(_LONGEST * width + _BYTES)
    for row in range(height):
        if at + longest > np.uint64(len(text)):
            return row, int(at)
        row_starts, seen = at, _0
        for column in range(width):
            low = np.uint64(text[at]) | np.uint64(text[at + _1]) << np.uint64(8)
            low |= np.uint64(text[at + _2]) << np.uint64(16) | np.uint64(text[at + _3]) << np.uint64(24)
            high = np.uint64(text[at + _4]) | np.uint64(text[at + _5]) << np.uint64(8)
            high |= np.uint64(text[at + _6]) << np.uint64(16) | np.uint64(text[at + _7]) << np.uint64(24)
            word = low | high << np.uint64(32)
            fewer = _2 * np.uint64(word & _BYTE_1 == _POINT_1) + np.uint64(word & _BYTE_2 == _POINT_2)
            at += np.uint64(_LONGEST) - fewer
            word <<= _8 * fewer
            form = fewer + _4 * np.uint64(word & _BYTE_1 == _MINUS_1)
            x = word ^ _EXPECTED[form]
            if column == width - 1:
                x ^= _ROW_ENDS
            seen |= (x + _SIXES) | x
            pairs = (_TEN * x + (x >> _8)) >> _8 & _PAIRS
            hundredths = pairs * _JOIN >> _JOINED & _NUMBER
            # Both are exact in float32, so IEEE division gives the float32 nearest to the decimal.
            degrees[row, column] = np.float32(np.int32(hundredths)) / _HUNDRED * _SIGN[form]
        if seen & _WRONG:
            return row, int(row_starts)
    return height, int(at)
