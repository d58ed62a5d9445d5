"""How a store is made."""

import re
from collections.abc import Iterator
from typing import Any

from sage_lightning.config.bounds import get

RGB_KINDS = ("raw", "jpeg")


def store_kind(config: dict[str, Any]) -> Iterator[str]:
    """How pictures are kept."""
    kind = get(config, "data.rgb_store_kind")
    if kind is not None and kind not in RGB_KINDS:
        yield f"data.rgb_store_kind={kind}: not one of {', '.join(RGB_KINDS)}"


def part(config: dict[str, Any]) -> Iterator[str]:
    """A task's share is one of those that there are."""
    given = get(config, "prepare.part")
    if given is None:
        return
    found = re.fullmatch(r"(\d+)/(\d+)", str(given))
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        yield f"prepare.part={given}: write the third of eight tasks as 3/8; they count from 1"
