"""Why a file may not be used: the reasons that stand in the `reason` column of a pair index."""

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


class Unusable(Exception):
    """A pair whose files cannot be used; `reason` is one of the words above and ends in the index."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
