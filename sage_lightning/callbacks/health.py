"""The alarm for collapse: features that all point one way are told of while there is time to stop."""

import logging

from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.utilities import rank_zero_only

log = logging.getLogger(__name__)


class CollapseAlarm(Callback):
    """Warns when the validation split's embeddings have fallen below a floor.

    Args:
        rankme_floor: effective dimensions (RankMe) under which an embedding counts as collapsed.
        std_floor: spread of the L2-normalised embedding over its features, 1 being isotropic.
    """

    def __init__(self, rankme_floor: float, std_floor: float) -> None:
        self.floors = {"rankme": rankme_floor, "std": std_floor}

    @rank_zero_only
    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Reads the numbers that OnlineMetrics logged."""
        for sensor in ("rgb", "ir"):
            for name, floor in self.floors.items():
                value = float(trainer.callback_metrics[f"health/{name}_{sensor}"])
                if not value >= floor:
                    log.warning(
                        "COLLAPSE: health/%s_%s is %.3g, below health.%s_floor=%g, at epoch %d",
                        *(name, sensor, value, name, floor, trainer.current_epoch),
                    )
