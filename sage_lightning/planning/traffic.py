"""Bytes that a step moves between ranks: what each of them sends, which is as much as it receives.

Reductions go around a ring: of a tensor of n bytes on W ranks each sends 2 (W − 1) / W · n. In a gather of
what is n bytes once it is whole, each rank's part goes to all others: (W − 1) / W · n.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import pytorch_lightning as pl
from torch.nn.modules.batchnorm import _BatchNorm

from sage_lightning.methods.dino import DINO
from sage_lightning.methods.vicreg import VICReg
from sage_lightning.models.prototypes import PrototypeHead
from sage_lightning.models.towers import Sensor, TwoTowers
from sage_lightning.planning.counts import width

_FLOAT = 4  # bytes
_SINKHORN_ROUNDS = 3  # as `balanced_targets` has it


@dataclass(frozen=True)
class Traffic:
    """What one rank sends in a step, in bytes.

    Attributes:
        gradients: of DDP's all-reduce.
        projections: gathered, and their gradients, reduced.
        statistics: of BatchNorm, forward and backward; of a teacher's centres; of balanced targets; how many
            patches are hidden.
    """

    gradients: int
    projections: int
    statistics: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.gradients + self.projections + self.statistics


def traffic(method: pl.LightningModule, ranks: int, batch: int, steps: int, item: int, crops: int) -> Traffic:
    """Of a method's step.

    Args:
        method: on any device.
        ranks: W.
        batch: the global batch.
        steps: of accumulation, each of which has its own batch statistics.
        item: bytes of a number in a projection: 2 in half precision.
        crops: global crops of a pair; 1 where there is but one view.
    """
    ring = (ranks - 1) / ranks
    trained = sum(p.numel() * p.element_size() for p in method.parameters() if p.requires_grad)
    gathered, reduced = 0, 0
    if isinstance(method, VICReg):
        heads = (method.towers.rgb_projector, method.towers.ir_projector)
        gathered = sum(batch * width(head) * item for head in heads)
        reduced = _channels(method.towers) * steps
    elif isinstance(method, DINO):
        learning, teaching = method.roles.learning(0), method.roles.teaching(0)
        if method.koleo_weight > 0:
            gathered = len(learning) * crops * batch * width(method.student.rgb_projector) * item
        speaking = _speaking(method, teaching)
        rounds = _SINKHORN_ROUNDS if method.centres.balanced else 0
        balanced = sum(len(head.centre) for head in speaking) * rounds
        hidden = 2 * len(learning) if method.masking is not None else 0  # an int64 is as long as two floats
        reduced = (_channels(method.student) + balanced + hidden) * steps
        reduced += sum(len(head.centre) for head in set(speaking))  # once for a head that sensors share
    return Traffic(
        gradients=round(2 * ring * trained),
        projections=round(3 * ring * gathered),  # there once, and back as a sum
        statistics=round(2 * ring * reduced * _FLOAT),
    )


def _speaking(method: DINO, teaching: Iterable[Sensor]) -> list[PrototypeHead]:
    """The teacher's heads, one for each call: of images, and of patches where these are hidden."""
    heads: list[PrototypeHead] = []
    for sensor in teaching:
        head = method.teacher.rgb_projector if sensor == "rgb" else method.teacher.ir_projector
        assert isinstance(head, PrototypeHead)
        heads.append(head)
        if method.masking is not None and method.teacher.patches is not None:
            heads.append(method.teacher.patches.head(sensor))
    return heads


def _channels(towers: TwoTowers) -> int:
    """Numbers that BatchNorm reduces: a sum and a sum of squares a channel, and their gradients."""
    norms = [part for part in towers.modules() if isinstance(part, _BatchNorm)]
    return sum(4 * part.num_features for part in norms)
