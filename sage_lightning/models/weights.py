"""Weights that a tower begins with: read from a file or from timm, fitted to its patch, image and channels.

What fits by itself is left as it is, bit for bit. Patch embedding, position grid and first layer's channels
are resampled (`models.resample`). A classifier is left out and told. What else does not fit is refused.
"""

import math
import pickle
from pathlib import Path
from typing import Any, NamedTuple

import timm
import torch
from safetensors import SafetensorError
from timm.models import load_state_dict
from timm.models.beit import Beit
from torch import Tensor, nn

from sage_lightning.checkpoints import KEY, find_checkpoint, read_checkpoint
from sage_lightning.errors import UserError
from sage_lightning.models.resample import (
    Channels,
    adapt_channels,
    resample_biases,
    resample_patch,
    resample_positions,
)

TIMM = "timm"  # as a place: timm's own weights, from its cache or the network
FILES = (".safetensors", ".pt", ".pth", ".bin")  # timm state dicts
_EVALUATED = ("teacher", "towers")  # what a method's checkpoint calls the towers that embed
_DERIVED = ("relative_position_index", "attn_mask")  # buffers of older files, which the size alone fixes
_NAMED = 6  # keys that a refusal names before it counts


class Weights(NamedTuple):
    """A backbone's state dict, and the size of the images that it was trained on.

    Attributes:
        state: timm's names.
        size: (height, width) in pixels; None where nothing tells, which is taken for a square.
    """

    state: dict[str, Tensor]
    size: tuple[int, int] | None


def read_weights(place: str, sensor: str, size: tuple[int, int] | None = None) -> Weights:
    """Weights from a timm state dict, or from a run folder or checkpoint of this package.

    Nothing in a file is executed.

    Args:
        place: a path.
        sensor: "rgb" or "ir", which tower of a checkpoint.
        size: of the images that a state dict was trained on; a checkpoint says it.

    Raises:
        UserError: there is no such file, or it holds no weights.
    """
    path = Path(place)
    if path.is_dir() or path.suffix == ".ckpt":
        return _tower(find_checkpoint(path), sensor)
    if path.suffix not in FILES:
        raise UserError(f"{place}: not a run folder, a checkpoint (.ckpt), or one of {', '.join(FILES)}")
    if not path.is_file():
        raise UserError(f"{place}: no such file")
    try:
        state = load_state_dict(str(path))
    except (RuntimeError, EOFError, OSError, ValueError, pickle.UnpicklingError, SafetensorError) as error:
        said = next(iter(str(error).splitlines()), type(error).__name__)
        raise UserError(f"{place}: no weights, or damaged ({said})") from error
    if not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise UserError(f"{place}: holds no state dict of tensors by name")
    return Weights(state, size)


def _tower(path: Path, sensor: str) -> Weights:
    checkpoint = read_checkpoint(path)
    for part in _EVALUATED:
        prefix = f"{part}.{sensor}_backbone.net."
        found = checkpoint["state_dict"].items()
        if state := {name.removeprefix(prefix): value for name, value in found if name.startswith(prefix)}:
            size = checkpoint[KEY]["config"]["data"][f"{sensor}_size"]
            return Weights(state, (size, size) if isinstance(size, int) else (size[0], size[1]))
    raise UserError(f"{path}: holds no {sensor} tower")


def timm_weights(name: str) -> Weights:
    """timm's own weights of an architecture, from its cache or, if they are not there, from the network.

    Raises:
        UserError: timm has none, or they cannot be had.
    """
    try:
        with torch.random.fork_rng(devices=[]):  # the weights that it draws first are nobody's business
            net = timm.create_model(name, pretrained=True)
    except (RuntimeError, OSError, ValueError) as error:
        said = next(iter(str(error).splitlines()), type(error).__name__)
        raise UserError(f"{TIMM}: timm's weights of {name} cannot be had ({said})") from error
    size = net.pretrained_cfg["input_size"]
    return Weights(net.state_dict(), (size[1], size[2]))


def fit(net: Any, weights: Weights, channels: Channels) -> tuple[dict[str, Tensor], list[str]]:
    """The weights as an architecture takes them, and the names of those that are left out.

    Args:
        net: a timm model without classifier; nothing of it is changed.
        weights: of the same architecture.
        channels: how a first layer comes to another number of channels.

    Raises:
        UserError: what does not fit, by name.
    """
    target = net.state_dict()
    state = {name: value for name, value in weights.state.items() if not name.endswith(_DERIVED)}
    old = _old_grid(net, state, weights.size)
    for name in _names(net.pretrained_cfg.get("first_conv")):
        _first_layer(net, f"{name}.weight", state, target, channels)
    if "pos_embed" in state and "pos_embed" in target:
        state["pos_embed"] = _positions(net, state["pos_embed"], target["pos_embed"], old)
    for name, part in net.named_modules():
        key = f"{name}.relative_position_bias_table"
        if key in state and key in target:
            state[key] = _biases(part, state[key], target[key], old if isinstance(net, Beit) else None)
    heads = tuple(f"{name}." for name in _names(net.pretrained_cfg.get("classifier")))
    left_out = sorted(name for name in state if name not in target and name.startswith(heads))
    state = {name: value for name, value in state.items() if name not in left_out}
    if amiss := _amiss(state, target):
        raise UserError(amiss)
    return state, left_out


def _names(value: Any) -> tuple[str, ...]:
    return () if value is None else (value,) if isinstance(value, str) else tuple(value)


def _old_grid(net: Any, state: dict[str, Tensor], size: tuple[int, int] | None) -> tuple[int, int] | None:
    """Rows and columns of patches that weights were trained with, as far as it is known."""
    patch = state.get("patch_embed.proj.weight")
    if size is None or patch is None or patch.ndim != 4:
        return None
    return -(-size[0] // patch.shape[2]), -(-size[1] // patch.shape[3])  # up: images may have been padded


def _first_layer(
    net: nn.Module, key: str, state: dict[str, Tensor], target: dict[str, Tensor], channels: Channels
) -> None:
    weight, wanted = state.get(key), target.get(key)
    if weight is None or wanted is None or weight.ndim != 4 or weight.shape[0] != wanted.shape[0]:
        return
    if getattr(net.get_submodule(key.removesuffix(".weight")), "groups", 1) == 1:
        weight = adapt_channels(weight, wanted.shape[1], channels)
    if key.startswith("patch_embed."):  # other first layers overlap, and are of one size
        weight = resample_patch(weight, (wanted.shape[2], wanted.shape[3]))
    state[key] = weight


def _positions(net: Any, table: Tensor, wanted: Tensor, old: tuple[int, int] | None) -> Tensor:
    """As it is where no grid is known that it could be of: `_amiss` has the last word."""
    grid = getattr(getattr(net, "patch_embed", None), "grid_size", None)
    if grid is None or table.ndim != 3 or wanted.ndim != 3:
        return table
    prefix = wanted.shape[1] - grid[0] * grid[1]
    places = table.shape[1] - prefix
    if old is None:
        side = math.isqrt(max(places, 0))
        old = (side, side) if side * side == places else (grid[0], grid[1])
    if old[0] * old[1] != places:
        return table
    return resample_positions(table, old, (grid[0], grid[1]), prefix)


def _biases(part: Any, table: Tensor, wanted: Tensor, old: tuple[int, int] | None) -> Tensor:
    if table.ndim != 2 or wanted.ndim != 2 or table.shape[1] != wanted.shape[1]:
        return table
    window = (int(part.window_size[0]), int(part.window_size[1]))
    try:
        extra = len(wanted) - (2 * window[0] - 1) * (2 * window[1] - 1)
        return resample_biases(table, old, window, extra)
    except ValueError:  # of no known window
        return table


def _amiss(state: dict[str, Tensor], target: dict[str, Tensor]) -> str:
    """What does not fit, in one line; empty where everything does."""
    missing = [
        name for name in target if name not in state and not name.endswith((*_DERIVED, "num_batches_tracked"))
    ]
    unexpected = [name for name in state if name not in target]
    shapes = [
        f"{name} {tuple(value.shape)} for {tuple(target[name].shape)}"
        for name, value in state.items()
        if name in target and value.shape != target[name].shape
    ]
    kinds = {"missing": missing, "unexpected": unexpected, "of another shape": shapes}
    return "; ".join(f"{kind}: {_listed(names)}" for kind, names in kinds.items() if names)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(sorted(names)[:_NAMED]) + more
