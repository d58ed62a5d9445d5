"""Any bytes are a matrix or a CelsiusError, whichever a slow reader says that follows the contract alone."""

import re
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sage_lightning.sage.celsius import CelsiusError, parse_celsius, read_celsius, write_celsius

HEADER = (
    b"sensor;right\nbit depth;14 bit\nwidth;%d\nheight;%d\nresolution;high\n"
    b"advanced radiometry support;yes\nunit;degrees Celsius\n\n"
)
NUMBER = re.compile(rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
NAN = re.compile(rb"[+-]?nan(?:\([0-9A-Za-z_]*\))?", re.IGNORECASE)  # C++'s grammar
OVERFLOW = Fraction(2) ** 128 - Fraction(2) ** 103  # from here on float32 rounds to infinity


@lru_cache(maxsize=100_000)
def nearest(text: bytes) -> float | None:
    """The float32 nearest to a decimal, ties to even, by exact arithmetic; None for no finite number."""
    if NAN.fullmatch(text):
        return np.nan
    if not NUMBER.fullmatch(text):
        return None
    double = float(text)
    if abs(double) > 1e39:
        return None
    if abs(double) < 1e-50:
        return 0.0
    exact = Fraction(text.decode())
    if abs(exact) >= OVERFLOW:
        return None
    near = np.float32(min(max(double, -3.4028234663852886e38), 3.4028234663852886e38))
    around = [near, *(np.nextafter(near, np.float32(way)) for way in (-1e38, 1e38) if abs(near) < 1e38)]
    return float(min(around, key=lambda one: (abs(Fraction(float(one)) - exact), one.view(np.uint32) & 1)))


def slow(data: bytes) -> list[list[float]] | str:
    """Rows of degrees, or the reason to refuse them."""
    head, blank, _ = data[:1024].partition(b"\n\n")
    lines = head.split(b"\n")
    if not blank or len(lines) != 7 or any(line.count(b";") != 1 for line in lines) or not head.isascii():
        return "unreadable"
    fields = dict(line.decode().split(";") for line in lines)
    try:
        width, height = int(fields["width"]), int(fields["height"])
    except (KeyError, ValueError):
        return "unreadable"
    if width < 1 or height < 1 or fields.get("unit") != "degrees Celsius":
        return "unreadable"
    body = data[len(head) + 2 :]
    try:
        body.decode()
    except UnicodeDecodeError:
        return "unreadable"
    ended = body[-1:] == b"\n"
    cells = [row.split(b";") for row in (body[:-1] if ended else body).split(b"\n")]
    if (
        len(cells) > height
        or any(len(row) > width for row in cells)
        or any(len(r) < width for r in cells[:-1])
    ):
        return "wrong size"
    if len(cells) < height or len(cells[-1]) < width:
        return "truncated"
    if not ended and cells[-1][-1] != b"nan" and len(cells[-1][-1].partition(b".")[2]) != 2:
        return "truncated"
    rows = [[nearest(cell) for cell in row] for row in cells]
    return "unreadable" if any(value is None for row in rows for value in row) else rows


def check(data: bytes) -> str:
    """Holds the reader against the slow one; how it ended."""
    expected = slow(data)
    if isinstance(expected, str):
        with pytest.raises(CelsiusError) as error:
            parse_celsius(data, Path("a.csv"))
        assert error.value.reason == expected, data
        return expected
    values = parse_celsius(data, Path("a.csv"))
    assert values.dtype == np.float32
    assert values.shape == (len(expected), len(expected[0])), data
    np.testing.assert_array_equal(values, np.array(expected, np.float32), err_msg=repr(data))
    return "read"


CAMERA = ("5.25", "-5.25", "15.25", "-15.25", "0.01", "-0.03", "99.97", "-99.99")
ODD = (
    "-23",
    "7.5",
    "nan",
    "0",
    "-0",
    "123.456",
    "1e-05",
    "100.05",
    "05.25",
    ".25",
    "5.",
    "+5.25",
    "-nan",
    "NaN",
)
WRONG = (
    "",
    "-",
    "inf",
    "-inf",
    "1e39",
    "x",
    " 5.25",
    "5.25\r",
    "5..2",
    "3..5",
    "--5.25",
    "5-.25",
    "1_0",
    "0x1",
    "é",
)
HOSTILE = b"0123456789.;-\n\r /:=+<eEna\x00\x80\xff"


class Mutator:
    """Small files, most of them nearly right: what a camera writes, with some bytes or lines spoilt."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def below(self, n: int) -> int:
        return int(self.rng.integers(n))

    def file(self) -> bytes:
        width, height = self.below(6) + 1, self.below(6) + 1
        texts = list(CAMERA)
        if self.below(3) == 0:
            texts += ODD
        cells = [[texts[i] for i in row] for row in self.rng.integers(len(texts), size=(height, width))]
        if self.below(6) == 0:
            cells[self.below(height)][self.below(width)] = WRONG[self.below(len(WRONG))]
        data = HEADER % (width, height) + ("\n".join(map(";".join, cells)) + "\n").encode()
        for _ in range(self.below(4)):
            data = self.spoilt(data)
        return data

    def spoilt(self, data: bytes) -> bytes:
        body = data.find(b"\n\n") + 2
        start = body if body > 1 and self.below(8) else 0
        at = start + self.below(max(len(data) - start, 1))
        hostile = HOSTILE[self.below(len(HOSTILE)) :][:1]
        lines = data.split(b"\n")
        line = self.below(len(lines))
        ways: tuple[Callable[[], bytes], ...] = (
            lambda: data[:at],
            lambda: data[:at] + data[at + 1 :],
            lambda: data[:at] + hostile + data[at:],
            lambda: data[:at] + hostile + data[at + 1 :],
            lambda: (
                data[:at] + bytes([data[at] ^ (1 << self.below(8))]) + data[at + 1 :] if data[at:] else data
            ),
            lambda: data[:at] + data[start:at][-3:] + data[at:],
            lambda: b"\n".join(lines[: line + 1] + lines[line:]),
            lambda: b"\n".join(lines[:line] + lines[line + 1 :]),
            lambda: data.replace(b"\n", b"\r\n"),
            lambda: data.removesuffix(b"\n"),
            lambda: re.sub(
                rb"(width|height);\d+", rb"\1;%d" % (self.below(9), 10**12)[self.below(2)], data, count=1
            ),
            lambda: self.rng.bytes(self.below(40)),
        )
        return ways[self.below(len(ways))]()


def run(seed: int, inputs: int) -> Counter[str]:
    mutator = Mutator(seed)
    return Counter(check(mutator.file()) for _ in range(inputs))


def test_nearly_right_files() -> None:
    ends = run(0, 2500)
    assert min(ends[end] for end in ("read", "unreadable", "truncated", "wrong size")) > 100, ends


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 7))
def test_most_of_a_million_nearly_right_files(seed: int) -> None:
    ends = run(seed, 100_000)
    assert min(ends[end] for end in ("read", "unreadable", "truncated", "wrong size")) > 5_000, ends


@settings(max_examples=120, deadline=None)
@given(st.binary(max_size=300), st.booleans())
@example(b"", False)
@example(b"\n\n", False)
@example(b"", True)
def test_any_bytes(data: bytes, with_header: bool) -> None:
    check(HEADER % (2, 2) + data if with_header else data)


@settings(max_examples=120, deadline=None)
@given(
    st.lists(st.sampled_from([*CAMERA, *ODD, *WRONG, ";", "\n"]), max_size=30),
    st.integers(1, 4),
    st.integers(1, 4),
)
def test_any_order_of_values_and_separators(pieces: list[str], width: int, height: int) -> None:
    check(HEADER % (width, height) + ";".join(pieces).replace(";\n;", "\n").encode() + b"\n")


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_what_was_written_is_read(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    shape = data.draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    raw = data.draw(
        st.lists(st.integers(0, 2**14 - 1), min_size=shape[0] * shape[1], max_size=shape[0] * shape[1])
    )
    celsius = (0.04 * np.array(raw) - 273.15).round(2).astype(np.float32).reshape(shape)
    path = tmp_path_factory.getbasetemp() / "round-trip.csv"
    write_celsius(path, celsius)
    np.testing.assert_array_equal(read_celsius(path), celsius)
    assert check(path.read_bytes()) == "read"


@pytest.fixture(scope="module")
def frame(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A file of full size, around zero."""
    raw = np.random.default_rng(0).integers(6400, 7300, (252, 336))
    path = tmp_path_factory.mktemp("frame") / "a.csv"
    write_celsius(path, (0.04 * raw - 273.15).astype(np.float32))
    return path.read_bytes()


def test_whole_frames_spoilt(frame: bytes) -> None:
    expected = parse_celsius(frame, Path("a.csv"))
    assert check(frame) == "read"
    mutator, ends = Mutator(2), Counter[str]()
    for _ in range(80):
        try:
            values = parse_celsius(spoilt := mutator.spoilt(frame), Path("a.csv"))
        except CelsiusError as error:
            ends[error.reason] += 1
        else:
            ends["read"] += 1
            assert values.shape == expected.shape
            assert (values != expected).sum() <= 2, len(spoilt)
    assert min(ends["read"], ends["truncated"], ends["wrong size"]) > 2, ends


def test_sizes_without_the_data_take_no_memory() -> None:
    tracemalloc.start()
    try:
        for width, height in ((10**9, 10**9), (1, 10**12), (10**12, 1), (10**300, 10**300)):
            for body in (b"", b"5.25", b"5.25\n", b"5.25;5.25\n5.25;5.25\n"):
                assert check(HEADER % (width, height) + body) in ("truncated", "wrong size")
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "piece", [b";", b"\n", b".", b"-", b"5", b"5.25;", b"5.25\n", b"\n\n", b"sensor;\n", b"nan("]
)
def test_a_million_characters_of_one_kind_take_no_time(piece: bytes) -> None:
    start = time.process_time()
    for head in (b"", HEADER % (1000, 1000)):
        with pytest.raises(CelsiusError):
            parse_celsius(head + piece * (1_000_000 // len(piece)), Path("a.csv"))
    assert time.process_time() - start < 10
