"""What Hydra calls when a multirun is over."""

from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig


class TrialsTable(Callback):
    """After a multirun: one table over its trials, printed and saved as `trials.csv` beside their folders."""

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Reads what each numbered folder says of itself."""
        from sage_lightning.evaluation.headline import print_table
        from sage_lightning.evaluation.trials import trials_table

        folder = Path(config.hydra.sweep.dir)
        # Numbers down, trials across: many numbers, few trials.
        table = trials_table(folder).set_index("trial").T.rename_axis("trial").reset_index()
        print_table(table, title=f"Trials of {folder}")
