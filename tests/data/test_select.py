"""An expression chooses pairs; it can do nothing else."""

import pandas as pd
import pytest

from sage_lightning.data.select import check_columns, columns_of, selected
from sage_lightning.errors import UserError

INDEX = pd.DataFrame(
    {
        "pair_id": list("abcde"),
        "view": pd.Series(["sky", "sky", "ground", None, "sky"], dtype="str"),
        "daylight": ["night", "day", "night", "night", "night"],
        "cloud_fraction": [0.1, 0.9, 0.5, None, 0.3],
        "status": ["ok", "ok", "ok", "ok", "quarantined"],
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
    line = r"data\.select=veiw == 'sky': no column veiw; the index has cloud_fraction, daylight, pair_id, "
    with pytest.raises(UserError, match=line):
        check_columns("veiw == 'sky'", INDEX)


@pytest.mark.parametrize("expression", ["cloud_fraction + 1", "'sky'", "view"])
def test_it_must_say_yes_or_no(expression: str) -> None:
    with pytest.raises(UserError, match="must say yes or no"):
        selected(expression, INDEX)


def test_what_cannot_be_compared_is_told_of() -> None:
    with pytest.raises(UserError, match="cannot be asked of the index"):
        selected("view < 3", INDEX)
