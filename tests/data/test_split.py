"""Splits are whole groups of pairs, local days by default, and no pair ever moves."""

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from sage_lightning.data.split import Split, dealt, unsaid
from sage_lightning.errors import UserError

BY_DAY = Split(val=0.1, test=0.25, by="day")


def days(count: int, start: str = "2024-01-01") -> pd.DataFrame:
    """Three pairs a day, of which one is in quarantine."""
    names = pd.date_range(start, periods=count).strftime("%Y-%m-%d").repeat(3)
    rows = range(3 * count)
    return pd.DataFrame(
        {
            "pair_id": [f"{day}-{row}" for day, row in zip(names, rows, strict=True)],
            "node": [f"n{row % 40}" for row in rows],
            "position": pd.Series([None if row % 5 == 0 else str(row % 5) for row in rows], dtype="str"),
            "sequence": pd.Series([None if row % 11 == 0 else row // 6 for row in rows], dtype="Int64"),
            "local_day": names,
            "status": ["ok", "ok", "quarantined"] * count,
        }
    )


def by(name: str, **options: Any) -> Split:
    return Split(**({"val": 0.2, "test": 0.3} | options), by=name)


def test_shares_are_about_those_asked_for() -> None:
    index = days(2000)
    shares = dealt(index, BY_DAY)[index["status"] == "ok"].value_counts(normalize=True)
    assert shares["test"] == pytest.approx(0.25, abs=0.03)
    assert shares["val"] == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize("kind", ["day", "node", "position", "sequence"])
def test_no_group_is_in_two_splits_and_quarantine_is_in_none(kind: str) -> None:
    index = days(200)
    index["split"] = dealt(index, by(kind))
    assert (index["split"] == "").eq(index["status"] != "ok").all()
    columns = {"day": ["local_day"], "position": ["node", "position"]}.get(kind, [kind])
    groups = index[index["status"] == "ok"].groupby(columns, dropna=kind != "position")["split"].nunique()
    if kind != "sequence":
        assert groups.eq(1).all()
    else:  # pairs of no sequence stand alone
        assert groups[groups.index.notna()].eq(1).all()
        assert index.loc[index["sequence"].isna() & (index["status"] == "ok"), "split"].nunique() == 3


@pytest.mark.parametrize("split", [BY_DAY, by("day", gap_days=1), by("sequence"), by("position")])
def test_added_data_moves_no_pair(split: Split) -> None:
    index = days(60)
    more = pd.concat([days(40, start="2023-06-01"), index, days(30, start="2025-01-01")], ignore_index=True)
    assert dealt(more, split)[120:300].tolist() == dealt(index, split).tolist()


def test_more_validation_days_leave_the_test_days() -> None:
    index = days(60)
    few, many = dealt(index, BY_DAY), dealt(index, Split(val=0.3, test=0.25, by="day"))
    assert (few == "test").eq(many == "test").all()


def test_the_seed_deals_anew() -> None:
    index = days(60)
    assert not dealt(index, BY_DAY).equals(dealt(index, Split(val=0.1, test=0.25, seed=1, by="day")))


def test_a_share_of_zero_does_without() -> None:
    assert set(dealt(days(3), Split(val=0.0, test=0.0, by="day"))) == {"train", ""}


@pytest.mark.parametrize("gap", [1, 3])
def test_a_gap_keeps_splits_apart_and_costs_the_test_days_nothing(gap: int) -> None:
    index = days(300)
    plain, split = dealt(index, by("day")), dealt(index, by("day", gap_days=gap))
    assert split.where(split != "", plain).equals(plain)
    assert (split == "test").equals(plain == "test")
    assert (split[(index["status"] == "ok")] == "").any()
    day = pd.to_datetime(index["local_day"])
    for one, other in (("train", "val"), ("train", "test"), ("val", "test")):
        days_of = [day[split == name].unique().to_numpy() for name in (one, other)]
        near = abs(days_of[0][:, None] - days_of[1][None, :])
        assert near.min() > pd.Timedelta(days=gap)


def test_given_splits_stay_and_others_are_dealt_from_training() -> None:
    index = days(60)
    given = pd.Series(["test" if row < 60 else "train" for row in range(180)], dtype="str")
    split = by("day")
    assert unsaid(given, split, "fold") == ("val",)
    found = dealt(index, replace(split, deal=("val",)), given)
    usable = index["status"] == "ok"
    assert (found[usable] == "test").equals(given[usable] == "test")
    assert 0 < (found == "val").sum() < 60


@pytest.mark.parametrize("deal", [("val",), ("test",), ("test", "val"), ()])
@pytest.mark.parametrize("count", [0, 1, 30])
def test_what_is_dealt_beside_given_splits_depends_on_no_other_row(deal: tuple[str, ...], count: int) -> None:
    index = days(60)
    given = pd.Series(["test"] * 6 + ["val"] * 6 + ["train"] * 168, dtype="str")
    split = replace(by("day"), deal=deal)
    more = days(20, start="2025-01-01")[:count]
    for name in ("train", "val", "test", "none"):
        said = pd.concat([given, pd.Series([name] * count, dtype="str")], ignore_index=True)
        found = dealt(pd.concat([index, more], ignore_index=True), split, said)
        assert found[:180].tolist() == dealt(index, split, given).tolist()
    drawn = set(found[12:180])
    assert drawn == {"train", "", *deal}


@pytest.mark.parametrize(("name", "share"), [("val", 0.2), ("test", 0.3)])
@pytest.mark.parametrize(("count", "rows"), [(1, "row says"), (2, "rows say")])
def test_a_row_or_two_of_a_split_are_asked_about(name: str, share: float, count: int, rows: str) -> None:
    given = pd.Series([name] * count + ["train"] * 20, dtype="str")
    with pytest.raises(
        UserError, match=rf"^data\.columns\.split=fold: only {count} {rows} {name}, .*={share}"
    ):
        unsaid(given, by("day"), "fold")
    assert unsaid(pd.concat([given, given[:1], given[:1]]), by("day"), "fold") == tuple(
        {"val", "test"} - {name}
    )


def test_of_a_large_table_a_tenth_of_the_share_is_few() -> None:
    given = pd.Series(["test"] * 100 + ["val"] * 20 + ["train"] * 1000, dtype="str")
    with pytest.raises(UserError, match=r"only 20 rows say val"):
        unsaid(given, by("day"), "fold")
    assert unsaid(given, replace(by("day"), val=0.1), "fold") == ()


def test_splits_dealt_beside_given_ones_need_given_ones() -> None:
    with pytest.raises(UserError, match=r"data\.split\.deal=\[val\]: no table says splits; leave it out"):
        dealt(days(60), replace(by("day"), deal=("val",)))
    with pytest.raises(UserError, match=r"data\.split\.deal=\[train\]: each must be val or test"):
        by("day", deal=("train",))


def test_a_gap_between_given_splits_is_refused() -> None:
    index = days(60)
    with pytest.raises(UserError, match=r"data\.split\.gap_days=1: the table says the splits"):
        dealt(index, by("day", gap_days=1), pd.Series("train", index.index))


@pytest.mark.parametrize("gap", [-1, 367, 10**8])
def test_a_gap_that_is_none_is_refused(gap: int) -> None:
    with pytest.raises(UserError, match=rf"data\.split\.gap_days={gap}: must be 0 to 366"):
        by("day", gap_days=gap)


def test_positions_of_two_nodes_are_two_groups() -> None:
    index = days(400)
    split = dealt(index, by("position"))
    usable = (index["status"] == "ok") & (index["position"] == "3")
    assert split[usable].nunique() == 3  # the same position of forty nodes


def test_a_split_without_a_day_is_refused() -> None:
    said = (
        r"data\.split\.val=0\.1, .*no day for val and test, .* there are 1: "
        r"change these shares or data\.split\.seed, or bring more days$"
    )
    with pytest.raises(UserError, match=said):
        dealt(days(1, start="2024-01-01"), Split(val=0.1, test=0.1, by="day"))


@pytest.mark.parametrize(("val", "test"), [(-0.1, 0.2), (0.5, 0.5), (1.0, 0.0), (float("nan"), 0.1)])
def test_shares_that_are_none_are_refused(val: float, test: float) -> None:
    with pytest.raises(UserError, match="must be in"):
        Split(val=val, test=test)


def test_an_unknown_column_is_refused_with_the_legal_ones() -> None:
    with pytest.raises(UserError, match=r"data\.split\.by=season: not one of day, node, position, .*seq"):
        dealt(days(9), by("season"))


def test_a_gap_without_days_is_refused() -> None:
    with pytest.raises(UserError, match=r"data\.split\.gap_days=1: splits by node have no days between"):
        by("node", gap_days=1)
