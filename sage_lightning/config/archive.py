"""What is asked of the archive: whose files, from when to when, from where."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sage_lightning.config.bounds import get, show
from sage_lightning.sage.nodes import is_node_id, is_vsn


def moment(text: str) -> datetime:
    """Of an ISO date or time; UTC unless it says otherwise.

    Raises:
        ValueError: it is none, or none at which there were cameras.
    """
    read = datetime.fromisoformat(text)
    if not 1970 < read.year < 2262:  # nanoseconds since 1970 reach that far
        raise ValueError(text)
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def camera_nodes(config: dict[str, Any]) -> Iterator[str]:
    """Nodes are named as Sage names them."""
    given = get(config, "download.node")
    if given is None:
        return
    nodes = given if isinstance(given, list) else [given]
    if wrong := [str(node) for node in nodes if not (is_vsn(str(node)) or is_node_id(str(node)))]:
        legal = "a VSN is written as W057, an id as 16 hexadecimal digits in lower case"
        yield f"download.node={show(given)}: {', '.join(wrong)} is no node; {legal}"
    elif not nodes:
        yield "download.node=[]: must hold at least one node"


def times(config: dict[str, Any]) -> Iterator[str]:
    """From a time to a later one."""
    given = {key: get(config, key) for key in ("download.start", "download.end")}
    read = {}
    for key, text in given.items():
        try:
            if text is not None:
                read[key] = moment(str(text))
        except ValueError:
            yield f"{key}={text}: not a date or time; write {key}=2023-05-01 or {key}=2023-05-01T06:00"
    if len(read) == 2 and read["download.start"] >= read["download.end"]:
        start, end = given.values()
        yield f"download.start={start} must be before download.end={end}, which is not included"


def addresses(config: dict[str, Any]) -> Iterator[str]:
    """Addresses are web addresses, and hold no secret: they are kept with the run."""
    for key in ("download.endpoint", "download.storage"):
        if (given := get(config, key)) is None:
            continue
        try:
            parts = urlsplit(str(given))
            sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            sound = False
        if "@" in str(given) or "?" in str(given):  # and what it is, is not said
            yield f"{key}: no user or token in an address; SAGE_USER and SAGE_TOKEN or ~/.netrc have them"
        elif not sound or any(sign in str(given) for sign in "# \\"):
            yield f"{key}={given}: not a web address, as https://… is"


def download_folder(config: dict[str, Any]) -> Iterator[str]:
    """Files go into a folder."""
    folder = get(config, "download.folder")
    if folder is not None and Path(str(folder)).exists() and not Path(str(folder)).is_dir():
        yield f"download.folder={folder}: not a folder"
