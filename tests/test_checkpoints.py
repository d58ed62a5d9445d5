"""A checkpoint knows what it is, is read safely, and says what is wrong with it."""

from pathlib import Path

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from torch.utils.data import DataLoader

from sage_lightning.callbacks.describe import DescribeCheckpoint
from sage_lightning.checkpoints import FORMAT, KEY, describe, find_checkpoint, read_checkpoint
from sage_lightning.errors import UserError
from sage_lightning.optim.lars import LARS

pytestmark = [
    # Lightning's advice on batches that lie in memory already.
    pytest.mark.filterwarnings("ignore:.*does not have many workers"),
    # Lightning 2.6 asks torch's pytree in a way that torch has deprecated.
    pytest.mark.filterwarnings("ignore:.*treespec, LeafSpec:FutureWarning"),
]


def description(**changes):
    parts = {
        "kind": "vicreg",
        "architecture": {"rgb_backbone": {"name": "vit_tiny_patch16_224", "img_size": [16, 16]}},
        "config": {"seed": 1, "data": {"ir_patch": 4}},
        "data_hash": "0f3a",
        "normalisation": {"rgb": {"mean": torch.tensor([0.5, 0.5, 0.5])}},
    }
    return describe(**(parts | changes))


class Line(pl.LightningModule):
    """As little as Lightning saves in full: weights, an optimiser with state, a schedule, two callbacks."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2, 2)

    def training_step(self, batch, batch_idx):
        loss = self.layer(batch).square().mean()
        self.log("train/loss", loss)
        return loss

    def configure_optimizers(self):
        optimizer = LARS(self.layer.parameters(), lr=0.1)
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 1)]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=2,
        callbacks=[
            DescribeCheckpoint(description()),
            ModelCheckpoint(folder / "checkpoints", monitor="train/loss", save_last=True, save_top_k=2),
        ],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Line(), DataLoader(torch.ones(6, 2), batch_size=2))
    return folder


def test_a_run_folder_gives_its_last_checkpoint_read_safely(run):
    checkpoint = read_checkpoint(find_checkpoint(run))
    found = checkpoint[KEY]
    assert found["format"] == FORMAT
    assert found["kind"] == "vicreg"
    assert found["architecture"] == description()["architecture"]
    assert found["config"] == {"seed": 1, "data": {"ir_patch": 4}}
    assert found["data_hash"] == "0f3a"
    assert found["step"] == checkpoint["global_step"] == 6
    assert found["versions"]["torch"].split("+")[0] == torch.__version__.split("+")[0]
    assert torch.equal(found["normalisation"]["rgb"]["mean"], torch.tensor([0.5, 0.5, 0.5]))
    assert set(checkpoint["state_dict"]) == {"layer.weight", "layer.bias"}


def test_every_save_has_its_own_uuid(run):
    files = list((run / "checkpoints").glob("*.ckpt"))
    assert len(files) == 3
    saved = {(read_checkpoint(f)[KEY]["step"], read_checkpoint(f)[KEY]["uuid"]) for f in files}
    assert len({uuid for _, uuid in saved}) >= len({step for step, _ in saved}) == 2


def test_a_file_is_taken_as_it_is(tmp_path):
    file = tmp_path / "any.ckpt"
    file.touch()
    assert find_checkpoint(file) == file


def test_the_only_checkpoint_of_a_folder_is_meant(tmp_path):
    (tmp_path / "epoch=3.ckpt").touch()
    assert find_checkpoint(tmp_path) == tmp_path / "epoch=3.ckpt"


def test_several_without_a_last_one_are_named(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    for name in ("a.ckpt", "b.ckpt"):
        (tmp_path / "checkpoints" / name).touch()
    with pytest.raises(UserError, match=r"no last.ckpt; name one of a.ckpt, b.ckpt"):
        find_checkpoint(tmp_path)


def test_an_empty_folder_and_a_missing_one_are_told_apart(tmp_path):
    with pytest.raises(UserError, match="holds no checkpoint"):
        find_checkpoint(tmp_path)
    with pytest.raises(UserError, match="no such run folder or checkpoint"):
        find_checkpoint(tmp_path / "nowhere")


def test_a_missing_file(tmp_path):
    with pytest.raises(UserError, match="no such checkpoint"):
        read_checkpoint(tmp_path / "x.ckpt")


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 cut"])
def test_a_damaged_file(tmp_path, content):
    file = tmp_path / "x.ckpt"
    file.write_bytes(content)
    with pytest.raises(UserError, match="damaged"):
        read_checkpoint(file)


def test_a_checkpoint_cut_in_the_middle(tmp_path):
    file = tmp_path / "x.ckpt"
    torch.save({KEY: stamped(), "state_dict": {"w": torch.ones(1000)}}, file)
    file.write_bytes(file.read_bytes()[:2000])
    with pytest.raises(UserError, match="damaged"):
        read_checkpoint(file)


def test_a_file_that_would_run_code_is_refused(tmp_path):
    file = tmp_path / "x.ckpt"
    torch.save({KEY: stamped(), "path": Path("/")}, file)
    with pytest.raises(UserError, match="not a checkpoint"):
        read_checkpoint(file)


def stamped(**changes):
    return description() | {"uuid": "u", "step": 0} | changes


def test_another_programs_checkpoint(tmp_path):
    torch.save({"state_dict": {}}, tmp_path / "x.ckpt")
    with pytest.raises(UserError, match="not one of sage_lightning"):
        read_checkpoint(tmp_path / "x.ckpt")


def test_a_newer_format(tmp_path):
    torch.save({KEY: stamped(format=FORMAT + 1)}, tmp_path / "x.ckpt")
    with pytest.raises(UserError, match=f"format {FORMAT + 1}; this version reads up to {FORMAT}"):
        read_checkpoint(tmp_path / "x.ckpt")


@pytest.mark.parametrize(
    ("value", "kind"), [(np.float64(1.0), "float64"), (Path("x"), "PosixPath"), ({1, 2}, "set")]
)
def test_what_safe_loading_would_refuse_is_refused_before_the_run(value, kind):
    with pytest.raises(TypeError, match=rf"sage_lightning\.config\.data\[0\] is a {kind}"):
        description(config={"data": [value]})
