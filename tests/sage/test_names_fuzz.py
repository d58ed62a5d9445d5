"""Any text is a SageFile within bounds or None, in linear time; names read back as what they were made of."""

import time
from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sage_lightning.sage.names import SageFile, archive_path, parse_path, picture_name, thermal_name

POSITIONS = [
    None,
    *map(str, range(33)),
    *(side + row for side in ["N", "NE", "E", "SE", "S", "SW", "W", "NW"] for row in "SHBG"),
]
SIZES = st.tuples(st.integers(1, 99_999), st.integers(1, 99_999))
TIMES = st.integers(10**15, 2**63 - 1)
NODES = st.integers(0, 2**64 - 1).map("{:016x}".format)
WORDS = st.text("abcdefghijklmnopqrstuvwxyz0123456789.-", min_size=1, max_size=12).filter(
    lambda w: w.strip(".")
)

REAL = (
    "42/sage-mobotix-scan-0.24.8/000048b02d15bc42/1679000000123456789-6144x2048.jpg",
    "000048B02D15BC42/1679000000123456789_right_336x252_14bit.thermal.celsius_position32.csv",
    "1679000000123456789-right_336x252_14bit.thermal.celsius_plot_positionNEH.jpg",
    "6144x2048_2023-10-05T120000_Pt3-Left-S2xD500ms_Img7.jpg",
    "left_640x480_14bit.thermal.celsius_2023-10-05T120000_Pt12-Up-S2xD500ms_Img7.csv",
    "rgb_20230521-095736_W057_6144x2048_position10.jpeg",
    "thermal/20230521-095736_W057_right_336x252_14bit.thermal.celsius_position10.csv",
    "20230521_095736_thermal_celsius.csv",
)
PIECES = (
    *["0", "1", "9", "_", "-", ".", "/", "x", "Pt", "S", "D", "ms", "W", "A", "é", "٣", "²", "\x00", "\n"],
    " ",
    "\n",
    ".jpg",
    ".csv",
    "_position",
    "\ud800",
    "9" * 30,
)


def check(path: str) -> SageFile | None:
    file = parse_path(path)
    if file is not None:
        assert file.kind in ("picture", "thermal", "plot")
        assert file.node is None or (file.node.isascii() and file.node.isalnum()), path
        assert file.time_ns is None or 0 <= file.time_ns < 10**21, path
        assert file.position is None or (file.position.isascii() and file.position.isalnum()), path
        for size in (file.width, file.height):
            assert size is None or 0 <= size < 2**31, path  # an index holds it as int32
        assert path.rpartition("/")[2].isascii(), path
    return file


def run(seed: int, inputs: int) -> Counter[str]:
    """Real names with some characters spoilt."""
    rng = np.random.default_rng(seed)
    ends = Counter[str]()
    for chosen, edits, numbers in zip(
        rng.integers(len(REAL), size=inputs).tolist(),
        rng.integers(4, size=inputs).tolist(),
        rng.random((inputs, 9)).tolist(),
        strict=True,
    ):
        path = REAL[chosen]
        for edit in range(edits):
            at, way, piece = numbers[3 * edit : 3 * edit + 3]
            cut = int(at * (len(path) + 1))
            middle = (PIECES[int(piece * len(PIECES))], "", path[:cut][-4:])[int(way * 3)]
            path = path[:cut] + middle + path[cut + int(way * 9) % 3 :]
        file = check(path)
        ends["none" if file is None else file.kind] += 1
    return ends


def test_nearly_right_names() -> None:
    ends = run(0, 10_000)
    assert min(ends[end] for end in ("none", "picture", "thermal", "plot")) > 200, ends


@pytest.mark.slow
def test_the_rest_of_a_million_nearly_right_names() -> None:
    ends = run(1, 400_000)
    assert min(ends[end] for end in ("none", "picture", "thermal", "plot")) > 10_000, ends


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80) | st.lists(st.sampled_from([*PIECES, *REAL]), max_size=6).map("".join))
@example("9" * 5000 + "x1.jpg")  # more digits than `int` takes
@example("٦١٤٤x٢٠٤٨.jpg")
@example("00010101-000000_W057_6144x2048.jpg")
@example("99991231-235959_W057_6144x2048.jpg")
def test_any_text(path: str) -> None:
    check(path)


@pytest.mark.parametrize(
    "text", ["9" * 5000 + "x1.jpg", "1x" + "9" * 5000 + ".jpg", "1x9999999.jpg", "٦١٤٤x٢٠٤٨.jpg"]
)
def test_sizes_that_no_camera_has_are_no_names(text: str) -> None:
    assert parse_path(text) is None


def test_a_second_before_1970_is_no_time() -> None:
    file = parse_path("00010101-000000_W057_6144x2048.jpg")
    assert file == SageFile("picture", "W057", None, None, 6144, 2048)


@settings(max_examples=40, deadline=None)
@given(SIZES, TIMES, NODES, WORDS, WORDS, WORDS)
def test_archive_paths_read_back(
    size: tuple[int, int], time_ns: int, node: str, job: str, task: str, tag: str
) -> None:
    for position in POSITIONS:
        for kind, name in (
            ("picture", picture_name(*size, position)),
            ("thermal", thermal_name("left", *size, position)),
        ):
            path = archive_path(job, task, tag, node, time_ns, name)
            assert parse_path(path) == SageFile(kind, node, time_ns, position, *size)


@settings(max_examples=60, deadline=None)
@given(SIZES, TIMES, st.integers(1, 99), WORDS.filter(lambda word: "." not in word), st.integers(0, 10**6))
def test_points_of_a_custom_scan_read_back(
    size: tuple[int, int], time_ns: int, point: int, direction: str, image: int
) -> None:
    suffix = f"_2023-10-05T120000_Pt{point}-{direction}-S2xD500ms_Img{image}"
    for kind, name in (
        ("picture", picture_name(*size, None)),
        ("thermal", thermal_name("right", *size, None)),
    ):
        stem, _, extension = name.rpartition(".")
        path = f"{time_ns}_{stem}{suffix}.{extension}"
        assert parse_path(path) == SageFile(kind, None, time_ns, f"Pt{point}", *size)


@pytest.mark.parametrize(
    "repeated",
    [
        "9",
        "1x",
        "_",
        "-",
        "left_",
        "-S1",
        "-S1xD1",
        "-S1xD1ms_Img",
        "_position1",
        "_Pt1-",
        ".",
        "/",
        "a/",
        "W057_",
    ],
)
def test_long_names_take_linear_time(repeated: str) -> None:
    """A quadratic search would need minutes for these."""
    hostile = repeated * (300_000 // len(repeated))
    start = time.process_time()
    for real in REAL:
        name = real.rpartition("/")[2]
        for place in (0, len(name) // 3, len(name) // 2, len(name) - 4, len(name)):
            check(name[:place] + hostile + name[place:])
    assert time.process_time() - start < 20
