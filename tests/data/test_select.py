"""An expression chooses pairs; it can do nothing else."""

import pandas as pd
import pytest

from sage_lightning.data.select import check_columns, check_names, columns_of, selected
from sage_lightning.errors import UserError

TIMES = ["2023-05-01", "2023-05-01 12:00", "2023-05-02", None, "2023-06-01T00:00+02:00"]
INDEX = pd.DataFrame(
    {
        "pair_id": list("abcde"),
        "view": pd.Series(["sky", "sky", "ground", None, "sky"], dtype="str"),
        "daylight": ["night", "day", "night", "night", "night"],
        "cloud_fraction": [0.1, 0.9, 0.5, None, 0.3],
        "status": ["ok", "ok", "ok", "ok", "quarantined"],
        "time": pd.to_datetime(TIMES, utc=True, format="mixed").as_unit("ns"),
        "kind of sky": pd.Series(["a & b", "`", "a & b", None, "c"], dtype="str"),
        "class": [1, 2, 3, 4, 5],
    }
)


@pytest.mark.parametrize(
    ("expression", "pairs"),
    [
        ("view == 'sky' and daylight == 'night'", "ae"),
        ("view in ['sky', 'ground'] and not cloud_fraction > 0.4", "ae"),
        ("cloud_fraction * 2 >= 1", "bce"),
        ("cloud_fraction.notna()", "abce"),
        ("view.isna() | (daylight == 'day')", "bde"),
        ("view == 'sky' & daylight == 'night' | cloud_fraction == 0.5", "ace"),
        ("time >= '2023-05-01T12:00'", "bce"),
        ("not time >= '2023-05-01T14:00+02:00'", "ade"),
        ("'2023-05-01' < time <= '2023-05-02' and view == 'ground'", "ce"),
        ("time == '2023-05-01' or view.isna()", "ade"),
        ("time != '2023-05-01' and time.notna()", "bce"),
        ("time in ['2023-05-01', '2023-05-02']", "ace"),
        ("time == ['2023-05-01', '2023-05-02']", "ace"),
        ("time not in ('2023-05-01', '2023-05-02')", "bde"),
        ("(time > '2023-05-01') == (view == 'sky')", "bde"),
        ("`kind of sky` == 'a & b' and `kind of sky` != '`'", "ace"),
        ("`kind of sky`.isna() or `class` < 2", "ade"),
    ],
)
def test_what_it_says_is_what_is_used(expression: str, pairs: str) -> None:
    """Row e is in quarantine, of which the record stays."""
    assert "".join(selected(expression, INDEX)["pair_id"]) == pairs


@pytest.mark.parametrize(
    "expression",
    [
        "__import__('os').system('true')",
        "view.str.len() > 2",
        "@secret == 1",
        "view.__class__",
        "(lambda: 1)()",
        "[x for x in view]",
        "view.isna(1)",
        "pair_id == f'{view}'",
    ],
)
def test_it_compares_and_does_nothing_else(expression: str) -> None:
    with pytest.raises(UserError, match=r"data\.select=.*(not allowed|cannot be read)"):
        columns_of(expression)


def test_an_unknown_column_is_told_with_those_there_are() -> None:
    line = r"data\.select=veiw == 'sky': no column veiw; the index has class, cloud_fraction, daylight, "
    with pytest.raises(UserError, match=line):
        check_columns("veiw == 'sky'", INDEX)


@pytest.mark.parametrize("expression", ["cloud_fraction + 1", "'sky'", "view"])
def test_it_must_say_yes_or_no(expression: str) -> None:
    with pytest.raises(UserError, match="must say yes or no"):
        selected(expression, INDEX)


@pytest.mark.parametrize(
    ("expression", "line"),
    [
        ("view < 3", "view holds texts, and 3 is none; write it as '3'"),
        ("pair_id == 1", "pair_id holds texts, and 1 is none; write it as '1'"),
        ("-1 != pair_id", "pair_id holds texts, and -1 is none; write it as '-1'"),
        ("view == 'sky' and not pair_id in [1, 'a']", "pair_id holds texts, and 1 is none; write it as '1'"),
        ("`kind of sky` == 1", "kind of sky holds texts, and 1 is none; write it as '1'"),
        (
            "cloud_fraction == '0.5'",
            "cloud_fraction holds numbers, and '0.5' is a text; leave out the quotes",
        ),
        ("time > 2023", "time holds times, and 2023 is none; write one as '2023-05-01'"),
        ("time > 'soon'", "'soon' is no time; write one as '2023-05-01' or '2023-05-01 12:00'"),
    ],
)
def test_what_a_column_does_not_hold_is_told_before_anything_is_decoded(expression: str, line: str) -> None:
    with pytest.raises(UserError) as caught:
        check_columns(expression, INDEX)
    assert caught.value.lines == (f"data.select={expression}: {line}",)


@pytest.mark.parametrize("expression", ["view + 1 == 3", "'2023-05-01' in time", "time in '2023-05-01'"])
def test_what_cannot_be_compared_is_told_of(expression: str) -> None:
    with pytest.raises(UserError, match="cannot be asked of the index"):
        selected(expression, INDEX)


def test_the_columns_are_those_that_are_named() -> None:
    assert columns_of("`kind of sky` == 'x `view` & y' & time > '2023'") == {"kind of sky", "time"}


def test_a_table_s_own_column_is_named_as_the_index_has_it() -> None:
    line = "the index has group_label, view; the table's own group is group_label$"
    with pytest.raises(UserError, match=line):
        check_names("group == 1 and view == 'sky'", ["view", "group_label"])
