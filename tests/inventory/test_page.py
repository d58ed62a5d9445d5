"""The page and its pictures: of what there is, whatever is missing, and the same for the same files."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from sage_lightning.inventory.collection import Collection
from sage_lightning.inventory.coverage import COLUMNS, coverage
from sage_lightning.inventory.page import write_page
from sage_lightning.inventory.rows import rows_of
from sage_lightning.inventory.run import take, write_tables
from sage_lightning.inventory.summary import headline, print_summary
from sage_lightning.inventory.tables import bins, duration, moment, percent, plain, whole

NORTH, SOUTH, NOWHERE = "a" * 16, "b" * 16, "c" * 16


@pytest.fixture
def inventory_of(index_of, nodes, frames):
    """inventory_of(files, nodes=…, with_frames=…): of files whose thermal frames are noise."""

    def made(files, nodes=nodes, with_frames=True):
        index = index_of(files, nodes=nodes)
        rng = np.random.default_rng(0)
        held = {path: rng.normal(0, 20, (3, 4)).astype(np.float32) for path in index["ir_path"].dropna()}
        source = frames(held) if with_frames else None
        collection = Collection("a collection", index, source, nodes)
        return take(collection, thresholds=(-30.0, 5.0), frames_per_group=2)

    return made


ODD = {
    "nothing odd": [
        ("pair", NORTH, "1", f"2023-06-0{day} 1{hour}:00") for day in range(1, 9) for hour in range(5)
    ],
    "a single frame": [("pair", NORTH, "1", "2023-06-01")],
    "no positions": [("pair", NORTH, None, f"2023-06-0{day}") for day in range(1, 9)],
    "all in quarantine": [("picture", NORTH, "1", "2023-06-01"), ("thermal", SOUTH, "1", "2023-06-01")],
    "no times": [("picture", NORTH, "1", ""), ("thermal", NORTH, "1", "")],
    "no places": [("pair", NOWHERE, "1", f"2023-06-0{day}") for day in range(1, 9)],
    "some places": [
        ("pair", node, "1", f"2023-06-0{day}") for day in range(1, 9) for node in (NORTH, NOWHERE)
    ],
}


@pytest.mark.parametrize(("odd", "with_frames"), [*((odd, True) for odd in ODD), ("nothing odd", False)])
def test_odd_collections_have_a_sensible_page(inventory_of, tmp_path, capsys, odd, with_frames):
    found = inventory_of(ODD[odd], with_frames=with_frames)
    write_tables(found, tmp_path)
    print_summary(found)
    page = write_page(found, tmp_path, {"command": "none"}).read_text()
    assert headline(found) in page
    assert not re.search(r"\b(nan|NaT|None|NaN)\b", page.replace("'none'", ""))
    assert not re.search(r"\b(nan|NaT|None|NaN)\b", capsys.readouterr().out)
    assert (tmp_path / "coverage.png").exists() == (odd != "no times")
    assert (tmp_path / "temperatures.png").exists() == (found.temperatures is not None)
    assert (found.temperatures is not None) == (with_frames and found.pairs > 0)
    assert set(pd.read_csv(tmp_path / "counts.csv")) >= {"pairs", "quarantined_files"}


def test_the_page_needs_no_other_file(inventory_of, tmp_path):
    page = write_page(inventory_of(ODD["nothing odd"]), tmp_path, {}).read_text()
    loads = re.findall(r"""(?:src|href|poster|data|action)\s*=\s*["']([^"']*)|url\(\s*["']?([^"')]*)""", page)
    targets = {first or second for first, second in loads}
    assert len(targets) > 5
    assert {target for target in targets if not target.startswith(("#", "data:"))} == set()
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(set(ids)) == len(ids)


def test_the_same_files_give_the_same_bytes(inventory_of, tmp_path):
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
        found = inventory_of(ODD["some places"] + ODD["all in quarantine"])
        write_tables(found, folder)
        write_page(found, folder, {"command": "the same"})
    names = sorted(path.name for path in folders[0].iterdir())
    assert names == sorted(
        [f"{name}.csv" for name in ("bins", "counts", "excluded", "gaps", "rates", "temperatures")]
        + ["coverage.png", "inventory.html", "temperatures.png"]
    )
    for name in names:
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name


def test_long_tables_are_cut_and_say_where_the_rest_is(inventory_of, capsys):
    files = [("pair", NORTH, str(position), "2023-06-01") for position in range(1, 31)]
    print_summary(inventory_of([(*file[:3], f"2023-06-{day + 1:02d}") for day, file in enumerate(files)]))
    said = capsys.readouterr().out
    assert "… 14 more in counts.csv" in said
    assert "… 15 more in rates.csv" in said  # with the node as a whole


def test_coverage_colours_what_is_there(index_of, nodes, tmp_path):
    """A pair by day at the left edge, one by night in the middle, a lone picture at the right edge."""
    files = [
        ("pair", NORTH, "1", "2023-06-10 18:00"),
        ("pair", NORTH, "1", "2023-06-11 06:00"),
        ("picture", NORTH, "1", "2023-06-11 18:00"),
    ]
    figure = coverage(rows_of(index_of(files), nodes), {NORTH: "W057"})
    (axis,) = figure.axes
    (image,) = axis.get_images()
    drawn = np.asarray(image.get_array())
    assert drawn.shape[1:] == (COLUMNS, 4)
    columns = np.flatnonzero((drawn[..., 3] > 0).any(axis=0))
    assert columns.tolist() == [0, COLUMNS // 2, COLUMNS - 1]
    colours = [drawn[:, column][drawn[:, column, 3] > 0][0, :3].tolist() for column in columns]
    assert colours[0][0] > colours[0][2]  # day is warm
    assert colours[1][2] > colours[1][0]  # night is blue
    assert colours[2][0] > 200 > colours[2][1]  # quarantine is red
    figure.savefig(tmp_path / "x.png")
    with Image.open(tmp_path / "x.png") as picture:
        assert picture.width > 500


def test_numbers_are_written_as_people_read_them():
    assert [whole(1234567), whole(float("nan")), percent(0.1234), percent(0.0)] == [
        "1 234 567",
        "–",
        "12.3 %",
        "0.0 %",
    ]
    assert [plain(0.00423), plain(12.34), plain(1234.5), plain(0.0), plain(-3.21)] == [
        "0.0042",
        "12.3",
        "1 234",
        "0.0",
        "-3.2",
    ]
    assert [duration(hours) for hours in (1 / 60, 0.5, 3.0, 100.0, float("nan"))] == [
        "60.0 s",
        "30.0 min",
        "3.0 h",
        "4.2 d",
        "–",
    ]
    assert moment(pd.NaT) == "–"


def test_histograms_of_letters_have_no_holes_and_one_scale(inventory_of):
    found = inventory_of([("pair", NORTH, "1", "2023-06-02"), ("pair", SOUTH, "1", "2023-06-02")])
    held = {"node": [NORTH, NORTH, SOUTH], "season": ["summer", "summer", "winter"], "view": ["sky"] * 3}
    numbers = {
        "low": [0.0, 2.0, 2.0],
        "high": [1.0, 3.0, 3.0],
        "pixels": [3, 1, 8],
        "share": [0.75, 0.25, 1.0],
    }
    table = pd.DataFrame(held | numbers)
    shown = bins(found, dataclasses.replace(found.temperatures, histograms=table))
    assert shown.bars == "0 … 3 °C"
    assert [line.rstrip() for line in shown.table[shown.bars]] == ["█ ▃", "  █"]
    assert list(shown.table)[-3:] == ["< -30", "-30 … 5", "≥ 5"]
    assert shown.table["node"].tolist() == ["W057", "W099"]
