"""What to do about protected files: said once a node, while the rest goes on."""

import logging
from urllib.parse import urlsplit

from sage_lightning.progress import Transfers
from sage_lightning.sage.archive.client import Client
from sage_lightning.sage.archive.credentials import TOKEN, USER
from sage_lightning.sage.archive.troubles import Denied, Failed

log = logging.getLogger("sage_lightning")


class Protected:
    """Remembers what has been said.

    Args:
        client: knows the storage, and whether there are credentials.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._said: set[tuple[str, int]] = set()

    def tell(self, node: str, trouble: Failed, progress: Transfers) -> None:
        """Says what to do, if a node's files are protected and this is the first of them."""
        if isinstance(trouble, Denied) and (node, trouble.status) not in self._said:
            self._said.add((node, trouble.status))
            way = self._way(trouble.status)
            with progress.aside():
                log.warning("%s: files are protected (HTTP %d); %s", node, trouble.status, way)

    def _way(self, status: int) -> str:
        if not self._client.has_credentials:
            host = urlsplit(self._client.storage).hostname
            return f"set {USER} and {TOKEN}, or write a line for {host} into ~/.netrc"
        if status == 401:
            return "user and token are not accepted: check them, or get a new token"
        return "your account may not read them: ask Sage for access to this node"
