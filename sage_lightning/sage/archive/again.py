"""What the table of failures asks the next call for, and what it cannot."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sage_lightning.sage.archive.kept import Failure
from sage_lightning.sage.archive.query import Span, span_of
from sage_lightning.sage.archive.troubles import REFUSED, UNANSWERED, Refused
from sage_lightning.sage.archive.wanted import Wanted, file_of


@dataclass
class Again:
    """The lines of a table, sorted by what becomes of them.

    Attributes:
        files: asked for again.
        spans: likewise, with the address that stands in the line.
        elsewhere: lines of files that are not below this storage.
        refused: lines that are judged again only with their record.
    """

    files: list[Wanted] = field(default_factory=list)
    spans: dict[Span, str] = field(default_factory=dict)
    elsewhere: int = 0
    refused: int = 0


def again(failures: Iterable[Failure], storage: str) -> Again:
    """Sorts the lines of a table."""
    found = Again()
    for failure in failures:
        if failure.reason.startswith(REFUSED):
            found.refused += 1
        elif failure.reason.startswith(UNANSWERED) and (span := span_of(failure.url)) is not None:
            found.spans[span] = failure.url
        else:
            try:
                file = file_of(failure.url, storage, {"meta.vsn": failure.node})
            except Refused:
                file = None
            if file is None:
                found.elsewhere += 1
            else:
                found.files.append(file)
    return found


def told(failures: Iterable[Failure], storage: str) -> str:
    """Which lines the next call tries again, in a few words."""
    lines = again(failures, storage)
    tried = len(lines.files) + len(lines.spans)
    left = [
        f"{number} {why}"
        for number, why in (
            (lines.elsewhere, "of another download.storage"),
            (lines.refused, "refused, until the archive gives another record"),
        )
        if number
    ]
    if not left:
        return "the next call tries them again"
    return f"the next call tries {tried or 'none'} of them again, but not: {'; '.join(left)}"
