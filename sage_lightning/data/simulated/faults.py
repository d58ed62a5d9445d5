"""What is wrong with some frames of any real archive, and which frames of a simulated one it happens to."""

import math
import os
from enum import StrEnum
from pathlib import Path

import numpy as np

_FAULT_STREAM = 1_000_000_093
_ALL_KINDS_FROM = 100  # frames: smaller simulations may lack some kinds


class Fault(StrEnum):
    """The kinds of fault; the truth table's column `fault` holds these texts, or "" for a sound frame."""

    NO_PICTURE = "missing picture"
    NO_THERMAL = "missing thermal"
    TRUNCATED_PICTURE = "truncated picture"
    CUT_THERMAL = "cut thermal"
    POSITION_MISMATCH = "position mismatch"


def faults_of(seed: int, frames: int, share: float) -> dict[int, Fault]:
    """The faulty frames by number: the share, rounded; of 100 frames and more, each kind at least once."""
    if share == 0:
        return {}
    kinds = list(Fault)
    count = max(round(share * frames), len(kinds) if frames >= _ALL_KINDS_FROM else 0)
    chosen = np.random.default_rng([seed, _FAULT_STREAM]).permutation(frames)[:count]
    return {int(frame): kinds[order % len(kinds)] for order, frame in enumerate(chosen)}


def cut_file(path: Path, frame: int) -> None:
    """Keeps between 30 and 90 % of the file, going by the frame's number."""
    kept = 0.3 + 0.6 * math.modf(frame * 0.6180339887)[0]
    os.truncate(path, int(kept * path.stat().st_size))
