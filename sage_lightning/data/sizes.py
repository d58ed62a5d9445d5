"""Which size thermal pictures of a collection have: one store holds one, and others are "wrong size"."""

import logging
from collections import Counter
from contextlib import suppress
from typing import NamedTuple

import pandas as pd

from sage_lightning.data.source import PairSource
from sage_lightning.errors import UserError
from sage_lightning.sage.celsius import CelsiusError, header_size

log = logging.getLogger("sage_lightning")

_CLEAR = 2  # times as many pairs as of any other size; with less a few new files could turn all around


class Wanted(NamedTuple):
    """What is wanted of thermal pictures.

    Attributes:
        size: (h, w); None where any will do, or nothing says which.
        line: what to say where names give several sizes, "" where not.
        clear: whether one of them is the one.
    """

    size: tuple[int, int] | None
    line: str = ""
    clear: bool = True


def wanted(source: PairSource, pairs: pd.DataFrame) -> Wanted:
    """The size that the user asks for, or that at least twice as many pairs name as any other.

    Where no name tells it, it is that of the first file that can be read.

    Args:
        source: the collection.
        pairs: its usable pairs, by their names.
    """
    if source.ir_size is not None:
        return Wanted(None)  # `read` gives all of them one size
    said = pairs[["ir_height", "ir_width"]].dropna()
    counts = Counter(zip(said["ir_height"].tolist(), said["ir_width"].tolist(), strict=True)).most_common()
    told = ", ".join(f"{count} of {width}x{height}" for (height, width), count in counts)
    if source.thermal_size is not None:
        others = len(counts) > (source.thermal_size in dict(counts))
        height, width = source.thermal_size
        line = f"data.thermal_size={width}x{height}: other thermal pictures are wrong size; names say {told}"
        return Wanted(source.thermal_size, line if others else "")
    if len(counts) > 1:
        (most, first), (_, second) = counts[:2]
        example = f"data.thermal_size={most[1]}x{most[0]}"
        line = f"thermal pictures are of several sizes, by name {told}; one store holds one size"
        if first < _CLEAR * second:
            return Wanted(
                None, f"{line}: say which, as {example}; the others will be wrong size", clear=False
            )
        line += f": {most[1]}x{most[0]} is used, the others are wrong size; {example}, or another, settles it"
        return Wanted(most, line)
    if counts:
        return Wanted(counts[0][0])
    for path in pairs["ir_path"]:
        with suppress(CelsiusError, OSError):
            width, height = header_size(source.root / path)
            return Wanted((height, width))
    return Wanted(None)


def thermal_size(source: PairSource, pairs: pd.DataFrame) -> tuple[int, int]:
    """(h, w) of what a store of these pairs holds; where there are others that is said.

    Raises:
        UserError: names give several sizes and none is clearly the one, or nothing tells any.
    """
    if source.ir_size is not None:
        return source.ir_size
    found = wanted(source, pairs)
    if not found.clear:
        raise UserError(f"data.root={source.root}: {found.line}")
    if found.size is None:
        raise UserError(f"data.root={source.root}: no thermal file can be read, and no name tells its size")
    if found.line:
        log.warning("data.root=%s: %s", source.root, found.line)
    return found.size
