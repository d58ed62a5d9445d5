"""Text to float32: exact for every text of the camera's form, and None for all other forms."""

from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sage_lightning.sage.celsius import CelsiusError, parse_celsius
from sage_lightning.sage.degrees import quick_degrees

HEADER = (
    "sensor;right\nbit depth;14 bit\nwidth;{}\nheight;{}\nresolution;high\n"
    "advanced radiometry support;yes\nunit;degrees Celsius\n\n"
)


def quick(texts: list[str], width: int) -> NDArray[np.float32] | None:
    rows = [";".join(texts[start : start + width]) for start in range(0, len(texts), width)]
    return quick_degrees(("\n" + "\n".join(rows) + "\n").encode(), 1, width, len(rows))


def assert_same_bits(values: NDArray[np.float32], texts: list[str]) -> None:
    expected = np.array([np.float32(float(text)) for text in texts], np.float32)
    np.testing.assert_array_equal(values.ravel().view(np.uint32), expected.view(np.uint32))


@pytest.mark.parametrize("width", [1, 4, 99])
def test_every_value_of_two_decimals_is_exact(width: int) -> None:
    texts = [
        f"{sign}{n // 100}.{n % 100:02}" for n in range(9999) for sign in ("", "-")
    ]  # 99 divides 2 · 9999
    texts = texts[: len(texts) // width * width]
    values = quick(texts, width)
    assert values is not None
    assert values.shape == (len(texts) // width, width)
    assert_same_bits(values, texts)


def test_every_plausible_text_is_exact_whoever_reads_it() -> None:
    plausible = [n / 100 for n in range(-30000, 60001)]
    texts = [f"{value:.2f}" for value in plausible]
    texts += [f"{n / 10:.1f}" for n in range(-3000, 6001)] + [str(n) for n in range(-300, 601)]
    texts += [f"{value:.6g}" for value in plausible]
    texts += ["1.00"] * (-len(texts) % 100)
    rows = [";".join(texts[start : start + 100]) for start in range(0, len(texts), 100)]
    data = (HEADER.format(100, len(rows)) + "\n".join(rows) + "\n").encode()
    assert_same_bits(parse_celsius(data, Path("a.csv")), texts)


def test_a_whole_frame_is_exact() -> None:
    texts = np.array([f"{0.04 * raw - 273.15:.6g}" for raw in range(2**14)], dtype=object)
    nearest = np.array([np.float32(float(text)) for text in texts])
    rng = np.random.default_rng(0)
    for low, high in ((5000, 9300), (6830, 7070), (7100, 7300)):  # −73…99 °C; around 5 °C; 11…19 °C
        raw = rng.integers(low, high, (480, 640))
        values = quick(texts[raw].ravel().tolist(), 640)
        assert values is not None
        np.testing.assert_array_equal(values, nearest[raw])


@pytest.mark.parametrize(
    "odd",
    [
        "nan",
        "7.5",
        "20",
        "0",
        "-0",
        "100.05",
        "-100.05",
        "1.234",
        ".25",
        "-.25",
        "-5",
        "+5.25",
        "--5.25",
        "5-.25",
        "5.-2",
        "5..2",
        "3..5",
        "5.2.5",
        "/5.25",
        ":5.25",
        "=5.25",
        "1e10",
        "5.2e",
        "5.25-",
        "5,25",
        "5%.25",
        "5.2%",
        "5.%2",
        "5.2E",
        "5.E2",
        "E.25",
        "°5.25",
    ],
)
def test_other_forms_are_left_alone(odd: str) -> None:
    for plain in (["5.25", "-5.25", "15.25", "-15.25"] * 3, ["5.25", "15.25"] * 6):
        assert quick(plain, 4) is not None
        for place in range(len(plain)):
            assert quick([*plain[:place], odd, *plain[place + 1 :]], 4) is None, place


@pytest.mark.parametrize(
    "body",
    [
        "3..5;;5.25;5.25\n",
        "5.25;5.25\n5.25;5.25\n",
        "5.25;5.25;5.25\n5.25\n",
        "5.25;5.25;5.25;5.25",
        "5.25;5.25;5.25;5.25\r\n",
        "5.25;5.25;5.25;5.25\n\n",
        "5.25;5.25;5.25;5.25;\n",
        ";5.25;5.25;5.25\n",
        "5.25\n5.25;5.25;5.25\n",
        "5.25.75;;5.25;5.25\n",
        "",
        "\n",
    ],
)
def test_other_rows_are_left_alone(body: str) -> None:
    assert quick_degrees(b"\n5.25;5.25;5.25;5.25\n", 1, 4, 1) is not None
    assert quick_degrees(b"\n" + body.encode(), 1, 4, 1) is None


def test_two_points_are_no_value() -> None:
    for before in ("", "5.25;", "15.25;", "-15.25;"):
        for first in range(10):
            for last in range(10):
                for odd in (f"{first}..{last};", f"{first}.{last}.;{first}"):
                    body = f"{before}{odd};5.25\n"
                    width = body.count(";") + 1
                    for declared in (width - 1, width):
                        assert quick_degrees(("\n" + body).encode(), 1, declared, 1) is None, body


VALUES = {
    "d.dd": [f"{n / 100:.2f}" for n in range(1000)],
    "dd.dd": [f"{n / 100:.2f}" for n in range(1000, 10000)],
    "-d.dd": [f"-{n / 100:.2f}" for n in range(1000)],
    "-dd.dd": [f"-{n / 100:.2f}" for n in range(1000, 10000)],
    "all": [f"{n / 100:.2f}" for n in range(-9999, 10000, 7)],
}


@pytest.mark.parametrize("form", VALUES)
def test_another_byte_anywhere_is_the_number_that_it_spells_or_left_alone(form: str) -> None:
    texts = list(VALUES[form])
    np.random.default_rng(0).shuffle(texts)
    rows = [";".join(texts[start : start + 4]) for start in range(0, 24, 4)]
    body = ("\n".join(rows) + "\n").encode()
    for row in (1, 5):  # in the midst, and where what is read ends
        before = sum(len(text) + 1 for text in rows[:row])
        for place in range(before, before + len(rows[row]) + 1):
            for byte in range(256):
                spoilt = body[:place] + bytes([byte]) + body[place + 1 :]
                values = quick_degrees(b"\n" + spoilt, 1, 4, 6)
                if values is not None:
                    found = spoilt.decode().split("\n")
                    assert [text.count(";") for text in found] == [3] * 6 + [0]
                    assert_same_bits(values, ";".join(found[:-1]).split(";"))


@pytest.mark.parametrize("form", VALUES)
def test_rows_of_another_width_are_left_alone(form: str) -> None:
    texts = VALUES[form][:24]
    values = quick(texts, 4)
    assert values is not None
    assert_same_bits(values, texts)
    body = ("\n".join(";".join(texts[start : start + 4]) for start in range(0, 24, 4)) + "\n").encode()
    for width in (1, 2, 3, 6, 8, 12, 24):
        assert quick_degrees(body, 0, width, 24 // width) is None
    for end in range(len(body)):
        assert quick_degrees(body[:end], 0, 4, 6) is None


def test_threads_read_at_once() -> None:
    texts = [[f"{thread}.{n % 100:02}" for n in range(20000)] for thread in range(4)]

    def work(thread: int) -> list[bool]:
        read = [quick(texts[thread], 100) for _ in range(20)]
        return [values is not None and bool((np.floor(values) == thread).all()) for values in read]

    with ThreadPoolExecutor(4) as threads:
        assert list(chain.from_iterable(threads.map(work, range(4)))) == [True] * 80


def test_a_size_that_the_file_cannot_hold_costs_nothing() -> None:
    data = (HEADER.format(10**9, 10**9) + "5.25;5.25\n").encode()
    with pytest.raises(CelsiusError, match="truncated"):
        parse_celsius(data, Path("a.csv"))
