"""Why a file may not be used: the reasons that stand in the `reason` column of a pair index."""

NO_TIMESTAMP = "no timestamp"
DUPLICATE = "duplicate"
AMBIGUOUS = "ambiguous"
PARTNER_MISSING = "partner missing"
POSITION_MISMATCH = "position mismatch"
UNREADABLE = "unreadable"
TRUNCATED = "truncated"
MISSING_HALF = "missing half"
WRONG_SIZE = "wrong size"
ALL_NAN = "all NaN"
FALSE_COLOUR = "false colour"
NO_SPLIT = "in no split"


class Unusable(Exception):
    """A pair whose files cannot be used; `reason` is one of the words above and ends in the index."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
