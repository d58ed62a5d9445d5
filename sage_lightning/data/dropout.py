"""Modality dropout: some views of a pair are blank for one sensor, so that the other has to do without it."""

from dataclasses import dataclass

from torch import Tensor

from sage_lightning.data.counted import Stream, uniform


@dataclass(frozen=True)
class ModalityDropout:
    """Which views are blanked. A pair loses views of one sensor only, be it seen through however many crops.

    Args:
        probability: of a crop of a pair to be blank for one of its sensors; which one is drawn for each pair.
    """

    probability: float

    def blank(self, seed: int, epoch: Tensor, sample_id: Tensor, crop_id: Tensor) -> tuple[Tensor, Tensor]:
        """The crops that are blank for RGB, and those that are for the thermal sensor: (N·B,) bool each.

        Args:
            seed: of the run.
            epoch: (B,).
            sample_id: (B,) the pairs'.
            crop_id: (N·B,) of N crops of each, round by round; with one crop a pair, `sample_id` itself.
        """
        rounds = len(crop_id) // len(sample_id)
        rgb = (uniform(seed, epoch, sample_id, Stream.DROPOUT_SENSOR, 1)[:, 0] < 0.5).repeat(rounds)
        drawn = uniform(seed, epoch.repeat(rounds), crop_id, Stream.DROPOUT, 1)[:, 0] < self.probability
        return drawn & rgb, drawn & ~rgb
