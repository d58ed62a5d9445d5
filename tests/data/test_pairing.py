"""Who belongs to whom, on tables of files: what a folder's names alone would not show."""

import pandas as pd
import pytest

from sage_lightning.data.pairing import pair_files

NODE = "000048b02d15bc42"
NOON = 1_700_000_000_000_000_000
SIDES = {"picture": "rgb_path", "thermal": "ir_path"}


def table(*rows: dict[str, object]) -> pd.DataFrame:
    usual = {"node": NODE, "time_ns": NOON, "position": None, "width": None, "height": None}
    types = {"position": "str", "width": "Int32", "height": "Int32"}
    return pd.DataFrame([usual | row for row in rows]).astype(types)


def file(path: str, kind: str, **said: object) -> dict[str, object]:
    return {"path": path, "kind": kind} | said


@pytest.mark.parametrize(("kind", "other"), [("picture", "thermal"), ("thermal", "picture")])
@pytest.mark.parametrize("longest", ["a", "b", "c"])
def test_of_copies_the_longest_is_taken(kind: str, other: str, longest: str) -> None:
    copies = [file(path, kind, bytes=9 if path == longest else 5) for path in "abc"]
    index = pair_files(table(*copies, file("d", other, bytes=1)))
    pair = index[index["status"] == "ok"]
    assert pair[[SIDES[kind], SIDES[other]]].to_numpy().tolist() == [[longest, "d"]]
    rest = index[index["status"] != "ok"]
    assert rest["reason"].tolist() == ["duplicate"] * 2
    assert {*rest[SIDES[kind]]} == {*"abc"} - {longest}


@pytest.mark.parametrize("lengths", [{"bytes": 5}, {}])
def test_of_copies_as_long_the_first_by_path_is_taken(lengths: dict[str, int]) -> None:
    index = pair_files(table(*(file(path, "picture", **lengths) for path in "cab"), file("d", "thermal")))
    assert index.loc[index["status"] == "ok", "rgb_path"].tolist() == ["a"]


def test_a_longer_file_of_another_moment_position_or_kind_is_no_copy() -> None:
    later = {"time_ns": NOON + 1, "bytes": 9}
    index = pair_files(
        table(
            file("a", "picture", position="1", bytes=5),
            file("b", "picture", position="2", bytes=9),
            file("c", "thermal", position="1", bytes=5),
            file("d", "thermal", position="2", bytes=5),
            file("e", "picture", **later),
            file("f", "thermal", **later),
        )
    )
    assert index["reason"].tolist() == [""] * 3
    pairs = zip(index["rgb_path"], index["ir_path"], strict=True)
    assert sorted(pairs) == [("a", "c"), ("b", "d"), ("e", "f")]


def test_files_without_a_time_are_no_copies_of_each_other() -> None:
    index = pair_files(table(*(file(path, "picture", time_ns=-1, bytes=5) for path in "ab")))
    assert index["reason"].tolist() == ["no timestamp"] * 2


def test_what_a_list_names_comes_before_a_longer_file_that_none_names() -> None:
    index = pair_files(
        table(
            file("a", "thermal", bytes=9, listed=None),
            file("b", "thermal", bytes=5, listed="pairs/x.txt"),
            file("c", "picture", bytes=5, listed="pairs/x.txt"),
        )
    )
    assert index.loc[index["status"] == "ok", "ir_path"].tolist() == ["b"]


@pytest.mark.parametrize("bad", ["picture", "thermal"])
@pytest.mark.parametrize("alone", [False, True])
def test_a_pair_of_which_one_file_was_put_aside_is_bad(bad: str, alone: bool) -> None:
    files = table(*(file(kind, kind, bad=kind == bad) for kind in SIDES if kind == bad or not alone))
    [reason] = pair_files(files)["reason"]
    assert reason == "marked bad"


def test_of_several_plots_one_stands_for_the_picture() -> None:
    files = [
        file("a", "thermal", time_ns=NOON - 1),
        file("b", "thermal"),
        file("c", "thermal", time_ns=NOON + 1),
    ]
    plots = [file(path, "plot") for path in ("x", "y", "z")]
    index = pair_files(table(*files, *plots))
    assert index["ir_path"].tolist() == ["a", "b", "c"]
    assert index["reason"].tolist() == ["partner missing", "plot instead of picture", "partner missing"]
    assert index["rgb_path"].fillna("").tolist() == ["", "x", ""]


@pytest.mark.parametrize("place", ["archive", "bad_pairs", "sage"])
@pytest.mark.parametrize("listed", [None, "pairs/1.txt"])
def test_a_frame_that_someone_put_aside_is_bad_wherever_its_copies_lie(
    place: str, listed: str | None
) -> None:
    copies = [file(f"{place}/{kind}", kind, bytes=9, listed=listed, bad=False) for kind in SIDES]
    aside = [file(f"bad_pairs/aside/{kind}", kind, bytes=5, listed=None, bad=True) for kind in SIDES]
    index = pair_files(table(*copies, *aside).astype({"listed": "str"}))
    told = index.set_index("reason")
    assert sorted(index["reason"]) == ["duplicate", "duplicate", "marked bad"]
    assert told.loc["marked bad", "rgb_path"] == "bad_pairs/aside/picture"
    assert told.loc["marked bad", "ir_path"] == "bad_pairs/aside/thermal"


@pytest.mark.parametrize("empty", [*SIDES])
@pytest.mark.parametrize("alone", [True, False])
def test_a_file_that_holds_nothing_is_truncated(empty: str, alone: bool) -> None:
    rows = [file(kind, kind, bytes=0 if kind == empty else 5) for kind in SIDES if kind == empty or not alone]
    [row] = pair_files(table(*rows)).to_dict("records")
    assert (row["status"], row["reason"]) == ("quarantined", "truncated")


def test_an_empty_copy_is_truncated_and_an_empty_plot_is_a_plot() -> None:
    rows = [file("a", "thermal", bytes=5), file("b", "thermal", bytes=0), file("c", "plot", bytes=0)]
    index = pair_files(table(*rows)).set_index("ir_path")["reason"]
    assert index.to_dict() == {"a": "plot instead of picture", "b": "truncated"}
    [bad] = pair_files(table(file("a", "picture", bytes=0, bad=True)))["reason"]
    assert bad == "marked bad"


def test_a_plot_stands_for_the_picture_of_its_own_position_alone() -> None:
    """Three positions share a moment, as whole seconds may; one of them has a plot, and one a picture."""
    thermals = [file(f"t{position}", "thermal", position=position) for position in "123"]
    plots = [file("p1", "plot", position="1"), file("p9", "plot", position="9"), file("p", "plot")]
    index = pair_files(table(*thermals, *plots)).set_index("ir_path")
    assert index["rgb_path"].fillna("").to_dict() == {"t1": "p1", "t2": "", "t3": ""}
    assert index["reason"].to_dict() == {
        "t1": "plot instead of picture",
        "t2": "partner missing",
        "t3": "partner missing",
    }
    whole = pair_files(table(*thermals, file("r1", "picture", position="1"), *plots)).set_index("ir_path")
    assert whole["rgb_path"].fillna("").to_dict() == {"t1": "r1", "t2": "", "t3": ""}


def test_at_a_moment_of_one_position_any_plot_will_do() -> None:
    """Two plugins raced: the two may name different positions."""
    index = pair_files(table(file("t", "thermal", position="1"), file("p", "plot", position="2")))
    assert index["reason"].tolist() == ["plot instead of picture"]
