"""Rules on what thermal values mean and how pictures look."""

from typing import Any

import pytest

from sage_lightning.config import config_dir
from sage_lightning.config.collection import FOLDER, units
from sage_lightning.config.look import look
from sage_lightning.data.sources import THERMAL_UNITS

NEED_DEGREES = ("Celsius", "Bins3")
HAVE_NONE = ("counts", "display")


@pytest.mark.parametrize("unit", THERMAL_UNITS)
@pytest.mark.parametrize("choice", ["Celsius", "Percentile", "Bins3"])
def test_every_unit_that_does_not_fit_a_thermal_choice_is_refused_in_one_line(unit: str, choice: str) -> None:
    thermal = {"_target_": f"sage_lightning.data.thermal.{choice}"}
    given = {"data": {"thermal_unit": unit, "source": {"_target_": FOLDER}}, "thermal": thermal}
    needs = f"thermal={choice.lower()} needs degrees"
    line = f"{needs}, and data.thermal_unit={unit} has none; use thermal=percentile"
    refused = choice in NEED_DEGREES and unit in HAVE_NONE
    assert list(units(given)) == ([line] if refused else [])


def test_these_are_all_choices_and_units() -> None:
    assert {path.stem.capitalize() for path in (config_dir() / "thermal").iterdir()} == {
        "Celsius",
        "Percentile",
        "Bins3",
    }
    assert set(THERMAL_UNITS) == {"celsius", "kelvin", *HAVE_NONE}
    given = {"data": {"thermal_unit": "celcius"}, "thermal": {"_target_": "x.Bins3"}}
    assert list(units(given)) == ["data.thermal_unit=celcius: not one of celsius, kelvin, counts, display"]


def test_looks_and_style_changes_that_go_together() -> None:
    def lines(style: Any, **data: Any) -> list[str]:
        return list(look({"data": data, "augment": {"style": style}}))

    style = {"_target_": "sage_lightning.data.style.Style"}
    assert lines(style, look="common") == lines(None, look="common") == lines(None, look="own") == []
    assert lines(None, look="grey") == ["data.look=grey: not one of own, common"]
    assert lines(style, look="grey") == ["data.look=grey: not one of own, common"]
    refused = "augment.style: its changes of sign and curve make no sense of colours; use data.look=common, "
    assert lines(style, look="own") == [f"{refused}or augment.style=null"]
    assert lines("strong", look="common") == [
        "augment.style=strong: a group of keys; use augment=multicrop_style"
    ]
    assert (
        lines(None) == list(look({"data": {}, "augment": {}})) == []
    )  # a run of before there were such keys
