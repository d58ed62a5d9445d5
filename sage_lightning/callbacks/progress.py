"""Training's progress: one bar for the whole run on a terminal, one plain line an epoch anywhere else."""

import logging
import time

from pytorch_lightning import Callback, LightningModule, Trainer
from rich.console import Console
from rich.progress import Progress, TaskID

from sage_lightning.progress import SECONDS_BETWEEN_LINES, bar

log = logging.getLogger(__name__)


class TrainingProgress(Callback):
    """Shows the step, the loss and the time left; speaks on rank 0 only."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._task = TaskID(0)
        self._started = self._spoken = 0.0
        self._first_step = 0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Opens the bar, where there is a terminal."""
        self._started = self._spoken = time.monotonic()
        self._first_step = trainer.global_step
        console = Console(stderr=True)
        if trainer.is_global_zero and console.is_terminal:
            self._progress = bar(console)
            self._progress.start()
            self._task = self._progress.add_task("Training", total=int(trainer.estimated_stepping_batches))

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: object, batch: object, batch_idx: int
    ) -> None:
        """Moves the bar, or says a line when the last one is some seconds old."""
        if not trainer.is_global_zero:
            return
        now, step, total = time.monotonic(), trainer.global_step, int(trainer.estimated_stepping_batches)
        if self._progress is None and now - self._spoken < SECONDS_BETWEEN_LINES and step < total:
            return
        if self._progress is not None and step % trainer.log_every_n_steps and step < total:  # type: ignore[attr-defined]
            self._progress.update(self._task, completed=step)  # reading the loss would wait for the device
            return
        loss = float(trainer.callback_metrics.get("train/loss", float("nan")))
        if self._progress is not None:
            text = f"Training, loss {loss:.3f}"
            self._progress.update(self._task, completed=step, description=text)
            return
        left = (now - self._started) / max(step - self._first_step, 1) * (total - step)
        text = "Training: epoch %d, step %d/%d, loss %.3f, %.0f s left"
        log.info(text, trainer.current_epoch, step, total, loss, left)
        self._spoken = now

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Closes the bar."""
        self._close()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Closes the bar, so that the message below it can be read."""
        self._close()

    def _close(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
