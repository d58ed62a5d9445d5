"""Who asks: from the environment or ~/.netrc, never from a config, and told to one storage alone."""

import os
from netrc import NetrcParseError
from urllib.parse import urlsplit

from requests.utils import get_netrc_auth

from sage_lightning.errors import UserError

USER, TOKEN = "SAGE_USER", "SAGE_TOKEN"
OWN_MACHINE = ("localhost", "127.0.0.1", "::1")


def credentials(storage: str) -> tuple[str, str] | None:
    """User and token for a storage; None where there are none.

    Raises:
        UserError: only one of the two variables is set, ~/.netrc cannot be read, or the storage is asked
            over a line on which they could be read.
    """
    user, token = (os.environ.get(name, "").strip() for name in (USER, TOKEN))
    if bool(user) != bool(token):
        given, lacks = (USER, TOKEN) if user else (TOKEN, USER)
        raise UserError(f"{given} is set and {lacks} is not; protected files want both")
    try:
        found = (user, token) if user else get_netrc_auth(storage, raise_errors=True)
    except (NetrcParseError, OSError) as error:
        # Not what the error says: it may quote the file.
        raise UserError(
            "~/.netrc cannot be read; each line is: machine <host> login <user> password <token>"
        ) from error
    host = urlsplit(storage)
    if found and host.scheme != "https" and host.hostname not in OWN_MACHINE:
        raise UserError(
            f"download.storage={storage}: credentials go over https only; use it, or take them away"
        )
    return found
