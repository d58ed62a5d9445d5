"""Sizes of simulated pictures, and where the simulated camera looks."""

import re
from collections.abc import Iterator
from typing import Any

from sage_lightning.config.bounds import get, show


def pictures(config: dict[str, Any]) -> Iterator[str]:
    """Sizes of simulated pictures, and the positions of the simulated camera."""
    for key in ("data.picture_size", "data.thermal_size"):
        size = get(config, key)
        if isinstance(size, str | int) and not re.fullmatch(r"[1-9]\d*x[1-9]\d*", str(size)):
            yield f"{key}={size}: not a size; write <width>x<height>, as in {key}=6144x2048"
    positions = get(config, "data.positions")
    if isinstance(positions, list):
        if not positions:
            yield "data.positions=[]: there must be at least one, of 1 to 32"
        if wrong := [position for position in positions if not 1 <= position <= 32]:
            yield f"data.positions={show(positions)}: {', '.join(map(str, wrong))} is not one of 1 to 32"
