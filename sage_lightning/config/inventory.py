"""What an inventory can be taken of: files or query records, and one of them."""

from collections.abc import Iterator
from typing import Any

from sage_lightning.config.bounds import get
from sage_lightning.config.collection import SAGE, SIMULATED


def inventory(config: dict[str, Any]) -> Iterator[str]:
    """One collection, and records that name a camera file; other commands have no such key."""
    if "inventory" not in config:
        return
    records, root = get(config, "inventory.records"), get(config, "data.root")
    source = get(config, "data.source._target_")
    if records is None:
        if root is None and source != SIMULATED:
            yield ("data.root has no value: give data.root=<folder of files> or inventory.records=<records>")
        elif root is not None and source == SIMULATED:
            yield f"data.root={root}: the simulated camera writes its own files; leave data=simulated out"
        return
    if root is not None:
        yield f"data.root={root} and inventory.records={records} are two collections: give one"
    if source != SAGE:
        yield f"inventory.records={records}: records are of Sage cameras; use data=sage"
    # pandas, which takes half a second to import, is imported where it is needed.
    from sage_lightning.inventory.records import recordless

    if line := recordless(str(records)):
        yield line
