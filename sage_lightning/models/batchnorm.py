"""Batch statistics over all ranks, on the CPU too, where torch's SyncBatchNorm refuses to work.

On CUDA these modules call the kernels of torch's SyncBatchNorm. Elsewhere they use the code below: two
differentiable sums over ranks, weighted by true counts, so that ranks may hold different numbers of samples.
In one process, and in evaluation, they are torch's BatchNorm. Parameters, buffers and their names are torch's
in every case.
"""

from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from timm.layers.norm_act import BatchNormAct2d
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx
from torch.nn.modules._functions import SyncBatchNorm
from torch.nn.modules.batchnorm import _BatchNorm


class _SumOverRanks(torch.autograd.Function):
    """All-reduce whose backward sums too: every rank's loss depends on what every rank put in."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor) -> Tensor:
        total = x.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: FunctionCtx, *grads: Tensor) -> Tensor:
        total = grads[0].clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total


def global_batch_norm(norm: _BatchNorm, x: Tensor) -> Tensor:
    """What `norm` gives for `x`, with training statistics over all ranks.

    Args:
        norm: its parameters are used, and its running statistics are updated, as torch does it.
        x: (B, C) or (B, C, …); B may differ from rank to rank.

    Raises:
        ValueError: if all ranks together hold one value a channel in training.
    """
    ranks = dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1
    if ranks == 1 or not norm.training:
        return F.batch_norm(
            x,
            norm.running_mean,
            norm.running_var,
            norm.weight,
            norm.bias,
            norm.training or norm.running_mean is None,
            _count_batch(norm),
            norm.eps,
        )
    momentum = _count_batch(norm)
    if x.is_cuda:
        return SyncBatchNorm.apply(
            x,
            norm.weight,
            norm.bias,
            norm.running_mean,
            norm.running_var,
            norm.eps,
            momentum,
            dist.group.WORLD,
            ranks,
        )
    return _synchronised(norm, x, momentum)


def _count_batch(norm: _BatchNorm) -> float:
    """Counts a training batch and gives its weight in the running statistics."""
    if norm.training and norm.num_batches_tracked is not None:
        norm.num_batches_tracked.add_(1)
        if norm.momentum is None:  # a plain average over all batches so far
            return 1.0 / float(norm.num_batches_tracked)
    return norm.momentum or 0.0


def _synchronised(norm: _BatchNorm, x: Tensor, momentum: float) -> Tensor:
    """Two passes, mean first: sums of squares would cancel in float32."""
    values = x.to(torch.promote_types(x.dtype, torch.float32))
    others = [axis for axis in range(x.ndim) if axis != 1]
    shape = [1, -1] + [1] * (x.ndim - 2)

    here = values.new_full((1,), x.numel() // x.shape[1])
    sums = _SumOverRanks.apply(torch.cat([values.sum(others), here]))
    count = sums[-1].detach()
    if count < 2:
        raise ValueError(
            f"batch statistics need more than 1 value a channel over all ranks, not {int(count)}"
        )
    mean = sums[:-1] / count
    centred = values - mean.view(shape)
    variance = _SumOverRanks.apply(centred.square().sum(others)) / count

    if norm.running_mean is not None and norm.running_var is not None:
        with torch.no_grad():
            norm.running_mean.lerp_(mean.to(norm.running_mean.dtype), momentum)
            unbiased = variance * (count / (count - 1))
            norm.running_var.lerp_(unbiased.to(norm.running_var.dtype), momentum)
    y = centred * (variance + norm.eps).rsqrt().view(shape)
    if norm.affine:
        y = y * norm.weight.view(shape) + norm.bias.view(shape)
    return y.to(x.dtype)


class GlobalBatchNorm1d(nn.BatchNorm1d):
    """BatchNorm1d with training statistics over all ranks."""

    def forward(self, input: Tensor) -> Tensor:
        """(B, C) or (B, C, L) to the same."""
        self._check_input_dim(input)
        return global_batch_norm(self, input)


class GlobalBatchNorm2d(nn.BatchNorm2d):
    """BatchNorm2d with training statistics over all ranks."""

    def forward(self, input: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        self._check_input_dim(input)
        return global_batch_norm(self, input)


class GlobalBatchNormAct2d(BatchNormAct2d):
    """timm's BatchNorm2d with its activation inside, with training statistics over all ranks."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        return self.act(self.drop(global_batch_norm(self, x)))


_GLOBAL: dict[type[nn.Module], type[_BatchNorm]] = {
    nn.BatchNorm1d: GlobalBatchNorm1d,
    nn.BatchNorm2d: GlobalBatchNorm2d,
    BatchNormAct2d: GlobalBatchNormAct2d,
}


def convert_batchnorm(module: nn.Module) -> nn.Module:
    """Replaces every BatchNorm inside `module`, itself included, keeping parameters, buffers and mode.

    Raises:
        TypeError: for a subclass of BatchNorm without a counterpart here; left alone it would be per rank.
    """
    if isinstance(module, _BatchNorm):
        return module if type(module) in _GLOBAL.values() else _counterpart(module)
    for name, child in module.named_children():
        setattr(module, name, convert_batchnorm(child))
    return module


def _counterpart(norm: Any) -> nn.Module:
    if type(norm) not in _GLOBAL:
        raise TypeError(f"{type(norm).__name__} has no counterpart with statistics over all ranks")
    new: Any = _GLOBAL[type(norm)](
        norm.num_features,
        eps=norm.eps,
        momentum=norm.momentum,
        affine=norm.affine,
        track_running_stats=norm.track_running_stats,
    )
    new.weight, new.bias = norm.weight, norm.bias
    new.running_mean, new.running_var = norm.running_mean, norm.running_var
    new.num_batches_tracked = norm.num_batches_tracked
    if isinstance(norm, BatchNormAct2d):
        new.act, new.drop = norm.act, norm.drop
    return new.train(norm.training)
