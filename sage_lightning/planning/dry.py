"""One training step on tensors without numbers: its arithmetic and its memory, on any machine.

The step is the method's own, at its own batch, on fake tensors: shapes, types and lifetimes are those of a
real step, so attention keeps no matrices, checkpointed parts keep nothing, and losses cost what they cost.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeTensorMode,
)
from torch.optim import Optimizer

from sage_lightning.batch import MultiCropBatch, PairBatch
from sage_lightning.data.augment import View
from sage_lightning.data.multicrop import MultiCrop
from sage_lightning.errors import UserError
from sage_lightning.planning.meter import Meter


@dataclass(frozen=True)
class DryStep:
    """What one step of one rank takes.

    Attributes:
        pairs: that it saw.
        forward_flops: of all crops of all pairs, the teacher's included; see `Meter`.
        flops: of forward and backward together.
        held_bytes: parameters and buffers, the teacher's included.
        gradient_bytes: of what is trained.
        state_bytes: of the optimiser.
        peak_bytes: the most that is alive at once; the optimiser's state is part of it.
    """

    pairs: int
    forward_flops: int
    flops: int
    held_bytes: int
    gradient_bytes: int
    state_bytes: int
    peak_bytes: int

    @property
    def working_bytes(self) -> int:
        """What the batch takes: activations above all, and its images."""
        return self.peak_bytes - self.held_bytes - self.gradient_bytes - self.state_bytes

    @property
    def half(self) -> "DryStep":
        """Of half of the pairs, as near as a line goes."""
        return replace(
            self,
            pairs=self.pairs // 2,
            forward_flops=self.forward_flops // 2,
            flops=self.flops // 2,
            peak_bytes=self.peak_bytes - self.working_bytes // 2,
        )


def dry_step(
    method: pl.LightningModule,
    view: View | MultiCrop,
    sizes: tuple[tuple[int, int], tuple[int, int]],
    ir_channels: int,
    pairs: int,
    trainer: pl.Trainer,
    make_optimizer: Callable[[list[nn.Parameter]], Optimizer],
    gpu: bool,
) -> DryStep:
    """Takes the step.

    Args:
        method: on the meta device; it is of no use afterwards.
        view: what training sees of a pair.
        sizes: (H, W) and (h, w) of what it sees.
        ir_channels: C_ir.
        pairs: of one forward on one rank.
        trainer: says the precision, on the CPU.
        make_optimizer: as the method has it.
        gpu: what it is planned for. There an optimiser without a fused kernel takes all tensors at once, with
            a copy of the gradients; on the CPU none makes one.

    Raises:
        UserError: what the step does depends on numbers, not on shapes alone.
    """
    meter = Meter()
    state_of_one = _state_of_one(make_optimizer)
    plugin = trainer.precision_plugin
    plugin.convert_module(method)
    with FakeTensorMode(), meter:
        _without_numbers(method)
        held = meter.live
        optimizers: Any = method.configure_optimizers()
        optimizer = optimizers["optimizer"]
        _attach(method, trainer, optimizer)
        trained = [p for group in optimizer.param_groups for p in group["params"]]
        for parameter in trained:  # the last step's are there until this step's forward is done
            parameter.grad = torch.empty_like(parameter)
        gradients = meter.live - held
        state = sum(map(_bytes, trained)) * state_of_one
        batch = plugin.convert_input(_images(view, sizes, ir_channels, pairs))
        method.train()
        try:
            with plugin.train_step_context():
                loss: Any = method.training_step(batch, 0)
            forward = meter.flops
            optimizer.zero_grad()
            loss.backward()
        except (DataDependentOutputException, DynamicOutputShapeException) as error:
            raise UserError(f"model: its step asks for numbers, and cannot be planned ({error})") from error
        copied = gradients if gpu and not optimizer.defaults.get("fused") else 0
        return DryStep(
            pairs=pairs,
            forward_flops=forward,
            flops=meter.flops,
            held_bytes=held,
            gradient_bytes=gradients,
            state_bytes=round(state),
            peak_bytes=round(state) + max(meter.peak, held + gradients + copied),
        )


def _attach(method: pl.LightningModule, trainer: pl.Trainer, optimizer: Any) -> None:
    """A step asks its trainer for the optimiser; what it logs is not wanted here."""
    trainer.strategy.optimizers = [optimizer]
    method.trainer = trainer
    method.log = method.log_dict = _ignore  # type: ignore[method-assign]


def _ignore(*arguments: Any, **named: Any) -> None:
    pass


def _without_numbers(module: nn.Module) -> None:
    """Off the meta device, which has no autocast and no fused attention; what is shared stays so."""
    made: dict[int, Tensor] = {}
    for part in module.modules():
        for kept in (part._parameters, part._buffers):
            for name, tensor in kept.items():
                if tensor is None:
                    continue
                if id(tensor) not in made:
                    fake: Tensor = torch.empty(tensor.shape, dtype=tensor.dtype, device="cpu")
                    if isinstance(tensor, nn.Parameter):
                        fake = nn.Parameter(fake, requires_grad=tensor.requires_grad)
                    made[id(tensor)] = fake
                kept[name] = made[id(tensor)]  # type: ignore[assignment]


def _state_of_one(make_optimizer: Callable[[list[nn.Parameter]], Optimizer]) -> float:
    """Bytes of the optimiser's state to a byte of what it trains, seen on a small matrix with numbers."""
    weight = nn.Parameter(torch.ones(64, 64))
    weight.grad = torch.ones_like(weight)
    optimizer = make_optimizer([weight])
    optimizer.step()
    state = [value for value in optimizer.state[weight].values() if isinstance(value, Tensor)]
    return sum(_bytes(value) for value in state if value.shape == weight.shape) / _bytes(weight)


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def _images(
    view: View | MultiCrop, sizes: tuple[tuple[int, int], tuple[int, int]], ir_channels: int, pairs: int
) -> PairBatch | MultiCropBatch:
    keys = (torch.zeros(pairs, dtype=torch.int64) for _ in range(3))
    rgb, ir = sizes
    if not isinstance(view, MultiCrop):
        return PairBatch(torch.empty(pairs, 3, *rgb), torch.empty(pairs, ir_channels, *ir), *keys)
    large, small = view.global_crops, view.local_crops
    return MultiCropBatch(
        torch.empty(large, pairs, 3, *rgb),
        torch.empty(large, pairs, ir_channels, *ir),
        torch.empty(small, pairs, 3, *view.rgb_local_size),
        torch.empty(small, pairs, ir_channels, *view.ir_local_size),
        *keys,
    )
