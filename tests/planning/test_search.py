"""The largest batch that fits is found, in few tries, and nothing hopeless is tried."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_lightning.planning.search import largest


@given(
    unit=st.integers(1, 50), most=st.integers(0, 5000), limit=st.integers(0, 6000), least=st.integers(1, 3)
)
def test_it_is_the_largest(unit: int, most: int, limit: int, least: int) -> None:
    tried: list[int] = []

    def fits(batch: int) -> bool:
        tried.append(batch)
        return batch <= limit

    legal = [batch for batch in range(unit, most + 1, unit) if batch >= least]
    assert largest(unit, most, fits, least) == max((b for b in legal if b <= limit), default=None)
    assert set(tried) <= set(legal)
    assert len(tried) <= 2 * math.log2(len(legal) + 1) + 2
    too_large = [batch for batch in tried if batch > limit]
    assert too_large == sorted(too_large, reverse=True)  # each less than the one before


@pytest.mark.parametrize(("most", "answer"), [(5, None), (6, 6), (13, 12)])
def test_where_all_fit_it_is_the_most(most: int, answer: int | None) -> None:
    assert largest(6, most, lambda batch: True) == answer
