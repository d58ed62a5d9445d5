"""File names of Sage's Mobotix plugins: on the node (`<ts_ns>_<name>`), in the archive (`<ts_ns>-<name>`).

Two forms with whole seconds, UTC, are known beside them: local copies that early users made of the archive,
with the node's VSN in the name, and `<time>_thermal_celsius.csv` of another Mobotix corpus.
"""

import re
from calendar import timegm
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Literal

Kind = Literal["picture", "thermal", "plot"]

_POSITION = r"_position(?P<position>\d{1,4}|(?:NE|NW|SE|SW|N|E|S|W)[SHBG])"
_CUSTOM = r"_\d{4}-\d{2}-\d{2}T\d{6}_(?P<point>Pt\d+)-[^_/]+-S\d+xD\d+ms_Img\d+"
_SUFFIX = rf"(?:{_POSITION}|{_CUSTOM})?"
_SIZE = r"(?P<width>\d{1,6})x(?P<height>\d{1,6})"
_THERMAL = rf"(?:left|right)_{_SIZE}_[^_./]+\.thermal\.celsius"

_PATTERNS: dict[Kind, re.Pattern[str]] = {
    "picture": re.compile(rf"{_SIZE}{_SUFFIX}\.jpe?g", re.ASCII),
    "thermal": re.compile(rf"{_THERMAL}{_SUFFIX}\.csv", re.ASCII),
    "plot": re.compile(rf"{_THERMAL}_plot{_SUFFIX}\.jpe?g", re.ASCII),
}
_TIME = re.compile(r"(\d{16,20})[-_]", re.ASCII)
_SECOND = r"(\d{8}[-_]\d{6})"
_LOCAL = re.compile(rf"(rgb_|thermal_)?{_SECOND}_([A-Z][0-9A-F]{{3}})_", re.ASCII)
_OTHER_CORPUS = re.compile(rf"{_SECOND}_thermal_celsius\.csv", re.ASCII)
_NODE = re.compile(r"[0-9a-fA-F]{16}")
# A camera's names are many, and what follows their times is one of few texts: each is looked at once.
_ENDINGS = 65_536


@dataclass(frozen=True, slots=True)
class SageFile:
    """What a file's path says about it; None where it says nothing.

    Attributes:
        kind: side-by-side picture, matrix of degrees, or the plot that newer plugins add.
        node: 16 lower-case hexadecimal digits, from the folder that holds the file; of a local name the VSN,
            such as "W057".
        time_ns: nanoseconds since 1970 UTC; all files of one frame share it to the nanosecond, or to the
            second that a local name gives.
        position: "1" … "32" are presets, "0" means that the camera did not move, "NEH" is a direction,
            "Pt4" a point of a custom scan.
        width: pixels; of a picture both halves together.
        height: pixels.
    """

    kind: Kind
    node: str | None
    time_ns: int | None
    position: str | None
    width: int | None
    height: int | None


def parse_path(relative_path: str) -> SageFile | None:
    """Reads a path such as `123/sage-mobotix-scan-0.24.8/000048b02d15bc42/1679000000000000000-6144x2048.jpg`.

    Args:
        relative_path: with `/` between folders; the file's name alone is enough, the node is then unknown.

    Returns:
        None for a file that no camera plugin wrote.
    """
    path = PurePosixPath(relative_path)
    return parse_name(path.name, node_of(path.parent.name))


def node_of(folder: str) -> str | None:
    """The node that a folder of this name is of; None where it is none's."""
    return folder.lower() if _NODE.fullmatch(folder) else None


def parse_name(name: str, node: str | None) -> SageFile | None:
    """Reads a file's name; `node` is that of its folder, which a name with a VSN knows better."""
    if not name.isascii():  # no plugin writes such a name
        return None
    if found := _TIME.match(name):
        time, ending = int(found[1]), _ending(name[found.end() :])
    elif found := _LOCAL.match(name):
        ending = _ending(name[found.end() :])
        if ending is None or (found[1] is not None and (found[1] == "rgb_") != (ending.kind == "picture")):
            return None
        return replace(ending, node=found[3], time_ns=_time_ns(found[2]))
    elif found := _OTHER_CORPUS.fullmatch(name):
        return SageFile("thermal", None, _time_ns(found[1]), None, None, None)
    else:
        time, ending = None, _ending(name)
    if ending is None:
        return None
    return SageFile(ending.kind, node, time, ending.position, ending.width, ending.height)


@lru_cache(_ENDINGS)
def _ending(text: str) -> SageFile | None:
    """What a name says behind its time; node and time are left open."""
    for kind, pattern in _PATTERNS.items():
        if match := pattern.fullmatch(text):
            size = int(match["width"]), int(match["height"])
            return SageFile(kind, None, None, match["position"] or match["point"], *size)
    return None


def _time_ns(second: str) -> int | None:
    """Of "20230521-095736", UTC; None for digits that are no time, or one before 1970."""
    try:
        moment = datetime.strptime(second.replace("_", "-"), "%Y%m%d-%H%M%S")
    except ValueError:
        return None
    seconds = timegm(moment.timetuple())
    return seconds * 1_000_000_000 if seconds >= 0 else None


def archive_path(job: str, plugin_task: str, plugin_tag: str, node: str, time_ns: int, filename: str) -> str:
    """Where the archive keeps an upload, below its `/api/v1/data/`."""
    return f"{job}/sage-{plugin_task}-{plugin_tag}/{node}/{time_ns}-{filename}"


def picture_name(width: int, height: int, position: str | None) -> str:
    """The uploaded name of a side-by-side picture; sizes in pixels, of both halves together."""
    return f"{width}x{height}{_suffix(position)}.jpg"


def thermal_name(sensor: str, width: int, height: int, position: str | None) -> str:
    """The uploaded name of a matrix of degrees; `sensor` is "left" or "right", sizes in pixels."""
    return f"{sensor}_{width}x{height}_14bit.thermal.celsius{_suffix(position)}.csv"


def _suffix(position: str | None) -> str:
    return "" if position is None else f"_position{position}"
