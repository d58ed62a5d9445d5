"""Why a file may not be used: the reasons that stand in the `reason` column of a pair index."""

from pathlib import Path

# Told by names and places alone.
NO_TIMESTAMP = "no timestamp"
DUPLICATE = "duplicate"
AMBIGUOUS = "ambiguous"
PARTNER_MISSING = "partner missing"
PLOT = "plot instead of picture"
POSITION_MISMATCH = "position mismatch"
MARKED_BAD = "marked bad"
NO_SPLIT = "in no split"

# Told by decoding alone.
UNREADABLE = "unreadable"
TRUNCATED = "truncated"
MISSING_HALF = "missing half"
WRONG_SIZE = "wrong size"
ALL_NAN = "all NaN"
FLAT = "flat"
OUT_OF_RANGE = "out of range"
DUPLICATE_CONTENT = "duplicate content"
FALSE_COLOUR = "false colour"

# Told by no one: a locked file, a disk or a network that fails. It is not kept, and the file is tried again.
NOT_READ = "cannot be read now"


class Unusable(Exception):
    """A pair whose files cannot be used; `reason` is one of the words above and ends in the index."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def bytes_of(path: Path) -> bytes:
    """What a file holds.

    Raises:
        Unusable: `NOT_READ`, which says nothing of the file.
    """
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise Unusable(NOT_READ) from error
