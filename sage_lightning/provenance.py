"""What a reader needs to make a run again: versions, revision, machine, command."""

import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from sage_lightning.version import __version__


def provenance() -> dict[str, Any]:
    """Of this process, ready for JSON."""
    packages = (
        "torch",
        "torchvision",
        "timm",
        "pytorch-lightning",
        "hydra-core",
        "numpy",
        "pandas",
        "pillow",
    )
    return {
        "sage_lightning": __version__,
        "git": _revision(),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "packages": {name: importlib.metadata.version(name) for name in packages},
        "command": sys.argv,
    }


def _revision() -> str | None:
    """The checkout's revision; None for an installed package, or where there is no git."""
    root, git = Path(__file__).parents[1], shutil.which("git")
    if git is None or not (root / ".git").exists():
        return None
    command = [git, "describe", "--always", "--dirty", "--abbrev=12"]
    found = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return found.stdout.strip() or None
