"""Where a run computes: the accelerator, how many devices of it, how they work together, what compiles."""

import os
import shutil
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sage_lightning.config.bounds import get, show

# The common ones, known without Lightning, which takes seconds to import.
ACCELERATORS = ("auto", "cpu", "gpu", "cuda", "mps", "tpu")
STRATEGIES = ("auto", "ddp", "ddp_fork")


def accelerator(config: dict[str, Any]) -> Iterator[str]:
    """Lightning has such an accelerator."""
    given = get(config, "trainer.accelerator")
    if not isinstance(given, str) or given in ACCELERATORS:
        return
    from pytorch_lightning.accelerators import AcceleratorRegistry

    yield from _unknown(
        "trainer.accelerator", given, ACCELERATORS, AcceleratorRegistry.available_accelerators()
    )


def strategy(config: dict[str, Any]) -> Iterator[str]:
    """Lightning has such a strategy, and a run can be started by it."""
    given = get(config, "trainer.strategy")
    if not isinstance(given, str) or given in STRATEGIES:
        return
    if "spawn" in given:
        yield f"trainer.strategy={given}: it would have to pickle a whole run, which is not possible; use ddp"
        return
    from pytorch_lightning.strategies import StrategyRegistry

    known = [name for name in StrategyRegistry.available_strategies() if "spawn" not in name]
    yield from _unknown("trainer.strategy", given, STRATEGIES, known)


def devices(config: dict[str, Any]) -> Iterator[str]:
    """Devices are a number or a list of numbers, and a GPU that is asked for is there; a plan needs none."""
    chosen, wanted = get(config, "trainer.accelerator"), get(config, "trainer.devices")
    if wanted == [] or (isinstance(wanted, str) and wanted != "auto"):
        legal = "a whole number, -1 for all, a list of whole numbers, or auto"
        yield f"trainer.devices={show(wanted)}: must be {legal}"
    elif isinstance(wanted, int) and wanted < 1 and wanted != -1:
        yield f"trainer.devices={wanted}: must be at least 1, or -1 for all"
    elif chosen == "cpu" and (wanted == -1 or isinstance(wanted, list)):
        yield f"trainer.devices={show(wanted)}: on the CPU it is how many processes, at least 1"
    if chosen not in ("gpu", "cuda") or "plan" in config:
        return
    import torch

    if not torch.accelerator.is_available():
        yield f"trainer.accelerator={chosen}: PyTorch finds no GPU; use cpu or auto"
    elif isinstance(wanted, int) and wanted > (count := torch.accelerator.device_count()):
        yield f"trainer.devices={wanted}: PyTorch finds {count} here"


def compiler(config: dict[str, Any]) -> Iterator[str]:
    """What torch compiles with is there: a C++ compiler, where torch looks for it, and Python's headers."""
    if get(config, "compile") is not True:
        return
    command = os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++")
    if shutil.which(command.split()[0] if command else "") is None:
        yield (
            f"compile=true: no C++ compiler, {command} is not found; install it, name another one in the "
            "environment variable CXX, or leave compile at false"
        )
    if not (headers := Path(sysconfig.get_paths()["include"]) / "Python.h").is_file():
        missing = f"Python's headers are missing ({headers})"
        yield f"compile=true: {missing}; install them, or leave compile at false"


def _unknown(key: str, given: str, common: Iterable[str], further: Iterable[str]) -> Iterator[str]:
    legal = list(dict.fromkeys([*common, *sorted(further)]))
    if given not in legal:
        yield f"{key}={given}: not one of {', '.join(legal)}"
