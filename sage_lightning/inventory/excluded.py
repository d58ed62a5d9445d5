"""What was excluded and why: quarantine, what is no camera file at all, and what could not be read."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from sage_lightning.data import quarantine

EXAMPLES = 3
# What no name tells, but only decoding.
DECODED = (
    quarantine.UNREADABLE,
    quarantine.TRUNCATED,
    quarantine.MISSING_HALF,
    quarantine.WRONG_SIZE,
    quarantine.ALL_NAN,
    quarantine.FLAT,
    quarantine.OUT_OF_RANGE,
    quarantine.DUPLICATE_CONTENT,
    quarantine.FALSE_COLOUR,
    quarantine.NOT_READ,
)
COLUMNS = ("found", "reason", "files", "meaning", "examples")

# What stands in no row of an index.
NO_CAMERA_FILE = "neither picture nor thermal file"
NO_UPLOAD = "record of no file"
SAME_RECORD = "the same record again"
NOT_SELECTED = "not chosen by data.select"

# How it was found out.
BY_NAME, BY_DECODING, BY_READING = "by name", "by decoding", "by reading a sample"

MEANINGS = {
    quarantine.NO_TIMESTAMP: "no time in the name, so nothing to pair it by",
    quarantine.DUPLICATE: "another file says the same of itself; a listed one, or the longest, is used",
    quarantine.AMBIGUOUS: "files of one second name several positions, and this one names none",
    quarantine.PARTNER_MISSING: "a picture without thermal file of its node and time, or the reverse",
    quarantine.POSITION_MISMATCH: "picture and thermal file name two positions; one of them is wrong",
    quarantine.PLOT: "a thermal file with a plot and without a picture",
    quarantine.MARKED_BAD: "someone has put it aside, in bad_pairs",
    quarantine.UNREADABLE: "the file is none of its kind, or has lost a part",
    quarantine.TRUNCATED: "the file ends too early, or is empty",
    quarantine.MISSING_HALF: "the picture is too narrow to hold both sensors, or has nothing in one half",
    quarantine.WRONG_SIZE: "not the size that its name, its header or the other files say",
    quarantine.ALL_NAN: "not one value",
    quarantine.FLAT: "one value all over",
    quarantine.OUT_OF_RANGE: "temperatures that no camera measures",
    quarantine.DUPLICATE_CONTENT: "the same bytes as another file",
    quarantine.FALSE_COLOUR: "colours painted over temperatures",
    quarantine.NOT_READ: "rights, a disk or a network; the next call tries again",
    quarantine.NO_SPLIT: "the table's split is none of train, val and test",
    NO_CAMERA_FILE: "plots, .nc files, and whatever else lies there",
    NO_UPLOAD: "measurements and messages",
    SAME_RECORD: "queries that overlap; it is counted once",
    NOT_SELECTED: "two files a pair",
}


@dataclass(frozen=True)
class Apart:
    """Files, or records, that stand in no row of the index.

    Attributes:
        reason: in a few words.
        files: how many.
        examples: some of their paths.
    """

    reason: str
    files: int
    examples: Sequence[str] = ()


def excluded(rows: pd.DataFrame, apart: Sequence[Apart], unread: pd.DataFrame | None) -> pd.DataFrame:
    """A row a reason, the most files first; columns `COLUMNS`, examples joined by " | ".

    Args:
        rows: of `rows_of`.
        apart: what the index does not hold.
        unread: `reason`, `ir_path` of sampled frames that could not be read; None where none was.
    """
    held = rows[~rows["usable"]]
    paths = held["rgb_path"].fillna(held["ir_path"])
    found = [
        *_by_reason(held["reason"], held["files"], paths),
        *(
            (BY_NAME, part.reason, part.files, MEANINGS.get(part.reason, ""), part.examples)
            for part in apart
            if part.files
        ),
    ]
    if unread is not None:
        one = pd.Series(1, index=unread.index)
        found += _by_reason(unread["reason"], one, unread["ir_path"], BY_READING)
    table = [(*line[:4], " | ".join(list(line[4])[:EXAMPLES])) for line in found]
    return pd.DataFrame(table, columns=list(COLUMNS)).sort_values(
        ["files", "reason"], ascending=[False, True], kind="stable", ignore_index=True
    )


def _by_reason(
    reasons: pd.Series, files: pd.Series, paths: pd.Series, how: str | None = None
) -> list[tuple[str, str, int, str, Sequence[str]]]:
    sums = files.groupby(reasons).sum()
    ordered = pd.DataFrame({"reason": reasons, "path": paths}).dropna().sort_values("path")
    first = ordered.groupby("reason").head(EXAMPLES).groupby("reason")["path"].agg(list)
    return [
        (
            how or _how(str(reason)),
            str(reason),
            int(count),
            MEANINGS.get(str(reason), ""),
            first.get(reason, []),
        )
        for reason, count in sums.items()
    ]


def _how(reason: str) -> str:
    return BY_DECODING if reason in DECODED else BY_NAME
