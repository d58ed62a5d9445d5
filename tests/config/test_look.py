"""Rules on what thermal values mean and how pictures look."""

from typing import Any

from sage_lightning.config.collection import units
from sage_lightning.config.look import look


def test_a_thermal_choice_that_needs_degrees() -> None:
    def asks(unit: str, choice: str) -> list[str]:
        thermal = {"_target_": f"sage_lightning.data.thermal.{choice}"}
        return list(units({"data": {"thermal_unit": unit}, "thermal": thermal}))

    line = "thermal=bins3 needs degrees, and data.thermal_unit=display has none; use thermal=percentile"
    assert asks("display", "Bins3") == [line]
    assert asks("display", "Percentile") == asks("kelvin", "Bins3") == []
    assert asks("celcius", "Bins3") == [
        "data.thermal_unit=celcius: not one of celsius, kelvin, counts, display"
    ]


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
