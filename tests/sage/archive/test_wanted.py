"""Records → the files that are wanted, and those that are not followed."""

import pandas as pd
import pytest

from sage_lightning.sage.archive.wanted import select

STORAGE = "https://storage.example.org/api/v1/data"
NODE = "000048b02d15bc42"
TIME = 1682899200123456789


def record(name: str, **changes):
    return {
        "timestamp": pd.Timestamp(TIME, tz="UTC"),
        "name": "upload",
        "value": f"{STORAGE}/sage/sage-mobotix-scan-0.24.8/{NODE}/{TIME}-{name}",
        "meta.filename": name,
        "meta.node": NODE,
        "meta.vsn": "W057",
    } | changes


def test_pictures_and_degrees_are_wanted_and_nothing_else():
    wanted = ["6144x2048_position10.jpg", "right_336x252_14bit.thermal.celsius_position10.csv"]
    others = [
        "right_336x252_14bit.thermal.celsius_plot_position10.jpg",
        "right_336x252_14bit.thermal.celsius_position10.nc",
        "right_336x252_14bit.thermal.uint.csv",
        "sample.jpg",
    ]
    records = pd.DataFrame([record(name) for name in wanted + others + wanted])
    records.loc[len(records)] = record("6144x2048.jpg") | {"name": "env.temperature"}
    selection = select(records, STORAGE)
    assert [file.path.partition(f"{TIME}-")[2] for file in selection.files] == wanted
    assert selection.refused == []
    file = selection.files[0]
    assert (file.label, file.position, file.time_ns) == ("W057", "10", TIME)


def test_columns_that_are_missing_are_not_needed():
    records = pd.DataFrame([record("6144x2048.jpg")]).drop(columns=["meta.vsn", "meta.node", "meta.filename"])
    (file,) = select(records, STORAGE).files
    assert (file.label, file.position) == (NODE, None)
    nothing = pd.DataFrame({"timestamp": pd.to_datetime([], utc=True), "name": [], "value": []})
    assert select(nothing, STORAGE).files == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"timestamp": pd.Timestamp(TIME + 1, tz="UTC")}, "differ in time"),
        ({"timestamp": pd.NaT}, "differ in time"),
        ({"timestamp": pd.Timestamp("3000-01-01T00:00:00Z")}, "differ in time"),
        ({"meta.node": "000048b02d05a0a4"}, "differ in node"),
        ({"meta.filename": "../6144x2048.jpg"}, "differ in filename"),
        ({"value": 3.5}, "not the address"),
        ({"value": "https://evil.example.org/x.jpg"}, "not below"),
    ],
)
def test_a_record_that_contradicts_its_address_is_refused(changes, reason):
    selection = select(pd.DataFrame([record("6144x2048.jpg", **changes)]), STORAGE)
    assert selection.files == []
    ((_, node, said),) = selection.refused
    assert reason in said
    assert node == "W057"


def test_a_vsn_that_is_none_is_not_shown():
    (file,) = select(pd.DataFrame([record("6144x2048.jpg", **{"meta.vsn": "\x1b[2J"})]), STORAGE).files
    assert file.label == NODE
