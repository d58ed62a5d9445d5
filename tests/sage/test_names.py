"""Names: what each of the plugins' forms says, and what is not theirs."""

import pytest

from sage_lightning.sage.names import SageFile, archive_path, parse_path, picture_name, thermal_name

NODE, TIME = "000048b02d15bc42", 1_679_000_000_123_456_789
CUSTOM = "_2023-10-05T120000_Pt3-Left-S2xD500ms_Img7"


@pytest.mark.parametrize("position", [None, "0", "1", "32", "NEH", "SS", "SWB", "WG"])
def test_archive_paths_read_back(position: str | None) -> None:
    for kind, name, size in (
        ("picture", picture_name(6144, 2048, position), (6144, 2048)),
        ("thermal", thermal_name("right", 336, 252, position), (336, 252)),
    ):
        path = archive_path("42", "mobotix-scan", "0.24.8", NODE, TIME, name)
        assert parse_path(path) == SageFile(kind, NODE, TIME, position, *size)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"{TIME}_6144x2048.jpg", SageFile("picture", None, TIME, None, 6144, 2048)),
        (
            f"{NODE.upper()}/{TIME}_right_336x252_14bit.thermal.celsius.csv",
            SageFile("thermal", NODE, TIME, None, 336, 252),
        ),
        (f"{TIME}-6144x2048_position7.jpg", SageFile("picture", None, TIME, "7", 6144, 2048)),
        (
            f"a/{TIME}-left_640x480_14bit.thermal.celsius_positionNEH.csv",
            SageFile("thermal", None, TIME, "NEH", 640, 480),
        ),
        (f"{TIME}-6144x2048{CUSTOM}.jpg", SageFile("picture", None, TIME, "Pt3", 6144, 2048)),
        (
            f"{TIME}-right_336x252_14bit.thermal.celsius{CUSTOM}.csv",
            SageFile("thermal", None, TIME, "Pt3", 336, 252),
        ),
        (
            f"{TIME}-right_336x252_14bit.thermal.celsius_plot_position3.jpg",
            SageFile("plot", None, TIME, "3", 336, 252),
        ),
        ("6144x2048_position3.jpg", SageFile("picture", None, None, "3", 6144, 2048)),
    ],
)
def test_other_forms(path: str, expected: SageFile) -> None:
    assert parse_path(path) == expected


@pytest.mark.parametrize(
    "path",
    [
        "holiday.jpg",
        "nodes.csv",
        f"{TIME}-right_336x252_14bit.thermal.uint.csv",
        f"{TIME}_right_336x252_14bit.thermal.raw",
        f"{TIME}-right_336x252_14bit.thermal.celsius_position3.nc",
        f"{TIME}-6144x2048_positionXYZ.jpg",
        f"{TIME}-6144x2048_position3.jpg.part",
    ],
)
def test_what_is_not_theirs(path: str) -> None:
    assert parse_path(path) is None


SECOND = 1_684_663_056_000_000_000  # 2023-05-21 09:57:36 UTC


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            "rgb/processed/rgb_20230521-095736_W057_6144x2048_position10.jpg",
            SageFile("picture", "W057", SECOND, "10", 6144, 2048),
        ),
        (
            "thermal/20230521-095736_W057_right_336x252_14bit.thermal.celsius_position10.csv",
            SageFile("thermal", "W057", SECOND, "10", 336, 252),
        ),
        (
            "thermal/20230521-095736_W057_right_336x252_14bit.thermal.celsius.csv",
            SageFile("thermal", "W057", SECOND, None, 336, 252),
        ),
        ("20230521_095736_thermal_celsius.csv", SageFile("thermal", None, SECOND, None, None, None)),
        ("20231321_095736_thermal_celsius.csv", SageFile("thermal", None, None, None, None, None)),
        (f"{TIME}-right_336x252_14bit.thermal.celsius_position3.nc", None),
    ],
)
def test_names_with_whole_seconds(path: str, expected: SageFile | None) -> None:
    assert parse_path(path) == expected
