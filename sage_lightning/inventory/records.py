"""Query records of the archive → the same pair index that the files would have; nothing is downloaded.

Records are those of `sage_data_client`, a JSON object a line: `timestamp` (UTC, ns), `name`, `value` (of an
upload its URL), `meta` with `filename`, `node`, `vsn` …, any of which may be missing.
"""

import gzip
import json
import zlib
from collections.abc import Iterator
from glob import glob
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd
import sage_data_client

from sage_lightning.data.scan import LATEST_TIME, NO_TIME, UNKNOWN, pair_files
from sage_lightning.errors import UserError
from sage_lightning.inventory.excluded import EXAMPLES, NO_CAMERA_FILE, NO_UPLOAD, SAME_RECORD, Apart
from sage_lightning.sage.names import parse_path

SUFFIXES = (".ndjson", ".ndjson.gz", ".json", ".json.gz", ".jsonl", ".jsonl.gz")
UPLOAD = "upload"
_ROOT = r"^https?://[^/]+/(?:api/v1/data/)?"  # of the archive's own paths
_TIME = r"^\d{16,20}[-_]"
_NODE = r"/([0-9a-fA-F]{16})/[^/]*$"


def record_files(given: str) -> list[Path]:
    """The files that `inventory.records` names, sorted: one, those of a folder, or those of a pattern.

    Raises:
        UserError: there is none.
    """
    path = Path(given)
    if path.is_file():
        return [path]
    if path.is_dir():
        found = [file for file in path.rglob("*") if file.name.endswith(SUFFIXES) and file.is_file()]
    else:
        # Path.glob takes no absolute pattern.
        found = [Path(name) for name in glob(given, recursive=True) if Path(name).is_file()]  # noqa: PTH207
    if not found:
        what = f"the folder holds no {', '.join(SUFFIXES[:2])}" if path.is_dir() else "no such file or folder"
        raise UserError(f"inventory.records={given}: {what}")
    return sorted(found)


def recordless(given: str) -> str | None:
    """What to say of records that name no camera file; None where one does: the first ends the search."""
    count = 0
    try:
        for file in record_files(given):
            for number, line in enumerate(_lines(given, file), start=1):
                record = _record(line)
                if record is None:
                    return _no_record(given, file, number)
                count += 1
                if record["name"] == UPLOAD and _names_camera_file(record):
                    return None
    except UserError as error:
        return error.lines[0]
    return f"inventory.records={given}: {count} record{'' if count == 1 else 's'}, none of a camera file"


def read_records(given: str) -> tuple[pd.DataFrame, list[Apart]]:
    """The pair index, paths as the archive has them, and what of the records stands in none of its rows.

    Raises:
        UserError: no file, or a line that is no record.
    """
    parts = []
    for file in record_files(given):
        try:
            parts.append(sage_data_client.load(file))
        except (ValueError, KeyError, TypeError, AttributeError, OSError, EOFError, zlib.error) as error:
            for number, line in enumerate(_lines(given, file), start=1):
                if _record(line) is None:
                    raise UserError(_no_record(given, file, number)) from error
            raise UserError(_unreadable(given, file, error)) from error
    records = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    return index_of(records)


def index_of(records: pd.DataFrame) -> tuple[pd.DataFrame, list[Apart]]:
    """`read_records` of records that are loaded.

    Args:
        records: columns of `sage_data_client.load`; those named `meta.…` may be missing.
    """
    uploads = records[records["name"] == UPLOAD]
    path = uploads["value"].astype("str").str.replace(_ROOT, "", regex=True)
    last = path.str.rsplit("/", n=1).str[-1].str.replace(_TIME, "", regex=True)
    filename = _meta(uploads, "filename").fillna(last)
    folder = path.str.extract(_NODE, expand=False)
    node = _meta(uploads, "node").fillna(folder).str.lower().fillna(_meta(uploads, "vsn")).fillna(UNKNOWN)
    again = path.duplicated()  # overlapping queries give a record twice
    files = pd.DataFrame(
        {"path": path, "node": node, "filename": filename, "time_ns": _nanoseconds(uploads["timestamp"])}
    )
    files = files[~again].join(_parsed(filename), on="filename")
    is_camera = files["kind"].isin(["picture", "thermal"])
    apart = [
        Apart(NO_UPLOAD, len(records) - len(uploads), _names(records[records["name"] != UPLOAD])),
        Apart(SAME_RECORD, int(again.sum()), _first(path[again])),
        Apart(NO_CAMERA_FILE, int((~is_camera).sum()), _first(files["path"][~is_camera])),
    ]
    return pair_files(files[is_camera].drop(columns="filename").reset_index(drop=True)), apart


def _parsed(filenames: pd.Series) -> pd.DataFrame:
    """What names say, each of the few that occur read once."""
    names = filenames.unique().tolist()
    parsed = [parse_path(PurePosixPath(name).name) for name in names]
    said = {
        name: pd.array([None if file is None else getattr(file, name) for file in parsed], dtype=dtype)
        for name, dtype in (("kind", "str"), ("position", "str"), ("width", "Int32"), ("height", "Int32"))
    }
    return pd.DataFrame(said, index=pd.Index(names, dtype="str", name="filename"))


def _meta(records: pd.DataFrame, name: str) -> pd.Series:
    column = records.get(f"meta.{name}")
    return pd.Series(pd.NA, records.index, dtype="str") if column is None else column.astype("str")


def _nanoseconds(times: pd.Series) -> pd.Series:
    known = times.notna()
    nanoseconds = times.dt.as_unit("ns").astype("int64").where(known, NO_TIME)
    return nanoseconds.where((nanoseconds >= 0) & (nanoseconds <= LATEST_TIME), NO_TIME)


def _record(line: bytes) -> dict[str, Any] | None:
    """The record in a line; None where there is none."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    whole = isinstance(record, dict) and record.keys() >= {"timestamp", "name", "value", "meta"}
    return record if whole and isinstance(record["meta"], dict) else None


def _names_camera_file(record: dict[str, Any]) -> bool:
    name = str(record["meta"].get("filename") or record["value"])
    file = parse_path(PurePosixPath(name).name)
    return file is not None and file.kind != "plot"


def _no_record(given: str, file: Path, number: int) -> str:
    what = "a JSON object with timestamp, name, value and meta"
    return f"inventory.records={given}: line {number} of {file.name} is no query record, {what}"


def _unreadable(given: str, file: Path, error: Exception) -> str:
    return f"inventory.records={given}: {file.name} cannot be read ({error})"


def _first(paths: pd.Series) -> list[str]:
    return sorted(paths.unique().tolist())[:EXAMPLES]


def _names(records: pd.DataFrame) -> list[str]:
    return sorted(records["name"].astype("str").unique().tolist())[:EXAMPLES]


def _lines(given: str, file: Path) -> Iterator[bytes]:
    try:
        with gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb") as opened:
            yield from opened
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(_unreadable(given, file, error)) from error
