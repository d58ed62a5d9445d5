"""Frames whose files lie in two layouts: local copies by VSN and second, the archive by id and nanosecond."""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sage_lightning.config.collection import pairs as pairs_rule
from sage_lightning.data.catalogue import Catalogue
from sage_lightning.data.index import add_place_and_time
from sage_lightning.data.scan import scan_folder
from sage_lightning.sage.nodes import Node, NodeTable, write_nodes

NODE, OTHER = "000048b02d15bc42", "000048b02d15bc43"
NS = 1_684_673_856_123_456_789  # 2023-05-21 12:57:36 and a bit, UTC
SECOND = 10**9
W057 = Node(NODE, "W057", -87.9, 41.7)
NODES = NodeTable([W057])


def local(kind: str, position: str | None = "10", second: int = 36, vsn: str = "W057") -> str:
    when, suffix = f"20230521-1257{second}", "" if position is None else f"_position{position}"
    if kind == "rgb":
        return f"rgb/rgb_{when}_{vsn}_6144x2048{suffix}.jpg"
    return f"thermal/{when}_{vsn}_right_336x252_14bit.thermal.celsius{suffix}.csv"


def archive(kind: str, position: str | None = "10", time: int = NS, node: str = NODE) -> str:
    name = "6144x2048{}.jpg" if kind == "rgb" else "right_336x252_14bit.thermal.celsius{}.csv"
    return f"1/{node}/{time}-{name.format('' if position is None else f'_position{position}')}"


def write(root: Path, *paths: str, text: str = "x") -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def index(root: Path, *paths: str, nodes: NodeTable = NODES) -> pd.DataFrame:
    write(root, *paths)
    return add_place_and_time(scan_folder(root, nodes=nodes).index, nodes)


def reasons(table: pd.DataFrame) -> dict[str, str]:
    """The reason of every file, by path; fails where a path stands twice."""
    sides = [table[[side, "reason"]].dropna().set_index(side)["reason"] for side in ("rgb_path", "ir_path")]
    both = pd.concat(sides)
    assert both.index.is_unique
    return both.to_dict()


@pytest.mark.parametrize(("one", "other"), [(local, archive), (archive, local)])
def test_a_frame_of_two_layouts_is_a_pair_of_the_exact_time(tmp_path: Path, one, other) -> None:  # type: ignore[no-untyped-def]
    [row] = index(tmp_path, one("rgb"), other("ir")).to_dict("records")
    assert (row["status"], row["node"], row["position"]) == ("ok", NODE, "10")
    assert row["time"].value == NS
    assert row["pair_id"] == f"{NODE}-{NS}"
    assert (row["rgb_path"], row["ir_path"]) == (one("rgb"), other("ir"))


def test_without_a_node_table_nobody_knows_that_they_are_one_node(tmp_path: Path) -> None:
    found = index(tmp_path, local("rgb"), archive("ir"), nodes=NodeTable())
    assert set(found["reason"]) == {"partner missing"}


def test_local_pairs_keep_the_name_that_they_had_without_a_table(tmp_path: Path) -> None:
    files = [local(kind, second=second) for kind in ("rgb", "ir") for second in (36, 37)]
    plain, known = index(tmp_path, *files, nodes=NodeTable()), index(tmp_path)
    assert known["pair_id"].tolist() == plain["pair_id"].tolist()
    assert set(known["node"]) == {NODE}


@pytest.mark.parametrize("position", ["10", None])
@pytest.mark.parametrize("longer", [local, archive])
def test_a_frame_that_is_there_in_both_layouts_is_one_pair(tmp_path: Path, position, longer) -> None:  # type: ignore[no-untyped-def]
    files = [name(kind, position) for name in (local, archive) for kind in ("rgb", "ir")]
    write(tmp_path, *files)
    write(tmp_path, *(longer(kind, position) for kind in ("rgb", "ir")), text="longer")
    table = index_of(tmp_path)
    usable = table[table["status"] == "ok"]
    assert usable[["rgb_path", "ir_path"]].to_numpy().tolist() == [
        [longer("rgb", position), longer("ir", position)]
    ]
    assert sorted(reasons(table).values()) == ["", "", "duplicate", "duplicate"]


def index_of(root: Path) -> pd.DataFrame:
    return scan_folder(root, nodes=NODES).index


def test_of_two_frames_of_one_second_a_copy_without_a_position_may_be_either(tmp_path: Path) -> None:
    times = (NS, NS + 1)
    exact = [archive(kind, None, time) for kind in ("rgb", "ir") for time in times]
    copies = [local(kind, None) for kind in ("rgb", "ir")]
    found = reasons(index(tmp_path, *exact, *copies))
    assert found == dict.fromkeys(exact, "") | dict.fromkeys(copies, "ambiguous")


def test_of_two_frames_of_one_second_the_position_tells(tmp_path: Path) -> None:
    exact = [archive("rgb", "10"), archive("rgb", "11", NS + 1), archive("ir", "11", NS + 1)]
    found = index(tmp_path, *exact, local("ir", "10"), local("ir", "11"), local("rgb", "12"))
    assert reasons(found) == {
        **dict.fromkeys(exact, ""),
        local("ir", "10"): "",
        local("ir", "11"): "duplicate",
        local("rgb", "12"): "partner missing",  # of another frame
    }


def test_local_frames_of_several_positions_do_not_disturb_an_exact_one(tmp_path: Path) -> None:
    locals_ = [local(kind, position) for kind in ("rgb", "ir") for position in ("10", "11")]
    nameless = [archive(kind, None) for kind in ("rgb", "ir")]
    found = reasons(index(tmp_path, *nameless, *locals_))
    assert found == dict.fromkeys(nameless, "") | dict.fromkeys(locals_, "ambiguous")


@pytest.mark.parametrize("seed", range(6))
def test_a_second_layout_takes_no_pair_away_and_no_frame_is_used_twice(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    frames = [(int(second), int(part), int(rng.integers(1, 3))) for second, part in product(range(5), (1, 7))]
    frames = [frame for frame in frames if rng.random() < 0.7]
    start = NS // SECOND * SECOND
    for name in (archive, local):
        for second, part, position in frames:
            if name is archive or rng.random() < 0.7:
                when = (
                    {"time": start + second * SECOND + part} if name is archive else {"second": 36 + second}
                )
                files = [name(kind, str(position), **when) for kind in ("rgb", "ir")]
                write(tmp_path, *(file for file in files if name is archive or rng.random() < 0.8))
        table = index_of(tmp_path)
        usable = table[table["status"] == "ok"]
        assert usable["time"].astype("int64").tolist() == sorted(
            start + second * SECOND + part for second, part, _ in frames
        )
        assert usable["rgb_path"].str.startswith("1/").all()


def test_raced_names_of_two_layouts_are_a_mismatch(tmp_path: Path) -> None:
    found = index(tmp_path, local("rgb", "10"), archive("ir", "11"))
    assert found["reason"].tolist() == ["position mismatch"]


@pytest.mark.parametrize("seed", range(3))
def test_what_is_kept_is_what_is_made_anew(tmp_path: Path, seed: int) -> None:
    rng, root = np.random.default_rng(seed), tmp_path / "files"
    moved = NodeTable(
        [
            Node(NODE, "W057", -88, 41, valid_to=NS + 2 * SECOND),
            Node(OTHER, "W057", -89, 41, valid_from=NS + 2 * SECOND),
        ]
    )
    made = [
        local(kind, position, 36 + second)
        for kind in ("rgb", "ir")
        for position in ("1", None)
        for second in range(4)
    ]
    made += [
        archive(kind, position, NS + second * SECOND + part, node)
        for kind in ("rgb", "ir")
        for position in ("1", None)
        for second in range(4)
        for part in (0, 5)
        for node in (NODE, OTHER)
    ]
    write(root, *rng.choice(made, 20, replace=False))
    kept = Catalogue(tmp_path / "cache", root, {})
    for _ in range(6):
        found = kept.scan(moved, keep_mismatches=False)
        pd.testing.assert_frame_equal(
            found.index, add_place_and_time(scan_folder(root, nodes=moved).index, moved)
        )
        for name in rng.choice(made, 8, replace=False):
            if (root / name).exists():
                (root / name).unlink()
            else:
                write(root, str(name))


def test_a_listed_pair_of_two_layouts_has_the_exact_time(tmp_path: Path) -> None:
    (tmp_path / "pairs").mkdir(parents=True)
    (tmp_path / "pairs" / "1.txt").write_text(f"{local('rgb')}\n{archive('ir')}")
    files = [archive("rgb"), local("rgb"), archive("ir"), local("ir")]
    found = index(tmp_path, *files)
    usable = found[found["status"] == "ok"]
    assert usable[["rgb_path", "ir_path"]].to_numpy().tolist() == [[local("rgb"), archive("ir")]]
    assert usable["time"].astype("int64").tolist() == [NS]
    assert sorted(reasons(found).values()) == ["", "", "duplicate", "duplicate"]


def test_a_folder_of_mixed_layouts_is_not_refused_as_without_a_pair(tmp_path: Path) -> None:
    root, nodes = tmp_path / "files", tmp_path / "nodes.csv"
    write(root, local("rgb"), archive("ir"))
    write_nodes(nodes, NODES.rows)
    source = {"_target_": "sage_lightning.data.sources.SageSource"}
    assert list(pairs_rule({"data": {"root": str(root), "nodes": str(nodes), "source": source}})) == []
    [line] = pairs_rule({"data": {"root": str(root), "nodes": None, "source": source}})
    assert "holds no pair" in line


def test_a_listed_pair_without_a_time_is_of_the_node_by_id(tmp_path: Path) -> None:
    (tmp_path / "pairs" / "W057").mkdir(parents=True)
    names = ("6144x2048.jpg", "right_336x252_14bit.thermal.celsius.csv")
    (tmp_path / "pairs" / "W057" / "1.txt").write_text("\n".join(names))
    found = index(tmp_path, f"rgb/{names[0]}", f"thermal/{names[1]}", archive("rgb"), archive("ir"))
    assert found["status"].tolist() == ["ok", "ok"]
    assert found["node"].tolist() == [NODE, NODE]
