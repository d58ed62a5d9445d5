"""A real Trainer over batches in memory, and what it logs and changes at each step."""

import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import pytorch_lightning as pl
from torch.utils.data import DataLoader

# Lightning's advice for longer runs than these, and on the teacher that is meant to rest.
ADVICE = (
    ".*does not have many workers",
    "Trying to infer the `batch_size`",
    r"Found .* module\(s\) in eval mode",
    "You defined a `validation_step` but have no",
)


class Watch(pl.Callback):
    """Keeps what is logged, and the weights before the first and after each step."""

    def __init__(self):
        self.logged, self.states = [], []

    def on_train_start(self, trainer, model):
        self._keep(model)

    def on_train_batch_end(self, trainer, model, *arguments):
        self.logged.append({name: float(value) for name, value in trainer.callback_metrics.items()})
        self._keep(model)

    def _keep(self, model):
        self.states.append({name: value.clone() for name, value in model.state_dict().items()})


@pytest.fixture
def fit(tmp_path: Path) -> Callable[..., tuple[pl.Trainer, Watch]]:
    """fit(model, batches, epochs): the batches, the same in every epoch, one a step."""

    def run(model, batches, epochs, resume=None, logger=False, **options):
        watch = Watch()
        trainer = pl.Trainer(
            accelerator="cpu",
            max_epochs=epochs,
            callbacks=[watch],
            logger=logger,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=tmp_path,
            **options,
        )
        with warnings.catch_warnings():
            for advice in ADVICE:
                warnings.filterwarnings("ignore", advice)
            trainer.fit(model, DataLoader(batches, batch_size=None), ckpt_path=resume, weights_only=True)
        return trainer, watch

    return run
