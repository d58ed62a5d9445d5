"""Puts into every checkpoint what it is and what it was made from."""

from collections.abc import Mapping
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer

from sage_lightning.checkpoints import KEY, stamp


class DescribeCheckpoint(Callback):
    """Adds the run's description, with a uuid and the step of this save.

    Args:
        description: from `sage_lightning.checkpoints.describe`.
    """

    def __init__(self, description: Mapping[str, Any]) -> None:
        self.description = description

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Called by Lightning on every rank; rank 0 writes."""
        checkpoint[KEY] = stamp(self.description, step=trainer.global_step)
