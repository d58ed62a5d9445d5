"""Rows of degrees whose values are all as long as each other: `d.dd`, `dd.dd` and `-d.dd`, or `-dd.dd`.

Scenes of one kind print such rows: a cool morning, a clear night sky. Then a value's last eight characters,
its separator included, are one uint64 at a fixed distance from the one before, and digits become a number by
arithmetic on all eight bytes at once:

- Each byte, combined by exclusive or with what must stand there (`0` for a digit), is 0 to 9 for a digit and
  0 for all else. Adding 6 shows what is above 9 in the upper half of its byte; bytes below cannot carry into
  it unless they are wrong themselves.
- `10 t + (t >> 8)` makes two digits a number below 100, in the byte of the first of them; a product brings
  both such numbers together as hundredths of a degree.
"""

import threading
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_TOGETHER = 1 << 14  # values worked on together: what they need stays in a processor's second cache
_SEPARATOR, _NEWLINE = ord(";"), ord("\n")

# Bytes: 7 is the separator, 6 and 5 hundredths and tenths, 4 the point, 3 units, 2 a digit or sign, 1 a sign.
_HUNDREDTHS, _TENTHS, _POINT, _UNITS, _TENS, _SIGN = 6, 5, 4, 3, 2, 1


def _word(bytes_: dict[int, int]) -> np.uint64:
    return np.uint64(sum(value << 8 * place for place, value in bytes_.items()))


class _Form(NamedTuple):
    """What values of one length look like, as words of eight bytes.

    Attributes:
        expected: what must stand in each byte, `0` for a digit.
        inside: all bits of the bytes that belong to a value.
        sixes: 6 in the byte of each digit.
        wrong: the bits that are 0 where all is well.
    """

    expected: np.uint64
    inside: np.uint64
    sixes: np.uint64
    wrong: np.uint64


def _form(digits: tuple[int, ...], signs: dict[int, int]) -> _Form:
    fixed = {7: _SEPARATOR, _POINT: ord("."), **signs}
    zeros, whole = dict.fromkeys(digits, ord("0")), dict.fromkeys([*digits, *fixed], 0xFF)
    return _Form(
        expected=_word(zeros | fixed),
        inside=_word(whole),
        sixes=_word(dict.fromkeys(digits, 6)),
        wrong=_word(dict.fromkeys(fixed, 0xFF) | dict.fromkeys(digits, 0xF0)),
    )


_SHORT = (_HUNDREDTHS, _TENTHS, _UNITS)
_FORMS = {
    len("0.00;"): _form(_SHORT, {}),
    len("00.00;"): _form((*_SHORT, _TENS), {}),
    len("-00.00;"): _form((*_SHORT, _TENS), {_SIGN: ord("-")}),
}
_SIGNED = len("-0.00;")  # as long as `00.00;`
_LEAD, _MINUS, _TO_ZERO = _word({_TENS: 0xFF}), _word({_TENS: ord("-")}), _word({_TENS: ord("0") - ord("-")})
_PAIRS, _JOIN = _word({_TENS: 0xFF, _TENTHS: 0xFF}), np.uint64(1 + (100 << 24))
_BYTE, _TEN, _TO_NUMBER, _HUNDRED = np.uint64(8), np.uint64(10), np.uint64(40), np.float32(100)


class _Buffers(threading.local):
    """Work space that a thread keeps: fresh pages for every file would cost more than the arithmetic."""

    size = 0

    def fit(self, size: int) -> None:
        if size > self.size:
            self.size = size
            self.words, self.work = np.zeros((2, size), "<u8")
            self.minus = np.zeros(size, bool)


_BUFFERS = _Buffers()


def read_even(data: bytes, start: int, stop: int, width: int, degrees: NDArray[np.float32]) -> int:
    """Reads whole rows, data[start:stop], into the first of `degrees`.

    Returns:
        How many values there are; 0 where rows have another form, and `degrees` means nothing then.
    """
    for length, form in _FORMS.items():
        n = (stop - start) // length
        if (
            (stop - start) % (length * width) == 0
            and 0 < n <= len(degrees)
            and start + length >= 8  # the first word begins before the first value
            and data[start + length * width - 1] == _NEWLINE
        ):
            words = np.ndarray((n,), "<u8", data, start + length - 8, (length,))
            rows = max(1, _TOGETHER // width) * width
            parts = range(0, n, rows)
            whole = all(
                _read(words[at : at + rows], width, length, form, degrees[at : min(at + rows, n)])
                for at in parts
            )
            return n if whole else 0
    return 0


def _read(
    words: NDArray[np.uint64], width: int, length: int, form: _Form, degrees: NDArray[np.float32]
) -> bool:
    """Whether all of these rows have the form; then `degrees` holds their values."""
    n = len(words)
    _BUFFERS.fit(n)
    x, work, minus = _BUFFERS.words[:n], _BUFFERS.work[:n], _BUFFERS.minus[:n]
    np.copyto(x, words)
    ends = x.view(np.uint8).reshape(-1, 8)[width - 1 :: width, 7]
    if (ends != _NEWLINE).any():
        return False
    ends[...] = _SEPARATOR  # any other newline, of a row that ends too early, is none
    signed = False
    if length == _SIGNED:
        np.equal(np.bitwise_and(x, _LEAD, out=work), _MINUS, out=minus)
        if signed := bool(minus.any()):
            np.add(x, np.multiply(minus, _TO_ZERO, out=work), out=x)

    np.bitwise_and(np.bitwise_xor(x, form.expected, out=x), form.inside, out=x)
    np.bitwise_or(np.add(x, form.sixes, out=work), x, out=work)
    if np.bitwise_and(work, form.wrong, out=work).any():
        return False
    np.right_shift(x, _BYTE, out=work)
    np.add(np.multiply(x, _TEN, out=x), work, out=x)
    np.multiply(np.bitwise_and(x, _PAIRS, out=x), _JOIN, out=x)
    np.right_shift(x, _TO_NUMBER, out=x)
    # Both are exact in float32, so IEEE division gives the float32 nearest to the decimal.
    np.divide(x.view("<i4")[::2], _HUNDRED, out=degrees, dtype=np.float32, casting="unsafe")
    if signed:
        np.negative(degrees, out=degrees, where=minus)
    elif length > _SIGNED:
        np.negative(degrees, out=degrees)
    return True
