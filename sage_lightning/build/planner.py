"""What a run's step takes, on any share of its batch, and what that comes to over the run."""

import logging
from copy import deepcopy
from functools import cached_property

import pytorch_lightning as pl
import torch
from omegaconf import DictConfig
from pytorch_lightning.callbacks import Callback
from torch.nn.modules.batchnorm import _BatchNorm

from sage_lightning.build.data import synthetic_data
from sage_lightning.build.measuring import Search, short_trainer, tried
from sage_lightning.build.model import built, fill, total_steps
from sage_lightning.build.objects import instantiate
from sage_lightning.config import resolved
from sage_lightning.config.batches import compared, indivisible, ranks
from sage_lightning.data.multicrop import MultiCrop
from sage_lightning.errors import UserError
from sage_lightning.methods.dino import DINO
from sage_lightning.methods.vicreg import VICReg
from sage_lightning.models.towers import TwoTowers
from sage_lightning.planning.counts import parameters, tokens, width
from sage_lightning.planning.dry import DryStep, dry_step
from sage_lightning.planning.plan import ESTIMATE, Figure, Plan, Ranks, size
from sage_lightning.planning.real import Measured
from sage_lightning.planning.room import resident
from sage_lightning.planning.search import largest
from sage_lightning.planning.traffic import traffic

log = logging.getLogger("sage_lightning")

_SECONDS = 8.0  # that measuring on the CPU may take, as guessed from
_FLOPS_A_CORE = 20e9
_FEWEST = 2  # pairs that batch statistics of one rank can be taken of; several ranks may have one each


class Planner:
    """Knows what a step of a run takes, on any share of its batch.

    Args:
        cfg: of the run; a copy is filled in as the run fills it in.
        pairs: for training.
        pairs_from: how they are known.

    Raises:
        UserError: there are fewer pairs than a batch, or the config is refused for another reason.
    """

    def __init__(self, cfg: DictConfig, pairs: int, pairs_from: str) -> None:
        if pairs < cfg.data.batch_size:
            raise UserError(
                f"data.batch_size={cfg.data.batch_size}: the training split has {pairs} pairs, no more"
            )
        self.cfg = deepcopy(cfg)
        for sensor in ("rgb", "ir"):  # what a tower begins with changes nothing of this
            self.cfg.model[f"{sensor}_backbone"].weights = None
        fill(self.cfg, pairs)
        self.pairs, self.pairs_from = pairs, pairs_from
        self.batch_size: int = cfg.data.batch_size
        self.accumulate: int = cfg.trainer.accumulate_grad_batches or 1
        asked = cfg.trainer.accelerator
        self.gpu = asked in ("gpu", "cuda") or (asked == "auto" and torch.cuda.is_available())
        self.here = asked in ("auto", "cpu") or (self.gpu and torch.cuda.is_available())
        self.ranks = self._ranks()
        self.data = synthetic_data(self.cfg, pairs, self.batch_size)
        self.process_bytes = 0 if self.gpu else resident()
        self._dry: dict[int, DryStep] = {}

    def _ranks(self) -> int:
        config = resolved(self.cfg)
        asked = compared(config)
        if len(asked) == 1:
            return asked[0]
        machine = torch.cuda.device_count() * (self.cfg.trainer.num_nodes or 1) if self.gpu else 1
        return ranks(config) or max(machine, 1)

    @cached_property
    def method(self) -> pl.LightningModule:
        """The method of the run, without numbers."""
        with torch.device("meta"):
            return built(self.cfg, self.data)

    @property
    def towers(self) -> TwoTowers:
        """Those that are trained."""
        assert isinstance(self.method, VICReg | DINO)
        return self.method.towers if isinstance(self.method, VICReg) else self.method.student

    def dry(self, pairs: int) -> DryStep:
        """One forward and backward of a rank on so many pairs."""
        if pairs < _FEWEST:
            return self.dry(_FEWEST).half
        if pairs not in self._dry:
            trainer = short_trainer(self.cfg, Callback(), 1, accelerator="cpu")
            with torch.device("meta"):
                method = built(self.cfg, self.data)
            view, optimizer = self.data.train_view, instantiate(self.cfg.optimizer)
            sizes = self.data.eval_view.rgb_size, self.data.eval_view.ir_size
            channels = self.data.transform.ir_channels
            self._dry[pairs] = dry_step(method, view, sizes, channels, pairs, trainer, optimizer, self.gpu)
        return self._dry[pairs]

    def memory(self, batch: int, ranks: int) -> int:
        """Bytes that a rank takes, by arithmetic: of a GPU its tensors, on the CPU the whole process."""
        return self.tensors(batch, ranks) + self.process_bytes

    def tensors(self, batch: int, ranks: int) -> int:
        """Bytes of a rank's tensors."""
        pairs = batch // (ranks * self.accumulate)
        step = self.dry(pairs)
        buckets = step.gradient_bytes if ranks > 1 else 0  # DDP's copy
        # Of the other ranks' projections: what is gathered, centred, and both their gradients.
        features = width(self.towers.rgb_projector) if isinstance(self.method, VICReg) else 0
        gathered = 2 * 4 * (batch - pairs) * features * self.item
        return step.peak_bytes + buckets + gathered

    def fitting(self, limit: float) -> int | None:
        """The largest global batch, below the one asked for, whose tensors take no more; None if none does.

        Args:
            limit: bytes.
        """
        parts = self.ranks * self.accumulate
        small = max(self.batch_size // parts // 8, 2) * parts
        base, whole = self.tensors(small, self.ranks), self.tensors(self.batch_size, self.ranks)
        slope = (whole - base) / max(self.batch_size - small, 1)
        most = self.batch_size - parts
        while found := largest(parts, most, lambda b: base + slope * (b - small) <= limit, self.least):
            # Nearly a line: what it promises is looked at.
            if self.tensors(found, self.ranks) <= limit:
                return found
            most = found - parts
        return None

    @property
    def least(self) -> int:
        """The smallest batch that the method takes."""
        return 2 if isinstance(self.method, VICReg) else 1

    @property
    def has_batchnorm(self) -> bool:
        """Whether a backbone has live BatchNorm."""
        backbones = (self.towers.rgb_backbone, self.towers.ir_backbone)
        return any(isinstance(part, _BatchNorm) for backbone in backbones for part in backbone.modules())

    @property
    def item(self) -> int:
        """Bytes of a number in a projection."""
        return 2 if str(self.cfg.trainer.precision).startswith(("16", "bf16")) else 4

    def plan(self, find_batch: bool, tflops: float | None) -> Plan:
        """The plan.

        Args:
            find_batch: whether the largest batch is looked for.
            tflops: that a device which is not here keeps up; None leaves real steps out, and hours.
        """
        parts = self.ranks * self.accumulate
        step = self.dry(self.batch_size // parts)
        real = self.here and tflops is not None
        found, fits = self._tried(step, find_batch) if real else (None, None)
        if find_batch and not real:
            log.warning(
                "plan.find_batch=true is of no use without the device: %s", self.cfg.trainer.accelerator
            )
        view, local = self.data.train_view, {}
        crops = {"global": 1, "local": 0}
        if isinstance(view, MultiCrop):
            crops = {"global": view.global_crops, "local": view.local_crops}
            local = {"rgb_local": view.rgb_local_size, "ir_local": view.ir_local_size}
        seen = {"rgb": self.data.eval_view.rgb_size, "ir": self.data.eval_view.ir_size} | local
        backbones = {"rgb": self.towers.rgb_backbone, "ir": self.towers.ir_backbone}
        return Plan(
            pairs=self.pairs,
            pairs_from=self.pairs_from,
            batch_size=self.batch_size,
            ranks=self.ranks,
            accumulate=self.accumulate,
            steps_per_epoch=self.data.steps_per_epoch,
            total_steps=total_steps(self.cfg, self.data),
            tokens={name: tokens(backbones[name.split("_")[0]], sides) for name, sides in seen.items()},
            crops=crops,
            parameters=parameters(self.method, self.towers),
            dry=step,
            memory=self._memory(found, real),
            seconds=None if tflops is None else self._seconds(step, found, tflops),
            measured=found,
            largest_batch=(fits or 0) if find_batch and real else None,
            compared=[self._over(number) for number in compared(resolved(self.cfg))],
        )

    def _tried(self, step: DryStep, find_batch: bool) -> tuple[Measured | None, int | None]:
        """Real steps; on the CPU of as many pairs as it gets through in seconds."""
        pairs = step.pairs
        if not self.gpu:
            affordable = _SECONDS * _FLOPS_A_CORE * torch.get_num_threads() / (3 * step.flops / step.pairs)
            pairs = min(pairs, int(affordable / self.accumulate))
        search = Search(self.ranks, self.pairs, self.least) if find_batch else None
        return tried(self.cfg, max(pairs, _FEWEST) * self.accumulate, self.gpu, search)

    def _memory(self, found: Measured | None, real: bool) -> Figure:
        share = self.batch_size // self.ranks
        if found is not None and found.pairs == share and self.ranks == 1:
            return Figure(found.peak_bytes, f"measured, {found.device}")
        text = f"{ESTIMATE} of its tensors" if self.gpu else f"{ESTIMATE} of the whole process"
        if real and found is None:
            text += "; tried here, it does not fit (plan.find_batch=true finds what does)"
        if found is not None:
            guess = self.dry(found.pairs // self.accumulate).peak_bytes + self.process_bytes
            text += f"; with {found.pairs} pairs {size(found.peak_bytes)} measured, {size(guess)} estimated"
        return Figure(self.memory(self.batch_size, self.ranks), text)

    def _seconds(self, step: DryStep, found: Measured | None, tflops: float) -> Figure:
        share = step.pairs * self.accumulate
        alone = "" if self.ranks == 1 else ", without waiting for other ranks"
        if found is None:
            seconds = step.flops * self.accumulate / (tflops * 1e12)
            return Figure(seconds, f"{ESTIMATE} at {tflops:g} TFLOP/s (plan.tflops){alone}")
        seconds = found.seconds * share / found.pairs
        of = "" if found.pairs == share else f", from steps of {found.pairs} pairs"
        return Figure(seconds, f"measured, {seconds:.3g} s a step on {found.device}{of}{alone}")

    def _over(self, number: int) -> Ranks:
        if line := indivisible(self.batch_size, number, self.accumulate):
            return Ranks(number, line)
        pairs = self.batch_size // (number * self.accumulate)
        view = self.data.train_view
        crops = view.global_crops if isinstance(view, MultiCrop) else 1
        sent = traffic(self.method, number, self.batch_size, self.accumulate, self.item, crops)
        return Ranks(number, None, pairs, self.memory(self.batch_size, number), sent)
