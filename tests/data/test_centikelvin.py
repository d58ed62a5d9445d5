"""The uint16 code is used where it loses nothing, and only there."""

import numpy as np
import pytest

from sage_lightning.data.centikelvin import decode, encode


def test_every_code_is_the_float32_nearest_to_the_printed_number() -> None:
    codes = np.arange(1, 65536, dtype=np.uint16)
    printed = [f"{code / 100 - 273.15:.2f}" for code in codes.tolist()]
    celsius = np.array([np.float32(text) for text in printed])
    assert np.array_equal(decode(codes), celsius)
    assert np.array_equal(encode(celsius), codes)


def test_missing_stays_missing() -> None:
    celsius = np.array([[np.nan, 7.5], [-44.07, np.nan]], np.float32)
    code = encode(celsius)
    assert code is not None
    assert (code == 0).tolist() == np.isnan(celsius).tolist()
    assert np.array_equal(decode(code), celsius, equal_nan=True)


@pytest.mark.parametrize("value", [-273.15, -300.0, 382.21, 7.505, np.inf, np.pi])
def test_what_would_be_lost_is_refused(value: float) -> None:
    assert encode(np.array([20.0, value], np.float32)) is None
