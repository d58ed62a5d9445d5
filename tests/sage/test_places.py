"""Positions, nodes and the sun."""

import datetime

import numpy as np
import pytest

from sage_lightning.sage.positions import azimuth, column_of, row_of
from sage_lightning.sage.sun import local_solar_time, sun_azimuth, sun_elevation

NS = 1_000_000_000


def ns(*moment: int) -> int:
    return int(datetime.datetime(*moment, tzinfo=datetime.UTC).timestamp()) * NS


def test_presets_are_eight_columns_of_four_rows() -> None:
    presets = [str(preset) for preset in range(1, 33)]
    assert [preset for preset in presets if row_of(preset) == "sky"] == [str(p) for p in range(1, 30, 4)]
    assert [column_of(preset) for preset in presets] == [column for column in range(8) for _ in range(4)]
    assert [azimuth(str(p)) for p in (1, 5, 9, 17, 25, 29)] == [180, 225, 270, 0, 90, 135]


@pytest.mark.parametrize(
    ("position", "row", "column"),
    [("NEH", "horizon", 5), ("SS", "sky", 0), ("WB", "below", 2), ("SEG", "ground", 7), ("4", "ground", 0)],
)
def test_directions(position: str, row: str, column: int) -> None:
    assert (row_of(position), column_of(position)) == (row, column)


@pytest.mark.parametrize("position", [None, "0", "33", "Pt3", "", "H", "NNH"])
def test_unknown_positions(position: str | None) -> None:
    assert row_of(position) is None
    assert column_of(position) is None
    assert azimuth(position) is None


def test_the_sun_at_equinox_and_solstice() -> None:
    # At the equator on the equinox it passes overhead; at 50° N on the solstice it reaches 90 − 50 + 23.44.
    assert sun_elevation(0.0, 0.0, ns(2024, 3, 20, 12, 7)) == pytest.approx(90, abs=0.5)
    assert sun_elevation(0.0, 50.0, ns(2024, 6, 20, 12, 2)) == pytest.approx(63.44, abs=0.1)
    assert sun_elevation(0.0, 50.0, ns(2024, 12, 21, 23, 58)) < -60
    assert sun_azimuth(0.0, 50.0, ns(2024, 6, 20, 12, 2)) == pytest.approx(180, abs=1)
    assert sun_azimuth(0.0, 50.0, ns(2024, 6, 20, 6, 0)) == pytest.approx(80, abs=10)


def test_local_solar_time_follows_longitude() -> None:
    noon = ns(2024, 1, 1, 12)
    longitudes, times = np.array([0.0, -90.0, 180.0, -180.0]), np.array([noon, noon, noon, noon - 1])
    days, hours = local_solar_time(longitudes, times)
    assert days.tolist() == ["2024-01-01", "2024-01-01", "2024-01-02", "2023-12-31"]
    assert hours[:3].tolist() == [12.0, 6.0, 0.0]
    assert hours[3] == pytest.approx(24.0)
    assert hours[3] < 24
