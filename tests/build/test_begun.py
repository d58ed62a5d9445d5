"""Data that are no longer those of the run: merely more of them, others, or dealt otherwise."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig
from PIL import Image

from sage_lightning.build.evaluation import evaluation
from sage_lightning.build.saved import data_of
from sage_lightning.build.training import training_data
from sage_lightning.checkpoints import describe, stamp, write_checkpoint
from sage_lightning.config import config_dir, resolved
from sage_lightning.data.datamodule import PairDataModule
from sage_lightning.data.transform import decode
from sage_lightning.errors import UserError

SPLITS = ["train"] * 6 + ["val"] * 3 + ["test"] * 4
HERE = dict.fromkeys(("paths.data_dir", "data.root", "data.nodes", "data.table"))


def write_pair(folder: Path, pair: int) -> None:
    for name in ("rgb", "ir"):
        pixels = np.random.default_rng([pair, len(name)]).integers(0, 256, (8, 8), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{name}{pair}.png")


def write_table(folder: Path, splits: list[str]) -> None:
    columns = {name: [f"{name}{pair}.png" for pair in range(len(splits))] for name in ("rgb", "ir")}
    remarks = [None if pair % 3 else "odd" for pair in range(len(splits))]  # a label with gaps
    pd.DataFrame({**columns, "fold": splits, "remark": remarks}).to_csv(folder / "pairs.csv", index=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for pair in range(len(SPLITS)):
        write_pair(tmp_path, pair)
    write_table(tmp_path, SPLITS)
    return tmp_path


def config(folder: Path, *overrides: str) -> DictConfig:
    given = ["data=folder", f"data.root={folder}", "data.table=pairs.csv", "data.columns.split=fold"]
    given += [f"paths.data_dir={folder}/cache", "data.batch_size=2", "data.rgb_store_size=[8,8]"]
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        return compose("train", [*given, "data.ir_store_size=[8,8]", *overrides])


@pytest.fixture
def run(folder: Path) -> tuple[Path, PairDataModule]:
    """What is kept of a run over the thirteen pairs, and its data."""
    cfg = config(folder)
    data = training_data(cfg)
    described = describe(
        kind="vicreg",
        architecture=resolved(cfg)["model"],
        config=resolved(cfg),
        data_hash=data.store.index_hash,
        normalisation=data.transform.normalisation,
    )
    path = folder / "last.ckpt"
    write_checkpoint({"sage_lightning": stamp(described, step=1)}, path)
    return path, data


def rows_of(data: PairDataModule) -> tuple[list[str], Any]:
    index = data.split_index("train")
    return index["pair_id"].tolist(), data.store.read(data.store.rows("train"))[0].tolist()


def test_a_run_goes_on_with_its_own_pairs_and_numbers_where_some_were_added(
    folder: Path, run: tuple[Path, PairDataModule], caplog: pytest.LogCaptureFixture
) -> None:
    path, begun = run
    for pair in (13, 14):
        write_pair(folder, pair)
    write_table(folder, [*SPLITS, "train", "test"])
    with caplog.at_level(logging.INFO, "sage_lightning"):
        again = training_data(config(folder, f"resume={path}"))
    assert "New pairs since the run was begun: 2; it goes on with those that it had" in caplog.messages
    assert again.store.index_hash == begun.store.index_hash
    assert rows_of(again) == rows_of(begun)
    assert again.transform.normalisation == begun.transform.normalisation
    new = training_data(config(folder))
    assert [len(data.split_index("train")) for data in (begun, new)] == [6, 7]
    assert new.transform.normalisation != begun.transform.normalisation
    evaluated = data_of(path, HERE, None)
    assert len(evaluated.split_index("test")) == 5
    assert evaluated.transform.normalisation == begun.transform.normalisation


@pytest.mark.parametrize(
    ("splits", "says"),
    [
        (SPLITS[:-1], "pairs: 0 new, 1 gone, 0 with other files or labels"),
        ([*SPLITS[:5], "test", *SPLITS[6:]], "pairs: 0 new, 0 gone, 1 with other files or labels"),
    ],
)
def test_a_run_whose_pairs_have_changed_is_not_gone_on_with(
    folder: Path, run: tuple[Path, PairDataModule], splits: list[str], says: str
) -> None:
    path, _ = run
    write_table(folder, splits)
    with pytest.raises(UserError) as caught:
        training_data(config(folder, f"resume={path}"))
    line = f"resume={path}: the collection's files have changed since it was begun"
    assert caught.value.lines == (f"{line}: {says}; begin a new run",)
    for store in (folder / "cache").glob("store-*/manifest.json"):
        text = store.read_text()
        if run[1].store.index_hash in text:
            store.unlink()
    with pytest.raises(UserError) as caught:
        training_data(config(folder, f"resume={path}"))
    assert caught.value.lines == (f"{line}; begin a new run",)


def test_what_was_learned_from_is_not_evaluated_as_if_held_out(
    folder: Path, run: tuple[Path, PairDataModule], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, _ = run
    write_table(folder, [*SPLITS[:5], "test", *SPLITS[6:]])
    data = data_of(path, HERE, None)
    with pytest.raises(UserError) as caught:
        evaluation(config(folder), tmp_path, path, data, "test", {}, [])
    assert caught.value.lines == (
        f"split=test: {path} has learned from 1 of its pairs, which the table or data.nodes now holds out; "
        "bring the splits back, or train anew",
    )
    changed = "(pairs: 0 new, 0 gone, 1 with other files or labels)"
    assert caplog.messages[-1].startswith(f"The data have changed since this checkpoint {changed}")


@pytest.mark.parametrize("select", [None, "rgb_path in ['rgb0.png', 'rgb3.png', 'rgb7.png', 'rgb10.png']"])
def test_a_checkpoints_numbers_are_of_the_training_pairs_as_selected(
    folder: Path, select: str | None
) -> None:
    data = training_data(config(folder, *([] if select is None else [f'data.select="{select}"'])))
    pairs = range(6) if select is None else (0, 3)
    pixels = np.stack([np.asarray(Image.open(folder / f"rgb{pair}.png")) for pair in pairs]) / 255
    kept = data.transform.normalisation
    assert kept["rgb_mean"] == pytest.approx([pixels.mean()] * 3, rel=1e-9)
    assert kept["rgb_std"] == pytest.approx([pixels.std()] * 3, rel=1e-9)
    degrees = decode(torch.from_numpy(data.store.read(data.store.rows("train"))[1]))
    shown = data.transform.thermal(degrees.double())
    assert kept["ir_mean"] == pytest.approx([float(shown.mean())])
    assert kept["ir_std"] == pytest.approx([float(shown.std(correction=0))])
