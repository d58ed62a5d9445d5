"""The text of a thermal matrix as float32, for the form in which cameras write it: `-44.07`, `7.93`, `20.01`.

Raw counts are 0.04 °C apart, with an offset that makes all hundredths odd, so a camera's values have two
decimals. This file reads those from −99.99 to 99.99 and leaves all else to a parser that knows every form.
Rows of values that are all as long as each other go to `even_degrees`, which is faster still. For all others
it takes many rows at once, in NumPy:

- Values are at least 5 characters apart, separator included, so 4 neighbours (a quad) hold at most one point.
  The product of a quad, as uint32, with 2^(8 (3 − o)) has its character at offset o in the highest byte.
- `16 a + b` modulo 256 is another number for every pair of the 15 characters from `-` to `;`. The pair before
  a point, the pair after it, and whether a sign stands three before it make 17 bits: an index into a table of
  float32, nan where they are no value.
- The rest is counting: as many separators as points, each 3 after its point; rows that end where they should;
  and as many characters in all as the values found need, so that there are no others.
"""

import threading
from functools import cache

import numpy as np
from numpy.typing import NDArray

from sage_lightning.sage.even_degrees import read_even

# With NumPy's own types, since converting a Python number takes as long as a small array's arithmetic.
_POINT, _MINUS, _SEPARATOR, _NEWLINE = (np.uint8(ord(sign)) for sign in ".-;\n")
_NONE, _TO_BEFORE, _TO_SIGN, _FROM_TOP = (np.uint32(bits) for bits in (0, 8, 16, 24))
_BLOCK = 150_000  # characters worked on together: what they need stays in a processor's second cache
_SHORTEST, _LONGEST = len("0.00;"), len("-99.99;")


class _Buffers(threading.local):
    """Work space that a thread keeps: fresh pages for every file would cost more than the arithmetic."""

    size = 0

    def fit(self, size: int) -> None:
        if size > self.size:
            self.size = size + 64 - size % 64
            self.text, self.points, self.pairs, self.work = np.zeros((4, self.size), np.uint8)
            self.shifts = np.zeros(self.size // 4, "<u4")
            self.found = np.zeros(self.size // 4, bool)


_BUFFERS = _Buffers()


def quick_degrees(data: bytes, start: int, width: int, height: int) -> NDArray[np.float32] | None:
    """The matrix, (h, w), that `data` holds from `start` on, every row with its newline; each value is exact.

    None where any of it has another form, right or wrong.
    """
    n = width * height
    if not _SHORTEST * n <= len(data) - start <= _LONGEST * n:
        return None
    degrees, done = np.empty(n, np.float32), 0
    while start < len(data):
        stop = data.find(b"\n", start + _BLOCK) + 1 or len(data)
        count = read_even(data, start, stop, width, degrees[done:]) or _read_rows(
            np.frombuffer(data, np.uint8, stop - start, start), width, degrees[done:]
        )
        if not count:
            return None
        start, done = stop, done + count
    return degrees.reshape(height, width) if done == n else None


def _read_rows(rows: NDArray[np.uint8], width: int, degrees: NDArray[np.float32]) -> int:
    """Reads whole rows into the first of `degrees`, which are as many as it returns; 0 where it cannot."""
    length, buffers = len(rows), _BUFFERS
    if length < _SHORTEST:
        return 0
    buffers.fit(length + 2)
    text = buffers.text[: length + 2]  # two separators go before it: what precedes the first value
    text[:2] = _SEPARATOR
    text[2:] = rows

    # Position i of what follows is character i + 3 of the text; the three at either end cannot be points.
    span = length - 4
    padded = span + -span % 8
    points, work = buffers.points[:padded], buffers.work[:padded]
    points[span:] = work[span:] = 0
    np.equal(text[3:-3], _POINT, out=points[:span].view(bool))
    quads = points.view("<u4")
    at = np.not_equal(quads, _NONE, out=buffers.found[: len(quads)]).nonzero()[0]
    n = len(at)
    if not 0 < n <= len(degrees):
        return 0
    last = at[width - 1 :: width]
    ends = 4 * last + points.reshape(-1, 4)[last].argmax(axis=1) + 6
    if (text[ends] != _NEWLINE).any():
        return 0
    text[ends] = _SEPARATOR  # any other newline, of a row that ends too early or too late, is below `-`
    np.equal(text[6:], _SEPARATOR, out=work[:span].view(bool))
    if (work.view(np.uint64) != points.view(np.uint64)).any() or np.count_nonzero(points.view(bool)) != n:
        return 0
    lowest = text.min()
    if lowest < _MINUS or text.max() > _SEPARATOR:
        return 0

    shifts = buffers.shifts[: len(quads)]
    shifts[:] = points.view(">u4")
    pairs, moved = np.multiply(text, np.uint8(16), out=buffers.pairs[: len(text)]), work.view("<u4")
    np.add(pairs[1 : 1 + span], text[2 : 2 + span], out=work[:span])  # the two characters before a point
    key = np.multiply(moved, shifts, out=quads)  # the points are no longer needed
    np.right_shift(key, _FROM_TOP, out=key)
    np.left_shift(key, _TO_BEFORE, out=key)
    np.add(pairs[4 : 4 + span], text[5 : 5 + span], out=work[:span])  # the two after it
    np.multiply(moved, shifts, out=moved)
    np.right_shift(moved, _FROM_TOP, out=moved)
    np.bitwise_or(key, moved, out=key)
    if lowest == _MINUS:
        np.equal(text[:span], _MINUS, out=work[:span].view(bool))  # a sign three characters before it
        np.multiply(moved, shifts, out=moved)
        np.right_shift(moved, _FROM_TOP, out=moved)
        np.left_shift(moved, _TO_SIGN, out=moved)
        np.bitwise_or(key, moved, out=key)
    at[:] = key.take(at, out=shifts[:n], mode="wrap")  # all are within; "wrap" checks that fastest
    degrees = _table().take(at, out=degrees[:n], mode="wrap")

    magnitude, flags = degrees, work[:n].view(bool)
    characters = _SHORTEST * n
    if lowest == _MINUS:
        characters += int(np.count_nonzero(np.signbit(degrees, out=flags)))
        magnitude = np.abs(degrees, out=shifts[:n].view(np.float32))
    characters += int(np.count_nonzero(np.greater_equal(magnitude, np.float32(10), out=flags)))
    if characters != length or np.isnan(magnitude.max()):
        return 0
    return n


@cache
def _table() -> NDArray[np.float32]:
    """The value at (sign before two digits, pair before the point, pair after it), flat; nan for no value."""
    digits = np.arange(10)
    after = _pair(digits[:, None] + ord("0"), digits + ord("0"))  # (tenths, hundredths)
    table = np.full((2, 256, 256), np.nan, np.float32)
    for tens in range(10):
        hundredths = 1000 * tens + 100 * digits[:, None, None] + 10 * digits[:, None] + digits
        # Both are exact in float32, so IEEE division gives the float32 nearest to the decimal.
        values = hundredths.astype(np.float32) / np.float32(100)
        for signed, lead in ((0, str(tens)), (1, str(tens))) if tens else ((0, ";"), (0, "-")):
            before = _pair(np.array(ord(lead)), digits + ord("0"))
            table[signed, before[:, None, None], after] = -values if signed or lead == "-" else values
    return table.ravel()


def _pair(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
    return (16 * first + second) % 256
