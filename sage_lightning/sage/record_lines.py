"""Lines of a file of query records: those that are one, and which are none.

A record is a JSON object with timestamp, name, value and meta. A transfer that was cut, a line that an editor
left blank or another program's output is no reason to refuse the records around it.
"""

import gzip
import io
import json
import logging
import zlib
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import sage_data_client

log = logging.getLogger("sage_lightning")

NO_RECORD = "a line is no query record, a JSON object with timestamp, name, value and meta"

_YEARS = (1678, 2261)  # that nanoseconds since 1970 can count


def whole_records(path: Path) -> pd.DataFrame:
    """The records of a file of lines, `.gz` or not; one line of the log says which lines are left out.

    Raises:
        ValueError: no line is a record; it names the first.
        OSError: the file cannot be opened, or is no gzip.
    """
    lines: list[tuple[int, bytes]] = []
    times: list[str] = []
    bad: list[tuple[int, str]] = []
    number = 0
    try:
        for number, line in enumerate(_lines(path), start=1):
            if not line.strip():
                continue
            try:
                times.append(_timestamp(line))
                lines.append((number, line))
            except ValueError as error:
                bad.append((number, str(error)))
    except (EOFError, zlib.error) as error:
        bad.append((number + 1, str(error)))
    found = pd.to_datetime(pd.Series(times, dtype="str"), utc=True, format="mixed", errors="coerce")
    known = found.dt.year.between(*_YEARS)
    bad += [(lines[row][0], f"timestamp {times[row]} is no time") for row in known[~known].index]
    if bad and not known.any():
        raise ValueError("line {}: {}".format(*min(bad)))
    if bad:
        first, why = min(bad)
        others = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
        log.warning("%s: line %d%s left out, no query record (%s)", path, first, others, why)
    good = (line for (_, line), is_known in zip(lines, known, strict=True) if is_known)
    return sage_data_client.load(io.BytesIO(b"".join(line.rstrip(b"\r\n") + b"\n" for line in good)))


def _lines(path: Path) -> Iterator[bytes]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rb") as file:
        for number, line in enumerate(file):
            yield line if number else line.removeprefix(b"\xef\xbb\xbf")  # which some editors put first


def _timestamp(line: bytes) -> str:
    """What a record says of its time; ValueError where the line is none."""
    record = json.loads(line)
    if not isinstance(record, dict) or not {"timestamp", "name", "value", "meta"} <= set(record):
        raise ValueError(NO_RECORD)
    if not isinstance(record["meta"], dict) or not isinstance(record["timestamp"], str):
        raise ValueError(NO_RECORD)
    return record["timestamp"]
