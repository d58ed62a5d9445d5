"""The thermal file `*.thermal.celsius.csv`: seven `key;value` lines, an empty line, then rows of degrees."""

from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sage_lightning.sage.degrees import quick_degrees

Reason = Literal["unreadable", "truncated", "wrong size"]

# °C: what a radiometric camera can have measured of a scene. Clear sky at the zenith is far below −40, and
# raw numbers of 0 or beyond 14 bits, which mean that nothing was measured, lie outside.
PHYSICAL_RANGE = (-150.0, 700.0)

_HEADER_LINES = 7
_UNIT = "degrees Celsius"


class CelsiusError(ValueError):
    """A thermal file that must not be used; `reason` says in a word why."""

    def __init__(self, path: Path, reason: Reason, detail: str) -> None:
        super().__init__(path, reason, detail)  # all of them, so that it can be pickled across processes
        self.reason: Reason = reason

    def __str__(self) -> str:
        path, reason, detail = self.args
        return f"{path}: {reason}: {detail}"


def read_celsius(path: Path) -> NDArray[np.float32]:
    """The matrix, (h, w) degrees Celsius, row 0 at the top; each value is the float32 nearest to its text.

    The final newline may be missing. Then only a last value of two decimals, as cameras write them, or `nan`
    counts as whole: a shorter one cannot be told from one that was cut.

    Raises:
        CelsiusError: "unreadable" where the header or a value makes no sense, "truncated" where there is less
            than the header promises, "wrong size" where there is more, or a row of another length.
    """
    path = Path(path)
    return parse_celsius(path.read_bytes(), path)


def parse_celsius(data: bytes, path: Path) -> NDArray[np.float32]:
    """What `read_celsius` gives for a file that holds `data`; `path` is for the error alone."""
    width, height, start = _parse_header(path, data)
    celsius = quick_degrees(data, start, width, height)
    return _parse_matrix(data[start:], width, height, path) if celsius is None else celsius


def _parse_matrix(body: bytes, width: int, height: int, path: Path) -> NDArray[np.float32]:
    """Numbers of all forms, and the reason where there is one."""
    whole = body.endswith(b"\n")
    rows = body[:-1].split(b"\n") if whole else body.split(b"\n")
    try:
        cells = pc.split_pattern(pa.array(rows, pa.string()), ";")
    except pa.ArrowInvalid as error:
        raise CelsiusError(path, "unreadable", "not ASCII text") from error
    lengths = cells.value_lengths().to_numpy()
    if len(rows) > height or lengths.max() > width or (lengths[:-1] < width).any():
        raise CelsiusError(path, "wrong size", f"not {height} rows of {width} values")
    last = rows[-1].rpartition(b";")[2]
    if len(rows) < height or lengths[-1] < width or not (whole or _is_whole(last)):
        raise CelsiusError(path, "truncated", f"ends in row {len(rows)} of {height}")
    try:
        values = cells.values.cast(pa.float32())
    except pa.ArrowInvalid as error:
        raise CelsiusError(path, "unreadable", "a value is not a number") from error
    celsius = values.to_numpy().reshape(height, width)
    if np.isinf(celsius).any():
        raise CelsiusError(path, "unreadable", "a value is infinite")
    return celsius


def write_celsius(path: Path, celsius: NDArray[np.float32], sensor: str = "right") -> None:
    """Writes the file as the camera's tool does: six significant digits, `;` between values, a final newline.

    Args:
        path: the file; its folder exists.
        celsius: (h, w) degrees.
        sensor: "left" or "right".
    """
    height, width = celsius.shape
    header = f"sensor;{sensor}\nbit depth;14 bit\nwidth;{width}\nheight;{height}\nresolution;high\n"
    header += f"advanced radiometry support;yes\nunit;{_UNIT}\n\n"
    # A frame holds few distinct values: each is formatted once.
    coded = pa.array(np.ascontiguousarray(celsius, dtype=np.float32).ravel()).dictionary_encode()
    texts = np.array([f"{value:.6g}" for value in coded.dictionary.to_pylist()], dtype=object)
    rows = texts[coded.indices.to_numpy()].reshape(height, width).tolist()
    body = "\n".join([";".join(row) for row in rows])
    Path(path).write_bytes(f"{header}{body}\n".encode("ascii"))


def header_size(path: Path) -> tuple[int, int]:
    """(width, height) in pixels, from the header alone.

    Raises:
        CelsiusError: "unreadable".
    """
    path = Path(path)
    with path.open("rb") as file:
        width, height, _ = _parse_header(path, file.read(1024))
    return width, height


def _parse_header(path: Path, data: bytes) -> tuple[int, int, int]:
    """Width, height, and where the matrix starts."""
    head, blank, _ = data[:1024].partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
        fields = dict(line.split(";") for line in lines)
        width, height, unit = int(fields["width"]), int(fields["height"]), fields["unit"]
    except (ValueError, KeyError) as error:
        raise CelsiusError(path, "unreadable", "no header with width, height and unit") from error
    if not blank or len(lines) != _HEADER_LINES or width < 1 or height < 1 or unit != _UNIT:
        raise CelsiusError(path, "unreadable", f"not a header of {_HEADER_LINES} lines, a size and {_UNIT}")
    return width, height, len(head) + len(blank)


def _is_whole(value: bytes) -> bool:
    return value == b"nan" or len(value.partition(b".")[2]) == 2
