"""Which thermal size is wanted: asked for, or clearly most files'; never turned around without a word."""

from pathlib import Path

import pandas as pd
import pytest

from sage_lightning.data.sizes import thermal_size, wanted
from sage_lightning.data.sources import SageSource
from sage_lightning.errors import UserError


def pairs(**counts: int) -> pd.DataFrame:
    """`w24x18=4`: so many pairs of this name."""
    sizes = [map(int, size[1:].split("x")) for size, count in counts.items() for _ in range(count)]
    table = pd.DataFrame(sizes, columns=["ir_width", "ir_height"], dtype="Int32")
    return table.assign(ir_path=[f"{row}.csv" for row in range(len(table))])


def test_one_size_is_wanted_and_nothing_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert wanted(SageSource(tmp_path), pairs(w24x18=3)) == ((18, 24), "", True)
    assert thermal_size(SageSource(tmp_path), pairs(w24x18=3)) == (18, 24)
    assert not caplog.text


def test_what_most_names_say_is_wanted_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for counts in ({"w24x18": 4, "w40x30": 2}, {"w40x30": 2, "w24x18": 4}):
        assert thermal_size(SageSource(tmp_path), pairs(**counts)) == (18, 24)
    assert "by name 4 of 24x18, 2 of 40x30" in caplog.text
    assert "24x18 is used, the others are wrong size; data.thermal_size=24x18" in caplog.text


@pytest.mark.parametrize("others", [3, 4, 5, 7])
def test_a_tie_or_a_small_majority_decides_nothing(tmp_path: Path, others: int) -> None:
    source, table = SageSource(tmp_path), pairs(w24x18=4, w40x30=others)
    assert wanted(source, table).size is None  # an index calls no pair wrong
    with pytest.raises(
        UserError, match=rf"{others} of 40x30.*say which, as data\.thermal_size=\d+x\d+; the others"
    ):
        thermal_size(source, table)
    assert thermal_size(SageSource(tmp_path, thermal_size="24x18"), table) == (18, 24)


def test_a_size_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"data\.thermal_size=24 is not a size"):
        SageSource(tmp_path, thermal_size="24")


def test_without_names_the_first_file_that_can_be_read_tells(tmp_path: Path) -> None:
    table = pairs(w24x18=2).assign(ir_width=pd.NA, ir_height=pd.NA)
    with pytest.raises(UserError, match="no thermal file can be read, and no name tells its size"):
        thermal_size(SageSource(tmp_path), table)
