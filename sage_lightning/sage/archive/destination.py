"""From an upload's address to its place in a folder: the archive's own layout, or a refusal.

Addresses come from the network. A place is made only of names that are names on every system, so none
can lead out of the folder, hide in it, or overwrite what this program keeps there (`_download`).
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from sage_lightning.sage.archive.troubles import Refused
from sage_lightning.sage.nodes import is_node_id

LONGEST_NAME = 200  # bytes; systems take 255, and a transfer's own file has a longer name
LATEST_TIME = 2**63 - 1  # nanoseconds, in the year 2262

_ADDRESS = re.compile(r"[!-~]+")  # ASCII that can be seen
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+=@,~ -]*(?<![. ])")
_DEVICE = re.compile(
    r"(?:CON|PRN|AUX|NUL|COM\d|LPT\d)(?:\..*)?", re.IGNORECASE
)  # Windows opens them anywhere
_FILE = re.compile(r"(?P<time>\d{16,19})-(?P<name>.+)")


@dataclass(frozen=True)
class Place:
    """Where an upload goes.

    Attributes:
        path: `{job}/sage-{task}-{tag}/{node}/{ts_ns}-{filename}`, below the folder.
        node: 16 hexadecimal digits.
        time_ns: nanoseconds since 1970 UTC.
        filename: as uploaded.
    """

    path: str
    node: str
    time_ns: int
    filename: str


def destination(url: object, storage: str) -> Place:
    """Reads an address such as `https://…/api/v1/data/job/sage-task-tag/000048b02d15bc42/168…-6144x2048.jpg`.

    Args:
        url: what the archive's record says.
        storage: the address that all uploads' addresses begin with, without a slash at its end.

    Raises:
        Refused: with what is wrong with the address.
    """
    if not isinstance(url, str) or not _ADDRESS.fullmatch(url) or any(sign in url for sign in "\\?#;"):
        raise Refused("not the address of a file")
    if not url.startswith(f"{storage}/"):
        raise Refused(f"its address is not below {storage}")
    # Bytes that are no UTF-8 become a sign that is no part of a name.
    names = [unquote(part) for part in url.removeprefix(f"{storage}/").split("/")]
    if len(names) != 4:
        raise Refused("its address is not <job>/<plugin>/<node>/<time>-<name>")
    for name in names:
        if not _NAME.fullmatch(name) or _DEVICE.fullmatch(name) or len(name) > LONGEST_NAME:
            raise Refused("a name that is not safe in a folder")
    if not is_node_id(names[2]):
        raise Refused("its address names no node")
    if not (file := _FILE.fullmatch(names[3])) or int(file["time"]) > LATEST_TIME:
        raise Refused("its address names no time")
    return Place("/".join(names), names[2], int(file["time"]), file["name"])
