"""What a checkpoint holds beside weights, and how it is found and read: tensors and plain Python only.

Under the key `sage_lightning` lie format, kind, uuid, architecture, config, data hash, normalisation, step
and package versions: enough to rebuild the model and to know what it was made from, without the user
restating anything.
"""

import os
import pickle
import platform
import uuid
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sage_lightning.errors import UserError
from sage_lightning.version import __version__

KEY = "sage_lightning"
FORMAT = 1
_PACKAGES = ("torch", "timm", "pytorch-lightning", "numpy")


def describe(
    *,
    kind: str,
    architecture: Mapping[str, Any],
    config: Mapping[str, Any],
    data_hash: str,
    normalisation: Mapping[str, Any],
) -> dict[str, Any]:
    """The description that goes into every checkpoint of a run; `stamp` adds what differs from save to save.

    Args:
        kind: the method, such as "vicreg".
        architecture: what rebuilds the model.
        config: the run's composed config, resolved.
        data_hash: of the pair index.
        normalisation: what turns pixels and degrees into the model's inputs.

    Raises:
        TypeError: if anything in it is neither plain Python nor a tensor: safe loading would refuse the
            checkpoint.
    """
    description = {
        "format": FORMAT,
        "kind": kind,
        "architecture": dict(architecture),
        "config": dict(config),
        "data_hash": data_hash,
        "normalisation": dict(normalisation),
        "versions": {
            "sage_lightning": __version__,
            "python": platform.python_version(),
            **{package: version(package) for package in _PACKAGES},
        },
    }
    _require_plain(description, KEY)
    return description


def stamp(description: Mapping[str, Any], *, step: int) -> dict[str, Any]:
    """The description with an identity of its own for one save.

    Args:
        description: from `describe`.
        step: optimiser steps taken.
    """
    return {**description, "uuid": str(uuid.uuid4()), "step": step}


def write_checkpoint(checkpoint: Mapping[str, Any], path: Path) -> None:
    """Replaces a checkpoint in one step: a process that is killed in between leaves the old one whole.

    Args:
        checkpoint: as `torch.save` takes it.
        path: its folder is made if it is not there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")  # beside it: elsewhere may be another file system
    with partial.open("wb") as file:
        torch.save(checkpoint, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A whole checkpoint, on the CPU; its description is under `KEY`.

    Nothing in the file is executed: a file that holds more than tensors and plain Python is refused.

    Raises:
        UserError: if the file is missing, damaged, not of this package, or of a newer format.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such checkpoint")
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, OSError, pickle.UnpicklingError) as error:
        raise UserError(f"{path}: not a checkpoint, or damaged ({_first_line(error)})") from error
    if not isinstance(checkpoint, dict) or KEY not in checkpoint:
        raise UserError(f"{path}: a checkpoint, but not one of sage_lightning")
    found = checkpoint[KEY]["format"]
    if found > FORMAT:
        raise UserError(f"{path}: of checkpoint format {found}; this version reads up to {FORMAT}: update it")
    return checkpoint


def find_checkpoint(path: Path) -> Path:
    """The checkpoint that a user means: a file as it is, a run folder's `checkpoints/last.ckpt`.

    A folder without `last.ckpt` that holds one checkpoint means that one.

    Raises:
        UserError: if there is none, or several and no `last.ckpt`.
    """
    if path.is_file():
        return path
    if not path.is_dir():
        raise UserError(f"{path}: no such run folder or checkpoint")
    folder = path / "checkpoints" if (path / "checkpoints").is_dir() else path
    if (folder / "last.ckpt").is_file():
        return folder / "last.ckpt"
    found = sorted(folder.glob("*.ckpt"))
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(f"{folder}: no last.ckpt; name one of {', '.join(file.name for file in found)}")
    raise UserError(f"{folder}: holds no checkpoint (*.ckpt)")


def _require_plain(value: Any, where: str) -> None:
    # By exact type: a str or float of numpy's is a subclass of Python's, and is pickled as numpy's.
    if value is None or type(value) in (bool, int, float, str) or isinstance(value, Tensor):
        return
    if type(value) is dict:
        for key, item in value.items():
            _require_plain(key, f"a key of {where}")
            _require_plain(item, f"{where}.{key}")
    elif type(value) in (list, tuple):
        for place, item in enumerate(value):
            _require_plain(item, f"{where}[{place}]")
    else:
        raise TypeError(
            f"{where} is a {type(value).__name__}: a checkpoint holds tensors and plain Python only"
        )


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
