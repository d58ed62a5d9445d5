"""`python train.py`, `python evaluate.py` and three lines of Python: what they leave, and that they agree."""

import json
import re
import uuid
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

import sage_lightning as sl
from sage_lightning.data.store import PairStore
from sage_lightning.sage.picture import CROP_BOX

ROOT = Path(__file__).parents[1]
LEFT_BY_A_RUN = {
    ".hydra",
    "checkpoints",
    "config.yaml",
    "embeddings.parquet",
    "hparams.yaml",
    "metrics.csv",
    "provenance.json",
    "report.html",
    "scores.csv",
    "summary.json",
    "train.log",
}
REASONS = {
    "missing thermal": "partner missing",
    "missing picture": "partner missing",
    "cut thermal": "truncated",
    "truncated picture": "truncated",
    "position mismatch": "position mismatch",
}


@pytest.fixture(scope="module")
def store(trained) -> PairStore:
    (folder,) = trained.desk.glob("cache/store-*")
    return PairStore(folder)


def test_a_run_writes_its_folder_and_nothing_else(trained):
    folder = trained.folder.relative_to(trained.desk).as_posix()
    assert folder.startswith("outputs/train/")
    beside = {path for path in trained.written if not path.startswith(f"{folder}/")}
    assert beside == {"cache", "outputs", "outputs/train", folder}
    assert trained.strays == []
    assert {path.name for path in trained.folder.iterdir()} == LEFT_BY_A_RUN
    assert [path.name for path in (trained.folder / "checkpoints").iterdir()] == ["last.ckpt"]


def test_a_run_speaks_plainly(trained):
    said = trained.outcome.stdout + trained.outcome.stderr
    assert "Traceback" not in said
    assert "Warning" not in said
    assert f"Report: {trained.folder / 'report.html'}" in trained.outcome.stdout
    assert "R@1 in position, day, RGB→IR" in trained.outcome.stdout
    log = (trained.folder / "train.log").read_text()
    assert "step 36/36" in log
    assert "12 steps of 16 pairs an epoch; 5 pairs are left out" in log


def test_a_run_tells_of_itself(trained, tiny):
    summary = json.loads((trained.folder / "summary.json").read_text())
    assert summary["status"] == "done"
    assert summary["overrides"] == list(tiny)
    provenance = json.loads((trained.folder / "provenance.json").read_text())
    assert provenance["sage_lightning"] == sl.__version__
    assert provenance["packages"]["torch"] == torch.__version__.partition("+")[0]
    config = yaml.safe_load((trained.folder / "config.yaml").read_text())
    assert config["data"]["source"]["frames"] == 240  # where conf/ has an interpolation
    assert config["paths"]["data_dir"] == str(trained.desk / "cache")
    assert summary["metrics"].keys() <= set(pd.read_csv(trained.folder / "metrics.csv").columns)


def test_the_report_needs_no_other_file(trained):
    page = (trained.folder / "report.html").read_text()
    loads = re.findall(r"""(?:src|href|poster|data|action)\s*=\s*["']([^"']*)|url\(\s*["']?([^"')]*)""", page)
    targets = {first or second for first, second in loads}
    assert len(targets) > 10
    assert {target for target in targets if not target.startswith(("#", "data:"))} == set()
    assert "@import" not in page


def test_every_logged_name_is_in_the_vocabulary_and_the_reverse(trained):
    table = (ROOT / "docs/wandb.md").read_text().partition("| name |")[2].partition("\n\n")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    names = {name for cell in cells for name in re.findall("`([^`]+)`", cell)}
    patterns = [re.compile(re.escape(name).replace("…", ".+")) for name in names]
    logged = set(pd.read_csv(trained.folder / "metrics.csv").columns) - {"epoch", "step"}
    assert {name for name in logged if not any(p.fullmatch(name) for p in patterns)} == set()
    numbers = [p for p in patterns if p.pattern.startswith(("train", "val", "health", "test"))]
    assert len(numbers) > 15
    assert {p.pattern for p in numbers if not any(map(p.fullmatch, logged))} == set()


def test_damaged_files_are_in_quarantine_with_their_reasons(trained, store):
    index = store.index
    broken = index[index["fault"].fillna("") != ""]
    assert set(broken["fault"]) == set(REASONS)
    assert (broken["reason"] == broken["fault"].map(REASONS)).all()
    assert (index["status"] == "quarantined").equals(index["pair_id"].isin(broken["pair_id"]))
    assert "in quarantine" in (trained.folder / "train.log").read_text()


def test_embeddings_are_every_pair_of_train_and_test(trained, store):
    found = pd.read_parquet(trained.folder / "embeddings.parquet")
    held = store.index[store.index["split"].isin(["train", "test"])]
    assert sorted(found["pair_id"]) == sorted(held["pair_id"])
    assert np.stack(found["ir_projection"]).shape == (len(held), 64)


def test_the_checkpoint_knows_its_run(trained, store):
    path = trained.folder / "checkpoints/last.ckpt"
    known = torch.load(path, weights_only=True)["sage_lightning"]
    assert known["kind"] == "vicreg"
    assert known["format"] == 1
    assert known["step"] == 36
    assert uuid.UUID(known["uuid"]).version == 4
    assert known["data_hash"] == store.index_hash
    assert known["config"] == yaml.safe_load((trained.folder / "config.yaml").read_text())
    assert known["architecture"] == known["config"]["model"]
    assert known["normalisation"]["rgb_mean"] == store.statistics["rgb"]["mean"]
    assert known["versions"]["sage_lightning"] == sl.__version__


def test_python_gives_the_rows_of_the_table(trained, store):
    """From the raw files, one at a time, without the store."""
    (raw,) = trained.desk.glob("cache/simulated-*/raw")
    model = sl.load(trained.folder)
    found = pd.read_parquet(trained.folder / "embeddings.parquet")
    for row in found.groupby("split").head(3).itertuples():
        picture = sl.read_optical(raw / row.rgb_path, CROP_BOX, store.rgb_size)
        celsius = sl.read_celsius(raw / row.ir_path)
        for name, given in (("rgb", picture), ("ir", celsius)):
            embed = getattr(model, f"embed_{name}")
            # The store's hundredths of a kelvin are summed as such, in float32: 2e-5 °C beside degrees.
            close = {"rtol": 1e-5, "atol": 1e-4}
            np.testing.assert_allclose(embed(given), getattr(row, f"{name}_embedding"), **close)
            projection = embed(given, space="projection")
            np.testing.assert_allclose(projection, getattr(row, f"{name}_projection"), **close)
        whole = model.embed_rgb(
            sl.read_optical(raw / row.rgb_path)
        )  # as in the README: all the pixels there are
        assert np.corrcoef(whole, row.rgb_embedding)[0, 1] > 0.99


def scores(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "scores.csv")


def test_evaluating_again_gives_the_same_scores(trained, command, tmp_path):
    """From another folder, with nothing but the run's name."""
    outcome = command("evaluate.py", f"ckpt_path={trained.folder}", cwd=tmp_path)
    assert outcome.status == 0, outcome.stdout + outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["outputs"]
    (folder,) = tmp_path.glob("outputs/evaluate/*")
    assert (folder / "scores.csv").read_text() == (trained.folder / "scores.csv").read_text()
    assert {"report.html", "embeddings.parquet", "evaluate.log"} <= {path.name for path in folder.iterdir()}


@pytest.mark.slow
def test_evaluating_a_checkpoint_file_with_another_clustering_and_split(trained, command, tmp_path):
    checkpoint = trained.folder / "checkpoints/last.ckpt"
    arguments = (f"ckpt_path={checkpoint}", "clustering=kmeans,hdbscan", "split=train,val")
    outcome = command("evaluate.py", "-m", *arguments, cwd=tmp_path)
    assert outcome.status == 0, outcome.stdout + outcome.stderr
    (sweep,) = tmp_path.glob("outputs/evaluate-sweep/*")
    splits = [set(pd.read_parquet(sweep / trial / "embeddings.parquet")["split"]) for trial in "0123"]
    assert splits == [{"train"}, {"train", "val"}] * 2
    kmeans, hdbscan = scores(sweep / "0"), scores(sweep / "2")
    clusters = [table[table["task"] == "clustering"] for table in (kmeans, hdbscan)]
    assert not clusters[0].empty
    assert not clusters[0].equals(clusters[1])
    rest = [table[table["task"] != "clustering"].reset_index(drop=True) for table in (kmeans, hdbscan)]
    pd.testing.assert_frame_equal(*rest)


@pytest.mark.slow
def test_files_of_a_camera_that_have_moved(trained, command, tiny, tmp_path):
    """Trained on a folder of files, which then goes elsewhere: evaluating is told where."""
    (raw,) = trained.desk.glob("cache/simulated-*/raw")
    (nodes,) = trained.desk.glob("cache/simulated-*/nodes.csv")
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    (before / "files").symlink_to(raw)
    (before / "nodes.csv").write_bytes(nodes.read_bytes())
    simulated = ("data.frames", "data.nodes", "data.positions", "data.days", "data.picture", "data.thermal")
    files = ["data=sage", f"data.root={before / 'files'}", f"data.nodes={before / 'nodes.csv'}"]
    sizes = ["data.rgb_patch=8", "data.rgb_store_size=[48,64]"]
    settings = [key for key in tiny if not key.startswith(simulated)]
    outcome = command("train.py", *files, *sizes, *settings, "trainer.max_steps=14", cwd=tmp_path)
    assert outcome.status == 0, outcome.stdout + outcome.stderr
    (run,) = tmp_path.glob("outputs/train/*")
    before.rename(after)
    outcome = command("evaluate.py", f"ckpt_path={run}", cwd=tmp_path)
    assert outcome.stderr.splitlines() == [
        f"data.root={before / 'files'} is not a folder",
        f"data.nodes={before / 'nodes.csv'} is not a file",
    ]
    places = (f"data.root={after / 'files'}", f"data.nodes={after / 'nodes.csv'}")
    outcome = command("evaluate.py", f"ckpt_path={run}", *places, cwd=tmp_path)
    assert outcome.status == 0, outcome.stdout + outcome.stderr
    (folder,) = tmp_path.glob("outputs/evaluate/*/scores.csv")
    assert folder.read_text() == (run / "scores.csv").read_text()


@pytest.mark.slow
def test_a_run_in_the_common_look_is_rebuilt_as_it_was(trained, command, tiny, tmp_path):
    """Trained in changing styles, evaluated in none: by Python from raw files, and by the command again."""
    settings = [key for key in tiny if not key.startswith(("model", "optimizer", "+optimizer"))]
    small = ("model.projector=[32,16]", "model.prototypes=32", "trainer.max_steps=14")
    cache = f"paths.data_dir={trained.desk / 'cache'}"
    outcome = command("train.py", "experiment=dino_alternate_sensor", *settings, *small, cache, cwd=tmp_path)
    said = outcome.stdout + outcome.stderr
    assert outcome.status == 0, said
    (run,) = tmp_path.glob("outputs/train/*")
    (raw,) = trained.desk.glob("cache/simulated-*/raw")
    (folder,) = trained.desk.glob("cache/store-*")
    model = sl.load(run)
    found = pd.read_parquet(run / "embeddings.parquet")
    for row in found.groupby("split").head(2).itertuples():
        picture = sl.read_optical(raw / row.rgb_path, CROP_BOX, PairStore(folder).rgb_size)
        celsius = sl.read_celsius(raw / row.ir_path)
        close = {"rtol": 1e-4, "atol": 1e-4}
        np.testing.assert_allclose(model.embed_rgb(picture), row.rgb_embedding, **close)
        np.testing.assert_allclose(model.embed_ir(celsius), row.ir_embedding, **close)
        # The same frame in another unit is the same input; beside it lies what the look took away.
        features = model.towers.ir_backbone.num_features
        assert len(row.ir_embedding) == features + 5
        other = model.embed_ir(1.8 * celsius + 32)
        np.testing.assert_allclose(other[:features], row.ir_embedding[:features], rtol=1e-3, atol=1e-3)
        assert np.abs(other[features:] - row.ir_embedding[features:]).max() > 0.1
        projection = model.embed_ir(1.8 * celsius + 32, space="projection")
        np.testing.assert_allclose(projection, row.ir_projection, rtol=1e-3, atol=1e-3)
    outcome = command("evaluate.py", f"ckpt_path={run}", cwd=tmp_path)
    assert outcome.status == 0, outcome.stdout + outcome.stderr
    (again,) = tmp_path.glob("outputs/evaluate/*/scores.csv")
    assert again.read_text() == (run / "scores.csv").read_text()
