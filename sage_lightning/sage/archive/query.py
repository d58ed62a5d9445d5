"""Asking the archive what there is, span by span, through `sage_data_client`."""

import http.client
import io
import json
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode
from urllib.response import addinfourl

import pandas as pd
import sage_data_client
import tenacity

from sage_lightning.sage.archive.client import TRY_LATER, whole_number
from sage_lightning.sage.archive.order import Order
from sage_lightning.sage.archive.pace import paced
from sage_lightning.sage.archive.troubles import Failed, Transient, Unanswered, Unreached
from sage_lightning.sage.nodes import is_node_id, is_vsn

SPAN = timedelta(days=1)  # a node makes some thousand files a day


@dataclass(frozen=True)
class Span:
    """One question: which uploads of whom, from when to when; UTC, the end not included.

    `plugin` and `task` are as in `Order`.
    """

    node: str
    start: datetime
    end: datetime
    plugin: str | None
    task: str | None

    def address(self, endpoint: str) -> str:
        """The question as an address, of which `span_of` makes it again."""
        asked = {"node": self.node, "start": _iso(self.start), "end": _iso(self.end)}
        filters = {"plugin": self.plugin, "task": self.task}
        asked |= {key: value for key, value in filters.items() if value is not None}
        return f"{endpoint}?{urlencode(asked, safe=':.*')}"


def span_of(address: str) -> Span | None:
    """The question of an address, at whatever endpoint; None where it is none."""
    asked = dict(parse_qsl(address.partition("?")[2]))
    node = asked.get("node", "")
    try:
        start, end = (datetime.fromisoformat(asked[key]) for key in ("start", "end"))
        sound = (is_vsn(node) or is_node_id(node)) and start.astimezone(UTC) < end.astimezone(UTC)
    except (KeyError, ValueError, OverflowError):
        return None
    return Span(node, start, end, asked.get("plugin"), asked.get("task")) if sound else None


def spans(order: Order) -> list[Span]:
    """Day by day, so that an answer stays small; all nodes' first days come first."""
    return list(_spans(order))


def _spans(order: Order) -> Iterator[Span]:
    start = order.start
    while start < order.end:
        midnight = datetime(start.year, start.month, start.day, tzinfo=UTC) + SPAN
        for node in order.nodes:
            yield Span(node, start, min(midnight, order.end), order.plugin, order.task)
        start = midnight


def ask(order: Order, span: Span, retrying: tenacity.Retrying) -> pd.DataFrame:
    """The records of a span, as `sage_data_client.query` gives them.

    Args:
        order: says whom to ask, and for how long to wait.
        span: of one node.
        retrying: asks again.

    Raises:
        Unanswered: there is no answer, or none of records.
    """
    wanted = {"name": "upload", "plugin": span.plugin, "task": span.task}
    wanted["vsn" if is_vsn(span.node) else "node"] = span.node
    given = {key: value for key, value in wanted.items() if value is not None}
    urllib.request.install_opener(urllib.request.build_opener(_Patient(order)))
    try:
        return retrying(_query, span, given, order.endpoint)
    except Failed as error:
        times = retrying.statistics.get("attempt_number", 1)
        tries = "" if times == 1 else f", {times} times"
        raise Unanswered(f"{error.reason}{tries}", not isinstance(error, Unreached)) from error
    finally:
        urllib.request.install_opener(None)  # urllib's own again


def _query(span: Span, wanted: dict[str, str], endpoint: str) -> pd.DataFrame:
    start, end = _iso(span.start), _iso(span.end)
    try:
        return sage_data_client.query(start=start, end=end, filter=wanted, endpoint=endpoint)
    except urllib.error.HTTPError as error:
        error.close()
        reason = f"HTTP {error.code}"
        if error.code >= 500 or error.code in TRY_LATER:
            raise Transient(reason, whole_number(error.headers.get("Retry-After")) or 0.0) from error
        raise Failed(reason) from error
    except TimeoutError as error:
        raise Transient("no answer in time") from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise Transient("no answer in time") from error
        if isinstance(error.reason, ConnectionResetError | BrokenPipeError):  # somebody is there
            raise Transient("an answer that was cut") from error
        raise Unreached from error
    except (http.client.HTTPException, EOFError, zlib.error, OSError) as error:
        raise Transient("an answer that was cut") from error
    except json.JSONDecodeError as error:
        raise Transient("an answer that is not records") from error
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise Failed("an answer that is not records") from error


class _Patient(urllib.request.BaseHandler):
    """What `sage_data_client` leaves to urllib: an end of patience, and answers that are whole.

    urllib waits for ever, and of an answer that is cut where a line ends it says nothing: records would be
    missing and no one told. Read to its end, it is held against its length.
    """

    handler_order = 2000  # after those that look at the status and follow redirects

    def __init__(self, order: Order) -> None:
        self._timeout, self._least_rate = order.timeout, order.least_rate

    def http_request(self, request: Any) -> Any:
        request.timeout = self._timeout
        return request

    def http_response(self, request: Any, response: Any) -> Any:
        with response:
            body = b"".join(paced(response.read1, self._least_rate, self._timeout))
            if response.length:  # `read1` says nothing of what is missing, as `read` would
                raise http.client.IncompleteRead(body, response.length)
        return addinfourl(io.BytesIO(body), response.headers, response.url, response.code)

    https_request = http_request
    https_response = http_response


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}"
