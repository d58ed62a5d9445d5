"""What one would put together from other libraries for the same job: their losses, heads, optimisers, EMA.

Each is one object whose `step` is an optimiser step on a fixed batch. Backbones are handed in.
"""

import copy
from collections.abc import Callable, Sequence
from functools import partial

import torch
from lightly.loss import DINOLoss
from lightly.loss import VICRegLoss as LightlyVICReg
from lightly.models.modules import DINOProjectionHead
from lightly.models.modules.heads import VICRegProjectionHead
from lightly.models.utils import update_momentum
from lightly.utils.lars import LARS as LightlyLARS
from stable_pretraining.losses import VICRegLoss as StableVICReg
from stable_pretraining.optim import LARS as StableLARS
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import AdamW, Optimizer

MakeOptimizer = Callable[[list[nn.Parameter]], Optimizer]
ADAMW: MakeOptimizer = partial(AdamW, lr=1e-4, weight_decay=0.05)
LIGHTLY_LARS: MakeOptimizer = partial(LightlyLARS, lr=1e-3, momentum=0.9, weight_decay=1e-6)
STABLE_LARS: MakeOptimizer = partial(StableLARS, lr=1e-3, momentum=0.9, weight_decay=1e-6)


class VICRegAssembly:
    """Two backbones, Lightly's projection heads, and a loss and an optimiser of either library."""

    def __init__(
        self,
        backbones: Sequence[nn.Module],
        images: Sequence[Tensor],
        features: Sequence[int],
        widths: Sequence[int],
        loss: nn.Module,
        optimizer: MakeOptimizer,
    ) -> None:
        self.backbones = [copy.deepcopy(backbone) for backbone in backbones]
        self.images = images
        self.heads = [VICRegProjectionHead(width, widths[0], widths[-1], len(widths)) for width in features]
        self.loss = loss
        modules = nn.ModuleList([*self.backbones, *self.heads])
        self.optimizer = optimizer(list(modules.parameters()))

    def step(self) -> None:
        self.optimizer.zero_grad()
        towers = zip(self.backbones, self.heads, self.images, strict=True)
        self.loss(*(head(backbone(images)) for backbone, head, images in towers)).backward()
        self.optimizer.step()


def lightly_vicreg(*parts: Sequence, optimizer: MakeOptimizer) -> VICRegAssembly:
    return VICRegAssembly(*parts, loss=LightlyVICReg(), optimizer=optimizer)


def stable_vicreg(*parts: Sequence, optimizer: MakeOptimizer) -> VICRegAssembly:
    return VICRegAssembly(*parts, loss=StableVICReg(), optimizer=optimizer)


class LightlyDINO:
    """Student and teacher of both sensors; each sensor's teacher teaches both students.

    Crops of one size go through a backbone together, and one call of the loss takes a teacher's targets to
    all crops of both sensors: the fastest way to assemble it.

    Args:
        backbones: of RGB and thermal.
        crops: of each sensor, (G, B, …) global and (L, B, …) local ones.
        features: of each backbone.
        widths: of a head, up to the bottleneck.
        prototypes: K.
        clip: the largest norm of all gradients.
    """

    def __init__(
        self,
        backbones: Sequence[nn.Module],
        crops: Sequence[tuple[Tensor, Tensor]],
        features: Sequence[int],
        widths: Sequence[int],
        prototypes: int,
        clip: float = 3.0,
    ) -> None:
        self.crops, self.clip = crops, clip
        made = [
            nn.ModuleList(  # weight norm's tensors cannot be copied
                nn.ModuleList(
                    [copy.deepcopy(backbone), DINOProjectionHead(width, widths[0], widths[-1], prototypes)]
                )
                for backbone, width in zip(backbones, features, strict=True)
            )
            for _ in range(2)
        ]
        self.student, self.teacher = made[0], made[1].requires_grad_(requires_grad=False).eval()
        self.teacher.load_state_dict(self.student.state_dict())
        self.losses = [DINOLoss(prototypes) for _ in features]
        self.optimizer = ADAMW([p for p in self.student.parameters() if p.requires_grad])

    def step(self) -> None:
        self.optimizer.zero_grad()
        taught, said = [], []
        for (backbone, head), (backbone_t, head_t), (large, small) in zip(
            self.student, self.teacher, self.crops, strict=True
        ):
            with torch.no_grad():
                taught.append(list(head_t(backbone_t(large.flatten(0, 1))).chunk(len(large))))
            embedded = [backbone(part.flatten(0, 1)) for part in (large, small) if len(part)]
            said += head(torch.cat(embedded)).chunk(len(large) + len(small))
        loss = sum(
            criterion(targets, said, epoch=0) for criterion, targets in zip(self.losses, taught, strict=True)
        )
        loss.backward()
        clip_grad_norm_(self.student.parameters(), self.clip)
        self.optimizer.step()
        update_momentum(self.student, self.teacher, 0.996)
