"""Splits are whole local days, and no pair ever moves."""

import pandas as pd
import pytest

from sage_lightning.data.split import by_day
from sage_lightning.errors import UserError


def days(count: int, start: str = "2024-01-01") -> pd.DataFrame:
    """Three pairs a day, of which one is in quarantine."""
    names = pd.date_range(start, periods=count).strftime("%Y-%m-%d").repeat(3)
    return pd.DataFrame({"local_day": names, "status": ["ok", "ok", "quarantined"] * count})


def test_shares_are_about_those_asked_for() -> None:
    index = days(2000)
    split = by_day(index, val=0.1, test=0.25, seed=0)[index["status"] == "ok"]
    shares = split.value_counts(normalize=True)
    assert shares["test"] == pytest.approx(0.25, abs=0.03)
    assert shares["val"] == pytest.approx(0.1, abs=0.02)


def test_no_day_is_in_two_splits_and_quarantine_is_in_none() -> None:
    index = days(100)
    index["split"] = by_day(index, val=0.1, test=0.25, seed=3)
    assert (index["split"] == "").eq(index["status"] != "ok").all()
    usable = index[index["status"] == "ok"]
    assert usable.groupby("local_day")["split"].nunique().eq(1).all()


def test_added_data_moves_no_pair() -> None:
    index = days(60)
    more = pd.concat([days(40, start="2023-06-01"), index, days(30, start="2025-01-01")], ignore_index=True)
    before, after = by_day(index, 0.1, 0.25, 0), by_day(more, 0.1, 0.25, 0)
    assert after[120:300].tolist() == before.tolist()


def test_more_validation_days_leave_the_test_days() -> None:
    index = days(60)
    few, many = by_day(index, 0.1, 0.25, 0), by_day(index, 0.3, 0.25, 0)
    assert (few == "test").eq(many == "test").all()


def test_the_seed_deals_anew() -> None:
    index = days(60)
    assert not by_day(index, 0.1, 0.25, 0).equals(by_day(index, 0.1, 0.25, 1))


def test_a_share_of_zero_does_without() -> None:
    assert set(by_day(days(3), 0.0, 0.0, 0)) == {"train", ""}


def test_a_split_without_a_day_is_refused() -> None:
    said = (
        r"data\.split\.val=0\.1, .*no day for val and test, .* there are 1: "
        r"change these shares or data\.split\.seed, or bring more days$"
    )
    with pytest.raises(UserError, match=said):
        by_day(days(1, start="2024-01-01"), 0.1, 0.1, 0)


@pytest.mark.parametrize(("val", "test"), [(-0.1, 0.2), (0.5, 0.5), (1.0, 0.0), (float("nan"), 0.1)])
def test_shares_that_are_none_are_refused(val: float, test: float) -> None:
    with pytest.raises(UserError, match="must be in"):
        by_day(days(10), val, test, 0)
