"""Rows of values of one length: exact for every value, and left alone wherever a single byte is another."""

import numpy as np
import pytest
from numpy.typing import NDArray

from sage_lightning.sage.even_degrees import read_even

VALUES = {
    "d.dd": [f"{n / 100:.2f}" for n in range(1000)],
    "dd.dd": [f"{n / 100:.2f}" for n in range(1000, 10000)],
    "-d.dd": [f"-{n / 100:.2f}" for n in range(1000)],
    "-dd.dd": [f"-{n / 100:.2f}" for n in range(1000, 10000)],
    "dd.dd and -d.dd": [f"{n / 100:.2f}" for n in range(1000, 10000, 9)]
    + [f"-{n / 100:.2f}" for n in range(1000)],
}
BEFORE = b"key;value\n\n"


def read(body: bytes, width: int, before: bytes = BEFORE) -> NDArray[np.float32] | None:
    degrees = np.full(body.count(b".") + 5, np.nan, np.float32)
    count = read_even(before + body, len(before), len(before) + len(body), width, degrees)
    return degrees[:count] if count else None


def rows_of(texts: list[str], width: int) -> bytes:
    rows = [";".join(texts[start : start + width]) for start in range(0, len(texts), width)]
    return ("\n".join(rows) + "\n").encode()


def assert_same_bits(values: NDArray[np.float32] | None, texts: list[str]) -> None:
    assert values is not None
    expected = np.array([np.float32(float(text)) for text in texts], np.float32)
    np.testing.assert_array_equal(values.view(np.uint32), expected.view(np.uint32))


@pytest.mark.parametrize("form", VALUES)
@pytest.mark.parametrize("width", [1, 10, 100])
def test_every_value_is_exact(form: str, width: int) -> None:
    texts = VALUES[form] * 3  # more than are worked on together
    np.random.default_rng(0).shuffle(texts)
    assert_same_bits(read(rows_of(texts, width), width), texts)


@pytest.mark.parametrize("form", VALUES)
def test_another_byte_anywhere_is_the_number_that_it_spells_or_left_alone(form: str) -> None:
    texts = VALUES[form][-24:]
    body = rows_of(texts, 4)
    length = len(body) // 24
    for place in range(4 * length, 8 * length):  # the second row
        for byte in range(256):
            spoilt = body[:place] + bytes([byte]) + body[place + 1 :]
            values = read(spoilt, 4)
            if values is not None:
                found = spoilt.decode().split("\n")
                assert [row.count(";") for row in found] == [3] * 6 + [0]
                assert_same_bits(values, ";".join(found[:-1]).split(";"))


def test_rows_of_another_width_are_left_alone() -> None:
    texts = VALUES["dd.dd"][:24]
    body = rows_of(texts, 4)
    assert_same_bits(read(body, 4), texts)
    for width in (1, 2, 3, 6, 8, 12, 24, 25):
        assert read(body, width) is None
    assert read(rows_of([*texts[:-1], "5.25"], 4), 4) is None
    assert read(body[:-1], 4) is None
    assert read(b"", 4) is None


def test_a_first_value_without_eight_bytes_before_its_end_is_left_alone() -> None:
    assert read(b"5.25;6.25\n", 2, before=b"") is None
    assert_same_bits(read(b"5.25;6.25\n", 2, before=b"abc"), ["5.25", "6.25"])


def test_more_values_than_there_is_room_for_are_left_alone() -> None:
    body = rows_of(VALUES["d.dd"][:8], 4)
    assert read_even(BEFORE + body, len(BEFORE), len(BEFORE) + len(body), 4, np.empty(7, np.float32)) == 0
