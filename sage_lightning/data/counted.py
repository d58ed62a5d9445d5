"""Random numbers that are counted, not streamed: functions of seed, epoch, sample id, stream and position.

No generator keeps a state, so rank, worker, batch and the numbers drawn before change nothing. The mixing is
SplitMix64 (Steele, Lea, Flood 2014) in wrapping int64, the same bits on every device.
"""

import hashlib
import math
from enum import IntEnum

import torch
from torch import Tensor

_GOLDEN = -7046029254386353131  # 0x9E3779B97F4A7C15 as int64, as the next two
_MULTIPLIER_1 = -4658895280553007687  # 0xBF58476D1CE4E5B9
_MULTIPLIER_2 = -7723592293110705685  # 0x94D049BB133111EB
_BITS = 24  # a float32 in [0, 1) holds that many


class Stream(IntEnum):
    """What a random number is for: streams are independent, and a value here never changes its meaning."""

    ORDER = 0
    CROP = 1
    FLIP = 2
    JITTER = 3
    RGB_COLOUR = 4
    RGB_GRAY = 5
    RGB_BLUR = 6
    IR_GAIN = 7
    IR_OFFSET = 8
    IR_NOISE = 9
    GLOBAL_CROPS = 10
    LOCAL_CROPS = 11
    RGB_STYLE = 12
    RGB_STYLE_NOISE = 13
    IR_STYLE = 14
    IR_STYLE_NOISE = 15
    VERTICAL_FLIP = 16
    DROPOUT = 17
    DROPOUT_SENSOR = 18
    RGB_MASK = 19
    IR_MASK = 20


def sample_id(pair_id: str) -> int:
    """A 64-bit hash of a pair's name, signed: the same on every machine and in every subset."""
    return int.from_bytes(hashlib.blake2b(pair_id.encode(), digest_size=8).digest(), "little", signed=True)


def part_ids(sample_id: Tensor, stream: int, n: int) -> Tensor:
    """Names for n parts of each sample, sample ids of their own; the first k do not depend on n.

    Args:
        sample_id: (B,) int64.
        stream: what the parts are, see `Stream`.
        n: how many a sample.

    Returns:
        (n, B) int64.
    """
    number = torch.arange(1, n + 1, device=sample_id.device)
    return _mix(_absorb(sample_id, stream) + _GOLDEN * number[:, None])


def uniform(seed: int, epoch: Tensor, sample_id: Tensor, stream: int, n: int) -> Tensor:
    """Independent numbers in [0, 1); a sample's first k do not depend on n.

    Args:
        seed: of the run.
        epoch: (B,) int64.
        sample_id: (B,) int64.
        stream: what they are for, see `Stream`.
        n: how many a sample.

    Returns:
        (B, n) float32 on the device of `epoch`.
    """
    return _unit(_bits(key(seed, epoch, sample_id, stream), n), 64 - _BITS)


def normal(seed: int, epoch: Tensor, sample_id: Tensor, stream: int, n: int) -> Tensor:
    """Independent standard normal numbers by Box and Muller; arguments and result as of `uniform`."""
    return normal_of(key(seed, epoch, sample_id, stream), n)


def key(seed: int, epoch: Tensor, sample_id: Tensor, stream: int) -> Tensor:
    """(B,) int64 that stand for all of these; arguments as of `uniform`."""
    return _absorb(_absorb(_absorb(_absorb(torch.zeros_like(epoch), seed), epoch), sample_id), stream)


def normal_of(key: Tensor, n: int) -> Tensor:
    """What `normal` gives for these (B,) keys."""
    bits = _bits(key, (n + 1) // 2)
    radius = (-2 * torch.log1p(-_unit(bits, 64 - _BITS))).sqrt()
    angle = 2 * math.pi * _unit(bits, 0)
    pairs = torch.complex(radius * angle.cos(), radius * angle.sin())  # the quickest way to put one by one
    return torch.view_as_real(pairs).flatten(1)[:, :n]


def permutation(seed: int, epoch: int | Tensor, n: int, part: int = 0) -> Tensor:
    """(n,) int64: the order of n rows in an epoch, or of a part of its rows, which are numbered from 1.

    For (T,) epochs (T, n), an order each.
    """
    order = _absorb(_absorb(_absorb(torch.zeros((), dtype=torch.int64), seed), epoch), Stream.ORDER)
    if part:
        order = _absorb(order, part)
    # Mixing is a bijection: no two of these are equal, and so their order is the same everywhere.
    return _mix(order[..., None] + _GOLDEN * torch.arange(1, n + 1)).argsort()


def _bits(key: Tensor, n: int) -> Tensor:
    """(B, n) int64, all 64 bits random."""
    return _mix(key[:, None] + _GOLDEN * torch.arange(1, n + 1, device=key.device))


def _absorb(state: Tensor, value: int | Tensor) -> Tensor:
    if isinstance(value, int):
        value = (value + 2**63) % 2**64 - 2**63  # any Python integer, wrapped into int64
    return _mix((state ^ value) + _GOLDEN)


def _mix(state: Tensor) -> Tensor:
    state = (state ^ _shift(state, 30)) * _MULTIPLIER_1
    state = (state ^ _shift(state, 27)) * _MULTIPLIER_2
    return state ^ _shift(state, 31)


def _shift(state: Tensor, bits: int) -> Tensor:
    """A logical shift to the right; torch's own copies the sign."""
    return (state >> bits) & (2 ** (64 - bits) - 1)


def _unit(bits: Tensor, lowest: int) -> Tensor:
    """The 24 bits from `lowest` on as a float32 in [0, 1)."""
    return ((bits >> lowest) & (2**_BITS - 1)).float() * 2.0**-_BITS
