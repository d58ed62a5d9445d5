"""The DataModule under Lightning's own Trainer, on the CPU."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import ModelCheckpoint
from torch import Tensor

from sage_lightning.batch import PairBatch
from sage_lightning.data.augment import FullView, PairedCrop
from sage_lightning.data.datamodule import PairDataModule
from sage_lightning.data.dropout import ModalityDropout
from sage_lightning.data.photometric import Photometric
from sage_lightning.data.store import PairStore
from sage_lightning.data.style import Style
from sage_lightning.data.thermal import Celsius
from sage_lightning.data.transform import PairTransform
from sage_lightning.errors import UserError

# Lightning 2.6 tests for leaves of a pytree in a way that torch 2.15 no longer likes.
# And a resumed run here has a folder of its own, which ModelCheckpoint warns of.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*LeafSpec.*is deprecated:FutureWarning", "ignore:The dirpath has changed:UserWarning"
)

SIZES = {"rgb_size": (8, 8), "ir_size": (6, 6)}


def module(
    store: PairStore,
    batch_size: int = 8,
    num_workers: int = 0,
    seed: int = 0,
    look: str = "own",
    style: Style | None = None,
    dropout: ModalityDropout | None = None,
) -> PairDataModule:
    numbers = {"rgb_mean": [0.5] * 3, "rgb_std": [0.25] * 3, "ir_mean": [0.0], "ir_std": [0.3]}
    return PairDataModule(
        store,
        PairTransform(Celsius(), **numbers, look=look),
        train_view=PairedCrop(**SIZES),
        eval_view=FullView(**SIZES),
        photometric=Photometric(),
        batch_size=batch_size,
        seed=seed,
        num_workers=num_workers,
        style=style,
        dropout=dropout,
    )


class Recorder(LightningModule):
    """Learns a little, and keeps what it was given at every step."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(8, 1)
        self.seen: list[tuple[int, int, list[int], Tensor]] = []
        self.validated: list[PairBatch] = []

    def training_step(self, batch: PairBatch, batch_idx: int) -> Tensor:
        self.seen.append((self.global_step, int(batch.epoch[0]), batch.sample_id.tolist(), batch.rgb.clone()))
        return (self.layer(batch.rgb).mean() - batch.ir.mean()).square()

    def validation_step(self, batch: PairBatch, batch_idx: int) -> None:
        self.validated.append(batch)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def train(
    store: PairStore,
    folder: Path,
    num_workers: int = 0,
    resume: Path | None = None,
    batch_size: int = 8,
    **options: Any,
) -> tuple[Recorder, Trainer]:
    options = {"max_epochs": 3, "limit_val_batches": 0} | options
    torch.manual_seed(0)
    recorder = Recorder()
    trainer = Trainer(
        accelerator="cpu",
        logger=False,
        default_root_dir=folder,
        callbacks=[ModelCheckpoint(folder, filename="{step}", every_n_train_steps=1, save_top_k=-1)],
        enable_progress_bar=False,
        enable_model_summary=False,
        **options,
    )
    data = module(store, batch_size, num_workers)
    trainer.fit(recorder, datamodule=data, ckpt_path=resume, weights_only=True)
    return recorder, trainer


def assert_same_steps(found: Recorder, expected: Recorder, first: int) -> None:
    tail = [step for step in expected.seen if step[0] >= first]
    assert [step[:3] for step in found.seen] == [step[:3] for step in tail]
    assert all(torch.equal(a[3], b[3]) for a, b in zip(found.seen, tail, strict=True))
    assert torch.equal(found.layer.weight, expected.layer.weight)


@pytest.fixture(scope="module")
def uninterrupted(small_store: PairStore, tmp_path_factory: pytest.TempPathFactory) -> tuple[Recorder, Path]:
    """Three epochs of five steps; its checkpoints are what a run killed at that step leaves behind."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    return train(small_store, folder)[0], folder


def test_fifteen_steps_of_three_epochs(uninterrupted: tuple[Recorder, Path]):
    seen = uninterrupted[0].seen
    assert [step[0] for step in seen] == list(range(15))
    assert [step[1] for step in seen] == [0] * 5 + [1] * 5 + [2] * 5
    for epoch in range(3):
        assert len({key for step in seen[5 * epoch : 5 * epoch + 5] for key in step[2]}) == 40


@pytest.mark.parametrize("step", [1, 4, 5, 7, 10, 13])
def test_a_killed_run_goes_on_as_if_nothing_had_happened(
    small_store: PairStore, tmp_path: Path, uninterrupted: tuple[Recorder, Path], step: int
):
    """Same samples, same crops to the bit, same weights, whether killed within an epoch or at its end."""
    expected, folder = uninterrupted
    found, trainer = train(small_store, tmp_path, resume=folder / f"step={step}.ckpt")
    assert_same_steps(found, expected, step)
    assert trainer.current_epoch == 3


def test_workers_change_nothing_and_resume_alike(
    small_store: PairStore, tmp_path: Path, uninterrupted: tuple[Recorder, Path]
):
    expected, folder = uninterrupted
    found, _ = train(small_store, tmp_path, num_workers=2, resume=folder / "step=7.ckpt")
    assert_same_steps(found, expected, 7)


def test_a_run_stopped_by_max_steps_goes_on(
    small_store: PairStore, tmp_path: Path, uninterrupted: tuple[Recorder, Path]
):
    stopped, trainer = train(small_store, tmp_path / "stopped", max_steps=7)
    assert len(stopped.seen) == 7
    trainer.save_checkpoint(tmp_path / "end.ckpt")
    found, _ = train(small_store, tmp_path / "on", max_steps=15, max_epochs=-1, resume=tmp_path / "end.ckpt")
    assert_same_steps(found, uninterrupted[0], 7)


def test_accumulation_sees_the_same_global_batches(
    small_store: PairStore, tmp_path: Path, uninterrupted: tuple[Recorder, Path]
):
    expected = {step: ids for step, _, ids, _ in uninterrupted[0].seen}
    found, _ = train(small_store, tmp_path, accumulate_grad_batches=2)
    steps: dict[int, list[int]] = {}
    for step, _, ids, _ in found.seen:
        assert len(ids) == 4
        steps.setdefault(step, []).extend(ids)
    assert steps == expected
    resumed, _ = train(
        small_store, tmp_path / "on", accumulate_grad_batches=2, resume=tmp_path / "step=7.ckpt"
    )
    assert_same_steps(resumed, found, 7)


def test_resuming_with_another_batch_is_refused(
    small_store: PairStore, tmp_path: Path, uninterrupted: tuple[Recorder, Path]
):
    with pytest.raises(UserError, match=r"data\.batch_size=4, but the run that is resumed had 8"):
        train(small_store, tmp_path, resume=uninterrupted[1] / "step=7.ckpt", batch_size=4)


def test_validation_sees_the_whole_field_of_each_pair_once(small_store: PairStore, tmp_path: Path):
    recorder, _ = train(small_store, tmp_path, max_epochs=1, limit_val_batches=1.0, num_sanity_val_steps=0)
    rows = torch.cat([batch.row for batch in recorder.validated])
    assert rows.tolist() == list(range(7))
    data = module(small_store)
    batches = [data.evaluation_views(batch) for batch in data.split_loader("val", 3)]
    assert [len(batch.row) for batch in batches] == [3, 3, 1]
    for name in ("rgb", "ir", "sample_id"):
        whole = torch.cat([getattr(batch, name) for batch in batches])
        torch.testing.assert_close(whole, torch.cat([getattr(b, name) for b in recorder.validated]))


def test_evaluation_is_untouched_by_style(small_store: PairStore):
    styled, plain = module(small_store, look="common", style=Style()), module(small_store, look="common")
    (batch,) = plain.split_loader("val", 64)
    for found, expected in zip(styled.evaluation_views(batch), plain.evaluation_views(batch), strict=True):
        assert torch.equal(found, expected)
    difference = styled.training_views(batch).rgb - plain.training_views(batch).rgb
    assert (difference.abs().amax((1, 2, 3)) > 0.05).all()


def test_dropout_blanks_views_in_training_alone(small_store: PairStore):
    dropping, plain = module(small_store, dropout=ModalityDropout(1.0)), module(small_store)
    (batch,) = plain.split_loader("train", 64)
    for found, expected in zip(dropping.evaluation_views(batch), plain.evaluation_views(batch), strict=True):
        assert torch.equal(found, expected)
    found, expected = dropping.training_views(batch), plain.training_views(batch)
    blank = [x.flatten(1).eq(0).all(1) for x in (found.rgb, found.ir)]
    assert torch.equal(blank[0], ~blank[1])
    assert 0.2 < blank[0].float().mean() < 0.8
    assert torch.equal(found.rgb[~blank[0]], expected.rgb[~blank[0]])
    assert torch.equal(found.ir[~blank[1]], expected.ir[~blank[1]])


@pytest.mark.parametrize("world", [1, 2, 3, 4])
def test_ranks_share_validation_out_in_order(small_store: PairStore, world: int):
    rows, sizes = [], []
    for rank in range(world):
        data = module(small_store)
        data.trainer = SimpleNamespace(global_rank=rank, world_size=world)  # type: ignore[assignment]
        batches = list(data.val_dataloader())
        rows += [row for batch in batches for row in batch.row.tolist()]
        sizes.append(sum(len(batch.row) for batch in batches))
        assert all(len(batch.row) <= 8 // world for batch in batches)
    assert rows == list(range(7))
    assert max(sizes) - min(sizes) <= 1


def test_splits_are_counted(small_store: PairStore):
    data = module(small_store)
    assert data.steps_per_epoch == 5
    assert data.dropped_per_epoch == 2
    assert len(data.split_index("test")) == 3
    assert list(data.split_index("val").index) == list(range(7))


def test_a_batch_larger_than_the_split_is_refused(small_store: PairStore, tmp_path: Path):
    with pytest.raises(UserError, match=r"data\.batch_size=64 is more than the 42 pairs of the train split"):
        train(small_store, tmp_path, batch_size=64)
