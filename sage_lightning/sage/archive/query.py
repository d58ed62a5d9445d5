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
from urllib.response import addinfourl

import pandas as pd
import sage_data_client
import tenacity

from sage_lightning.errors import UserError
from sage_lightning.sage.archive.client import TRY_LATER, whole_number
from sage_lightning.sage.archive.order import Order
from sage_lightning.sage.archive.troubles import Failed, Transient
from sage_lightning.sage.nodes import is_vsn

SPAN = timedelta(days=1)  # a node makes some thousand files a day


@dataclass(frozen=True)
class Span:
    """Whose uploads, from when to when; UTC, the end not included."""

    node: str
    start: datetime
    end: datetime


def spans(nodes: list[str], start: datetime, end: datetime) -> Iterator[Span]:
    """Day by day, so that an answer stays small; all nodes' first days come first."""
    while start < end:
        midnight = datetime(start.year, start.month, start.day, tzinfo=UTC) + SPAN
        for node in nodes:
            yield Span(node, start, min(midnight, end))
        start = midnight


def ask(order: Order, span: Span, retrying: tenacity.Retrying) -> pd.DataFrame:
    """The records of a span, as `sage_data_client.query` gives them.

    Args:
        order: says which uploads, whom to ask, and for how long to wait.
        span: of one node.
        retrying: asks again.

    Raises:
        UserError: there is no answer, or none of records.
    """
    wanted = {"name": "upload", "plugin": order.plugin, "task": order.task}
    wanted["vsn" if is_vsn(span.node) else "node"] = span.node
    given = {key: value for key, value in wanted.items() if value is not None}
    urllib.request.install_opener(urllib.request.build_opener(_Patient(order.timeout)))
    try:
        return retrying(_query, span, given, order.endpoint)
    except Failed as error:
        times = retrying.statistics.get("attempt_number", 1)
        tries = "" if times == 1 else f", {times} times"
        day = f"{span.start:%Y-%m-%d}"
        raise UserError(
            f"download.endpoint={order.endpoint}: {error.reason}{tries}; asked for {span.node} on {day}"
        ) from error
    finally:
        urllib.request.install_opener(None)  # urllib's own again


def _query(span: Span, wanted: dict[str, str], endpoint: str) -> pd.DataFrame:
    start, end = (f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}" for moment in (span.start, span.end))
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
        silent = isinstance(error.reason, TimeoutError)
        raise Transient("no answer in time" if silent else "no connection") from error
    except (http.client.HTTPException, EOFError, zlib.error, OSError) as error:
        raise Transient("an answer that was cut") from error
    except json.JSONDecodeError as error:
        raise Transient("an answer that is not records") from error
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise Failed("an answer that is not records") from error


class _Patient(urllib.request.BaseHandler):
    """What `sage_data_client` leaves to urllib: an end of patience, and answers that are whole.

    urllib waits for ever, and of an answer that is cut where a line ends it says nothing: records would be
    missing and no one told. Read in one piece, it is held against its length.
    """

    handler_order = 2000  # after those that look at the status and follow redirects

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout

    def http_request(self, request: Any) -> Any:
        request.timeout = self._timeout
        return request

    def http_response(self, request: Any, response: Any) -> Any:
        body = response.read()
        return addinfourl(io.BytesIO(body), response.headers, response.url, response.code)

    https_request = http_request
    https_response = http_response
