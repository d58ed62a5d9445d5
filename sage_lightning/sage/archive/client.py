"""HTTP for the storage: a session a thread, credentials for the storage alone, troubles in our own words."""

import email.utils
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.auth import HTTPBasicAuth
from urllib3.exceptions import HTTPError, ReadTimeoutError

from sage_lightning.sage.archive.pace import TooSlow, paced
from sage_lightning.sage.archive.troubles import Denied, Failed, Transient
from sage_lightning.version import __version__

MOST_REDIRECTS = 5
TRY_LATER = (408, 425, 429)  # and every 5xx


class Client:
    """Asks a storage.

    Args:
        storage: its address.
        credentials: user and token, or None.
        timeout: seconds, for connecting and for silence between bytes.
        least_rate: kB a second that a file brings over each `timeout`.
    """

    def __init__(
        self, storage: str, credentials: tuple[str, str] | None, timeout: float, least_rate: float
    ) -> None:
        self.storage = storage
        self.has_credentials = credentials is not None
        self._auth = _Nobody() if credentials is None else HTTPBasicAuth(*(c.encode() for c in credentials))
        self._timeout, self._least_rate = timeout, least_rate
        self._of_thread = threading.local()  # sessions are not made for several threads

    def ask(self, method: str, url: str, headers: dict[str, str] | None = None) -> requests.Response:
        """The answer, whatever its status, its body still to be read; redirects are followed.

        Raises:
            Transient: no connection, or no answer in time.
            Failed: an answer that cannot be followed.
        """
        try:
            return self._session.request(
                method,
                url,
                headers=headers,
                auth=self._auth,  # always one: without, requests would look into ~/.netrc by itself
                stream=True,
                timeout=(self._timeout, self._timeout),
                allow_redirects=True,
            )
        except (OSError, ValueError) as error:
            raise self._trouble(error) from error

    def body(self, response: requests.Response) -> Iterator[bytes]:
        """The bytes of an answer.

        Raises:
            Transient: cut, silent for too long, or too slow.
        """
        # Not `iter_content`: it waits until a piece is full, however slowly that fills.
        try:
            yield from paced(response.raw.read1, self._least_rate, self._timeout)
        except TooSlow as error:
            raise Transient(f"timeout: {error}") from error
        except (HTTPError, OSError, ValueError) as error:
            raise self._trouble(error) from error

    def _trouble(self, error: HTTPError | OSError | ValueError) -> Failed:
        if isinstance(error, HTTPError) and not isinstance(error, ReadTimeoutError):
            return Transient("cut: the connection ended too early")
        timeouts = (requests.Timeout, ReadTimeoutError)
        if isinstance(error, timeouts) or isinstance(_inner(error), ReadTimeoutError):
            return Transient(f"timeout: nothing for {self._timeout:g} s")
        if isinstance(error, requests.exceptions.SSLError):
            return Failed("its certificate is not accepted")
        if isinstance(error, requests.exceptions.ProxyError):
            return Transient("no connection through the proxy")
        if isinstance(error, requests.exceptions.ChunkedEncodingError):
            return Transient("cut: the connection ended too early")
        if isinstance(error, requests.ConnectionError):
            return Transient("no connection")
        if isinstance(error, requests.TooManyRedirects):
            return Failed(f"more than {MOST_REDIRECTS} redirects")
        if isinstance(error, OSError) and not isinstance(error, requests.RequestException):
            return Failed("certificates cannot be read; see REQUESTS_CA_BUNDLE")
        return Failed("an answer that is not HTTP as it should be")

    @property
    def _session(self) -> requests.Session:
        if not hasattr(self._of_thread, "session"):
            self._of_thread.session = _Session(self.storage)
        return self._of_thread.session


class _Session(requests.Session):
    """Credentials stay with the storage, wherever it redirects to."""

    def __init__(self, storage: str) -> None:
        super().__init__()
        self._origin = _origin(storage)
        self.max_redirects = MOST_REDIRECTS
        # Lengths and ranges are those of the file only if it comes as it is.
        self.headers.update({"Accept-Encoding": "identity", "User-Agent": f"sage_lightning/{__version__}"})

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Before each redirect."""
        if _origin(prepared_request.url or "") != self._origin:
            prepared_request.headers.pop("Authorization", None)


class _Nobody(requests.auth.AuthBase):
    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        return r


def check_status(response: requests.Response, *welcome: int) -> None:
    """Raises what an answer's status says, unless it is welcome.

    Raises:
        Denied: 401 or 403.
        Transient: 5xx and the like.
        Failed: any other.
    """
    status = response.status_code
    if status in welcome:
        return
    response.close()
    if status in (401, 403):
        raise Denied(status)
    if status >= 500 or status in TRY_LATER:
        after = _seconds(response.headers.get("Retry-After", ""))
        raise Transient(f"HTTP {status}" + (f", asks to wait {after:.0f} s" if after else ""), after)
    raise Failed(f"HTTP {status}")


def whole_number(text: str | None) -> int | None:
    """Of a header; None where it is none."""
    return int(text) if text is not None and text.isascii() and text.isdecimal() else None


def _seconds(retry_after: str) -> float:
    """Of a Retry-After header, which has seconds or a date."""
    if (seconds := whole_number(retry_after.strip())) is not None:
        return float(seconds)
    try:
        moment = email.utils.parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    return max(0.0, (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds())


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)


def _inner(error: BaseException) -> Any:
    return error.args[0] if error.args else None
