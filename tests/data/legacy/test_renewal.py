"""A kept index beside lists and records: new files pair again only what they are connected with."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sage_lightning.data import catalogue as catalogue_module
from sage_lightning.data.catalogue import Catalogue
from sage_lightning.data.legacy import Legacy
from sage_lightning.data.listing import list_folders
from sage_lightning.data.scan import scan_folder
from sage_lightning.sage.nodes import NodeTable

from .copies import NODE, NS, THERMAL, record, rgb, thermal, write

SECONDS = [f"20230521-0957{second}" for second in range(36, 42)]
PICTURES = [
    *(f"rgb/{rgb(second, suffix)}" for second in SECONDS for suffix in ("", "_position2")),
    "rgb/6144x2048.jpg",
    f"{NS}_6144x2048.jpg",
    f"bad_pairs/{rgb(SECONDS[1])}",
    f"{NODE}/{NS + 10**9}-6144x2048.jpg",
]
THERMALS = [
    *(f"thermal/{thermal(second, suffix)}" for second in SECONDS for suffix in ("", "_position2")),
    f"thermal/{THERMAL}.csv",
    f"{NS}_{THERMAL}.csv",
    f"{NODE}/{NS + 10**9}-{THERMAL}.csv",
]


def told(rng: np.random.Generator) -> dict[str, str]:
    """Lists that name one another's files, and records of some seconds."""
    lists = {
        f"{rng.choice(['pairs', 'bad_pairs'], p=[0.8, 0.2])}/W057/{number}.txt": (
            f"{rng.choice(PICTURES)}\n{rng.choice(THERMALS)}"
        )
        for number in range(6)
    }
    names = ("6144x2048.jpg", f"{THERMAL}.csv")
    records = [
        record(str(rng.choice(names)), f"2023-05-21T09:57:{second}.{part}Z", position="7")
        for second in range(36, 42)
        for part in ("123456789", "5")
        if rng.random() < 0.4
    ]
    return lists | ({"sage_meta/r.ndjson": "\n".join(records)} if records else {})


@pytest.mark.parametrize("seed", range(5))
def test_what_is_kept_is_what_is_made_anew(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, root = np.random.default_rng(seed), tmp_path / "files"
    write(root, told(rng))
    kept = Catalogue(tmp_path / "cache", root, {})
    kept.scan(NodeTable(), keep_mismatches=False)
    whole: list[int] = []
    look = catalogue_module.only_cameras
    monkeypatch.setattr(catalogue_module, "only_cameras", lambda f: whole.append(len(f)) or look(f))
    for _ in range(5):
        for name in rng.choice([*PICTURES, *THERMALS], 6, replace=False):
            if (root / name).exists() and rng.random() < 0.5:
                (root / name).unlink()
            else:
                write(root, {str(name): "x" * int(rng.integers(3))})
        scan, expected = kept.scan(NodeTable(), keep_mismatches=False), scan_folder(root)
        pd.testing.assert_frame_equal(scan.index[expected.index.columns], expected.index)
        assert (scan.others, scan.content) == (expected.others, expected.content)
    assert not whole  # nothing but what was touched has been paired again


def test_lists_connect_seconds_by_any_number_of_lists(tmp_path: Path) -> None:
    pairs = [(0, 1), (1, 2), (3, 3), (4, 5)]
    lists = {
        f"pairs/{number}.txt": f"{rgb(SECONDS[one])}\n{thermal(SECONDS[other])}"
        for number, (one, other) in enumerate(pairs)
    }
    write(tmp_path, lists | {"pairs/none.txt": "one line", "pairs/other.txt": "notes.md\nread.me"})
    legacy, first = Legacy(tmp_path, list_folders(tmp_path)), NS // 10**9
    for asked, linked in ((0, [0, 1, 2]), (2, [0, 1, 2]), (3, [3]), (5, [4, 5]), (9, [9])):
        assert (legacy.linked(np.array([first + asked])) - first).tolist() == linked


def test_a_new_file_pairs_again_what_is_of_its_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "files"
    frames = {name: "" for second in SECONDS for name in (f"rgb/{rgb(second)}", f"thermal/{thermal(second)}")}
    lists = {"pairs/1.txt": f"{rgb(SECONDS[0])}\n{thermal(SECONDS[0])}"}
    write(root, frames | lists | {"sage_meta/r.ndjson": record("6144x2048.jpg")})
    kept = Catalogue(tmp_path / "cache", root, {})
    kept.scan(NodeTable(), keep_mismatches=False)
    paired: list[int] = []
    pair = catalogue_module.pair_files
    monkeypatch.setattr(catalogue_module, "pair_files", lambda f, k: paired.append(len(f)) or pair(f, k))
    (root / f"thermal/{thermal(SECONDS[3], '_position4')}").touch()
    kept.scan(NodeTable(), keep_mismatches=False)
    assert paired == [3]
