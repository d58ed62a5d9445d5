"""Cross-modal DINO: self-distillation (Caron et al. 2021) from one sensor's teacher to the other's student.

Student and teacher each hold both towers; the teacher is the moving average of both towers, whoever teaches.
Loss = cross-sensor terms + intra_weight · same-sensor terms. Without the latter a separate tower that only
teaches would never learn, and its average neither.
"""

import copy
from collections.abc import Callable, Iterable
from typing import Any, Literal

import torch
from pytorch_lightning import LightningModule
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from sage_lightning.batch import MultiCropBatch, PairBatch
from sage_lightning.losses.dino import crop_cross_entropies, entropy, koleo, teacher_targets
from sage_lightning.methods.average import follow
from sage_lightning.methods.centring import Centring
from sage_lightning.methods.gather import gather_with_grad
from sage_lightning.methods.logged import mean_over_ranks, on_device
from sage_lightning.methods.masking import Guesses, Masking, Taught
from sage_lightning.methods.roles import SENSORS, Direction, Kind, Roles, lessons
from sage_lightning.methods.seeding import seed_generator
from sage_lightning.methods.spaces import spaces
from sage_lightning.models.prototypes import PrototypeHead, cosines
from sage_lightning.models.towers import Sensor, TwoTowers
from sage_lightning.optim.groups import parameter_groups
from sage_lightning.optim.schedule import cosine_ramp, linear_ramp

LOGIT_ROWS = 256  # of a split at a time, in validation: at 65,536 prototypes, 64 MiB a sensor


class DINO(LightningModule):
    """Trains a student by a teacher that is the student's moving average.

    Args:
        towers: the student's; the teacher begins as their copy.
        optimizer: takes parameter groups; its learning rate is for a global batch of 256.
        schedule: factor on that rate at an optimiser step, counted from 0.
        seed: with step and rank it fixes what stochastic depth drops.
        steps_per_epoch: optimiser steps of an epoch.
        total_steps: of the run.
        direction: who teaches, see `Roles`.
        intra_weight: of the terms in which a sensor's teacher teaches its own student.
        momentum: of the moving average at the first step; it rises to 1 along half a cosine.
        student_temperature: of the student's softmax.
        teacher_temperature: of the teacher's at the first step and after the warm-up.
        temperature_epochs: the warm-up's.
        centring: what keeps all pairs from one prototype: `mean`, a moving average of the teacher's logits,
            subtracted from them; or `sinkhorn`, which balances each batch beside that.
        centre_momentum: of the moving average.
        koleo_weight: of the term that spreads the students' bottlenecks of each large crop.
        ibot_weight: of masked patches, see `Masking`; where it is above 0, towers have heads for patches.
        ibot_mask: bounds of the share of patches that a student does not see of a large crop.
        ibot_probability: that it does not see some.
        freeze_epochs: epochs for which the prototypes stay as they are, bit for bit; inf: all of them.
        weight_decay_end: the optimiser's weight decay goes there along half a cosine; null keeps it.

    Raises:
        ValueError: an unknown direction, or no heads for patches.
    """

    EVALUATED = "teacher"  # the part that embeds once training is over

    def __init__(
        self,
        towers: TwoTowers,
        optimizer: Callable[[list[dict[str, Any]]], Optimizer],
        schedule: Callable[[int], float],
        seed: int,
        steps_per_epoch: int,
        total_steps: int,
        direction: Direction = "both",
        intra_weight: float = 1.0,
        momentum: float = 0.996,
        student_temperature: float = 0.1,
        teacher_temperature: tuple[float, float] = (0.04, 0.07),
        temperature_epochs: float = 30.0,
        centring: Literal["mean", "sinkhorn"] = "mean",
        centre_momentum: float = 0.9,
        koleo_weight: float = 0.0,
        ibot_weight: float = 0.0,
        ibot_mask: tuple[float, float] = (0.1, 0.5),
        ibot_probability: float = 0.5,
        freeze_epochs: float = 1.0,
        weight_decay_end: float | None = None,
    ) -> None:
        super().__init__()
        self.roles = Roles(direction, intra_weight)
        if ibot_weight > 0 and towers.patches is None:
            raise ValueError(f"model.ibot_weight={ibot_weight}: these towers have no heads for patches")
        self.student = towers
        self.teacher = copy.deepcopy(towers).requires_grad_(requires_grad=False).eval()
        self.optimizer = optimizer
        self.schedule = schedule
        self.seed = seed
        self.total_steps = total_steps
        self.start_momentum = momentum
        self.student_temperature = student_temperature
        self.teacher_temperatures = (float(teacher_temperature[0]), float(teacher_temperature[1]))
        self.temperature_steps = round(temperature_epochs * steps_per_epoch)
        self.centres = Centring(centre_momentum, balanced=centring == "sinkhorn")
        self.koleo_weight = koleo_weight
        self.ibot_weight = ibot_weight
        self.masking = Masking(seed, ibot_mask, ibot_probability) if ibot_weight > 0 else None
        self.freeze_steps = freeze_epochs * steps_per_epoch
        self.weight_decay_end = weight_decay_end

    def train(self, mode: bool = True) -> "DINO":
        """The teacher stays in evaluation: nothing is dropped, and batch statistics are the averaged ones."""
        super().train(mode)
        self.teacher.eval()
        return self

    def momentum(self, step: int) -> float:
        """m of the teacher's average after a step: it moves by 1 − m of its distance to the student."""
        return cosine_ramp(self.start_momentum, 1.0, step, self.total_steps)

    def teacher_temperature(self, step: int) -> float:
        """τ of the targets at a step."""
        return linear_ramp(*self.teacher_temperatures, step, self.temperature_steps)

    def on_train_batch_start(self, batch: MultiCropBatch, batch_idx: int) -> None:
        """Seeds torch's generator and sets the weight decay of this step."""
        accumulated = self.trainer.accumulate_grad_batches
        seed_generator(self.seed, self.global_step, self.global_rank, batch_idx % accumulated)
        group = self.trainer.optimizers[0].param_groups[0]  # the one that decays
        start = group.setdefault("initial_weight_decay", group["weight_decay"])
        if self.weight_decay_end is not None:
            end = self.weight_decay_end
            group["weight_decay"] = cosine_ramp(start, end, self.global_step, self.total_steps)

    def training_step(self, batch: MultiCropBatch, batch_idx: int) -> Tensor:
        """The loss of this rank's pairs; the mean over ranks, which hold equally many, is the global one."""
        step = self.global_step
        targets, taught = self._targets(batch, step)
        bottlenecks: dict[Sensor, Tensor] = {}
        guesses: dict[Sensor, Guesses] = {}
        for sensor in self.roles.learning(step):
            bottlenecks[sensor] = self._bottlenecks(batch, sensor, guesses)
        students = self._cosines(self.student, bottlenecks)  # a student has no centre: they are its logits
        logged: dict[str, Any] = {}
        loss = next(iter(students.values())).new_zeros(())
        weights = {kind: weight for kind, weight in self.roles.weights.items() if weight > 0}
        for kind, terms in self._terms(weights, students, targets).items():
            weight = weights[kind]
            logged |= {f"train/loss_{name}": term for name, term in terms.items()}
            loss = loss + weight * torch.stack([*terms.values()]).mean()
            if self.masking is not None:
                terms = self.masking.terms(kind, guesses, taught, self.student_temperature)
                logged |= {f"train/loss_ibot_{name}": term for name, term in terms.items()}
                loss = loss + self.ibot_weight * weight * torch.stack([*terms.values()]).mean()
        if self.koleo_weight > 0:
            spread = [self._koleo(z[: len(batch.rgb)]) for z in bottlenecks.values()]
            logged["train/loss_koleo"] = torch.stack(spread).mean()
            loss = loss + self.koleo_weight * logged["train/loss_koleo"]
        logged |= {f"train/teacher_entropy_{sensor}": entropy(target) for sensor, target in targets.items()}
        self.log_dict(mean_over_ranks({"train/loss": loss} | logged))
        group = self.trainer.optimizers[0].param_groups[0]
        numbers = {
            "train/lr": group["lr"],
            "train/weight_decay": group["weight_decay"],
            "train/momentum": self.momentum(step),
            "train/teacher_temperature": self.teacher_temperature(step),
        }
        self.log_dict(on_device(numbers, loss.device))
        return loss

    def _terms(
        self, kinds: Iterable[Kind], students: dict[Sensor, Tensor], targets: dict[Sensor, Tensor]
    ) -> dict[Kind, dict[str, Tensor]]:
        """Of each kind one for each sensor that teaches; all that a student is asked, in one go."""
        terms: dict[Kind, dict[str, Tensor]] = {kind: {} for kind in kinds}
        given = [(kind, lesson) for kind in kinds for lesson in lessons(kind, targets)]
        for learner, logits in students.items():
            asked = [(kind, lesson) for kind, lesson in given if lesson.learner == learner]
            taught = crop_cross_entropies(
                logits,
                [targets[lesson.teacher] for _, lesson in asked],
                self.student_temperature,
                skip_same=[kind == "intra" for kind, _ in asked],
            )
            for (kind, lesson), term in zip(asked, taught, strict=True):
                terms[kind][lesson.name] = term
        return terms

    def _bottlenecks(self, batch: MultiCropBatch, sensor: Sensor, guesses: dict[Sensor, Guesses]) -> Tensor:
        """(G + L, B, D) of the student: one forward a resolution, one call of the head; and its guesses."""
        large, small = (batch.rgb, batch.rgb_local) if sensor == "rgb" else (batch.ir, batch.ir_local)
        if self.masking is None:
            embeddings = [self.student.embed(sensor, large.flatten(0, 1))]
        else:
            seen, guesses[sensor] = self.masking.embed(self.student, sensor, large, batch)
            embeddings = [seen]
        if len(small):
            embeddings.append(self.student.embed(sensor, small.flatten(0, 1)))
        bottlenecks = self.student.project(sensor, torch.cat(embeddings))
        return bottlenecks.unflatten(0, (-1, len(batch.row)))

    def _cosines(self, towers: TwoTowers, bottlenecks: dict[Sensor, Tensor]) -> dict[Sensor, Tensor]:
        """(X, Y, D) to (X, Y, K); in one call where sensors have the same prototypes."""
        sets: dict[nn.Parameter, list[Sensor]] = {}
        for sensor in bottlenecks:
            sets.setdefault(self._head(towers, sensor).prototypes, []).append(sensor)
        found: dict[Sensor, Tensor] = {}
        for prototypes, sensors in sets.items():
            said = cosines(prototypes, [bottlenecks[sensor].flatten(0, 1) for sensor in sensors])
            shapes = (bottlenecks[sensor].shape[:2] for sensor in sensors)
            found |= {s: c.unflatten(0, shape) for s, c, shape in zip(sensors, said, shapes, strict=True)}
        return found

    @staticmethod
    def _koleo(bottlenecks: Tensor) -> Tensor:
        """Mean over the large crops (G, B, D) of the term of the global batch."""
        everyone = gather_with_grad(bottlenecks.transpose(0, 1).contiguous())
        return torch.stack([koleo(crop) for crop in everyone.unbind(1)]).mean()

    @torch.no_grad()
    def _targets(self, batch: MultiCropBatch, step: int) -> tuple[dict[Sensor, Tensor], dict[Sensor, Taught]]:
        """Teaching sensor → (G, B, K) distributions, and those of its patches where students guess them."""
        bottlenecks: dict[Sensor, Tensor] = {}
        taught: dict[Sensor, Taught] = {}
        tau = self.teacher_temperature(step)
        for sensor in self.roles.teaching(step):
            crops = batch.rgb if sensor == "rgb" else batch.ir
            images = crops.flatten(0, 1)
            if self.masking is None:
                embedding = self.teacher.embed(sensor, images)
            else:
                seen = self.masking.teach(self.teacher, sensor, images, self.centres, tau)
                embedding, taught[sensor] = seen
            bottlenecks[sensor] = self.teacher.project(sensor, embedding).unflatten(0, crops.shape[:2])
        said = self._cosines(self.teacher, bottlenecks)
        heads = {sensor: self._head(self.teacher, sensor) for sensor in said}
        targets = {sensor: self.centres.targets(heads[sensor], said[sensor], tau) for sensor in said}
        return targets, taught

    @staticmethod
    def _head(towers: TwoTowers, sensor: Sensor) -> PrototypeHead:
        head = towers.rgb_projector if sensor == "rgb" else towers.ir_projector
        assert isinstance(head, PrototypeHead)
        return head

    def _heads(self, towers: TwoTowers) -> tuple[PrototypeHead, PrototypeHead]:
        return self._head(towers, "rgb"), self._head(towers, "ir")

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Takes the prototypes' gradients away while they are frozen: without one, nothing decays either."""
        if self.global_step < self.freeze_steps:
            for head in self.student.modules():
                if isinstance(head, PrototypeHead):
                    head.prototypes.grad = None

    def optimizer_step(self, *arguments: Any, **named: Any) -> None:
        """After the student's step, and once for it: the teacher follows, and the centre."""
        step = self.global_step
        super().optimizer_step(*arguments, **named)
        self.follow(self.momentum(step))

    @torch.no_grad()
    def follow(self, momentum: float) -> None:
        """Moves the teacher by (1 − m) of its distance to the student, and the centre to what it has said."""
        follow(self.teacher, self.student, momentum, but="centre")
        self.centres.follow()

    @torch.no_grad()
    def loss_terms(self, z_rgb: Tensor, z_ir: Tensor) -> dict[str, Tensor]:
        """What the teacher's views of a whole split say of each other, as it is logged in validation.

        Args:
            z_rgb: (N, D) bottlenecks of the teacher, on any device.
            z_ir: (N, D).

        Returns:
            "loss_cross_rgb_to_ir" and "loss_cross_ir_to_rgb", and their mean, "loss"; scalars.
        """
        sums: dict[str, Tensor] = {}
        for rows in zip(z_rgb.split(LOGIT_ROWS), z_ir.split(LOGIT_ROWS), strict=True):
            heads = zip(SENSORS, self._heads(self.teacher), rows, strict=True)
            logits = {sensor: head.logits(z.to(head.centre))[None] for sensor, head, z in heads}
            tau = self.teacher_temperatures[1]
            targets = {sensor: teacher_targets(said, tau) for sensor, said in logits.items()}
            for name, term in self._terms(["cross"], logits, targets)["cross"].items():
                sums[f"loss_{name}"] = sums.get(f"loss_{name}", 0) + term * len(rows[0])
        terms = {name: total / len(z_rgb) for name, total in sums.items()}
        return {"loss": torch.stack([*terms.values()]).mean()} | terms

    def validation_step(self, batch: PairBatch, batch_idx: int) -> dict[str, Tensor]:
        """The teacher's; see `spaces`."""
        return spaces(self.teacher, batch)

    def configure_optimizers(self) -> Any:
        """The optimiser over the student's decayed and undecayed parameters, its rate set at every step."""
        optimizer = self.optimizer(parameter_groups(self.student))
        scheduler = LambdaLR(optimizer, self.schedule)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}
