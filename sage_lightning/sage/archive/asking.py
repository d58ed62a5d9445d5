"""Asking the archive what there is, one question after the other; one without an answer holds up no other."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from threading import Event

import pandas as pd

from sage_lightning.errors import UserError
from sage_lightning.progress import Transfers
from sage_lightning.sage.archive.again import again
from sage_lightning.sage.archive.kept import Failure
from sage_lightning.sage.archive.order import Order
from sage_lightning.sage.archive.patience import patience
from sage_lightning.sage.archive.query import Span, ask, spans
from sage_lightning.sage.archive.troubles import UNANSWERED, Unanswered
from sage_lightning.sage.archive.wanted import Wanted, select

log = logging.getLogger("sage_lightning")

IN_A_ROW = 3  # after so many questions without an answer, further ones are asked once each until one has one
SAID = 3  # questions without an answer that are told of one by one


@dataclass(frozen=True)
class Answer:
    """What there is in a span, or was to be brought before.

    Attributes:
        files: wanted.
        refused: address, node and reason of records that are not followed.
        span: that was asked for; None for the files of the table of failures.
        records: of the span; None where they did not come.
        settled: the line of the table of failures that this puts an end to, by its address.
        failure: the line that comes instead.
    """

    files: list[Wanted] = field(default_factory=list)
    refused: list[tuple[str, str, str]] = field(default_factory=list)
    span: Span | None = None
    records: pd.DataFrame | None = None
    settled: str | None = None
    failure: Failure | None = None


class Asking:
    """All that a call asks for: what failed in earlier ones, then the order's own days.

    Args:
        order: what is wanted.
        failures: of earlier calls.
        stop: ends the waiting.
        progress: makes room for lines.

    Attributes:
        share: of one answer, where all together are 1.
        unanswered: questions without an answer so far.
        found: whether the order's own days had any upload.
    """

    def __init__(self, order: Order, failures: Iterable[Failure], stop: Event, progress: Transfers) -> None:
        before = again(failures, order.storage)
        self._before = before.files
        self._rows = before.spans
        self._own = spans(order)
        self._questions = list(dict.fromkeys([*before.spans, *self._own]))
        self._order, self._progress = order, progress
        self._patient = patience(order.retries, order.backoff, stop)
        self._once = patience(0, order.backoff, stop)
        self._answered = 0
        self._first: tuple[Span, Unanswered] | None = None
        self._ended_by: tuple[Span, Unanswered] | None = None
        self.share = 1 / (len(self._questions) + bool(self._before))
        self.unanswered = 0
        self.found = False

    def answers(self) -> Iterator[Answer]:
        """One after the other, as they are needed."""
        if self._before:
            yield Answer(self._before)
        in_a_row = 0
        own = set(self._own)
        for span in self._questions:
            try:
                records = ask(self._order, span, self._once if in_a_row >= IN_A_ROW else self._patient)
            except Unanswered as trouble:
                in_a_row += 1
                yield Answer(span=span, settled=self._line(span), failure=self._failure(span, trouble))
                if not trouble.reached:  # nor would they be for the next one
                    self._ended_by = span, trouble
                    return
                continue
            in_a_row = 0
            self._answered += 1
            selection = select(records, self._order.storage)
            self.found = self.found or (span in own and bool(selection.files or selection.refused))
            yield Answer(selection.files, selection.refused, span, records, self._line(span))

    def answered_at_all(self) -> None:
        """To be called in the end.

        Raises:
            UserError: no question had an answer, or there was nobody to ask the rest of them.
        """
        trouble = self._ended_by or (None if self._answered else self._first)
        if trouble is not None:
            span, error = trouble
            line = f"{error.reason}; asked for {span.node} on {span.start:%Y-%m-%d}"
            raise UserError(f"download.endpoint={self._order.endpoint}: {line}") from error

    def _failure(self, span: Span, trouble: Unanswered) -> Failure:
        self._first = self._first or (span, trouble)
        self.unanswered += 1
        if self.unanswered <= SAID:
            text = "%s on %s: the query had no answer (%s)"
            with self._progress.aside():
                log.warning(text, span.node, f"{span.start:%Y-%m-%d}", trouble.reason)
        time = f"{span.start:%Y-%m-%dT%H:%M:%SZ}"
        reason = f"{UNANSWERED}{trouble.reason}"
        return Failure(span.address(self._order.endpoint), reason, span.node, "", time)

    def _line(self, span: Span) -> str:
        """Its line in the table, which may be of another endpoint."""
        return self._rows.get(span, span.address(self._order.endpoint))
