"""Alarms while there is time to stop: features that all point one way, and two towers that are one."""

import logging

from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.utilities import rank_zero_only

from sage_lightning.models.towers import TwoTowers

log = logging.getLogger(__name__)


class HealthAlarms(Callback):
    """Warns by the numbers that OnlineMetrics logs of the validation split.

    Args:
        rankme_floor: effective dimensions (RankMe) under which an embedding counts as collapsed.
        std_floor: spread of the L2-normalised embedding over its features, 1 being isotropic.
        coincide: distance of the two towers' embeddings, relative to their norm, under which one of the
            towers is superfluous. A single tower for both sensors is meant, and no alarm.
    """

    def __init__(self, rankme_floor: float, std_floor: float, coincide: float = 0.002) -> None:
        self.floors = {"rankme": rankme_floor, "std": std_floor}
        self.coincide = coincide
        self._told = False  # of towers that coincide: once is enough

    @rank_zero_only
    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Reads what has been logged."""
        for sensor in ("rgb", "ir"):
            for name, floor in self.floors.items():
                value = float(trainer.callback_metrics[f"health/{name}_{sensor}"])
                if not value >= floor:
                    log.warning(
                        "COLLAPSE: health/%s_%s is %.3g, below health.%s_floor=%g, at epoch %d",
                        *(name, sensor, value, name, floor, trainer.current_epoch),
                    )
        distance = trainer.callback_metrics.get("health/towers_distance")  # none of unequal widths
        if distance is None or not distance < self.coincide or self._told or not _two(pl_module):
            return
        self._told = True
        log.warning(
            "COINCIDE: health/towers_distance is %.3g, below health.coincide=%g, at epoch %d: both towers "
            "embed a pair alike, and one of them is superfluous",
            *(float(distance), self.coincide, trainer.current_epoch),
        )


def _two(method: LightningModule) -> bool:
    """Whether the towers that are evaluated are two modules."""
    towers = getattr(method, str(method.EVALUATED))
    assert isinstance(towers, TwoTowers)
    return towers.rgb_backbone is not towers.ir_backbone
