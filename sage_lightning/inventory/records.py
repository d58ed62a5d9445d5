"""Query records of the archive → the same pair index that the files would have; nothing is downloaded.

Records are those of `sage_data_client`: `timestamp` (UTC, ns), `name`, `value` (of an upload its URL), and
`meta` with `filename`, `node`, `vsn`, `position` …, any of which may be missing.
"""

import gzip
import json
import zlib
from collections.abc import Iterator
from glob import glob
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from sage_lightning.data.files import NO_TIME, UNKNOWN
from sage_lightning.data.pairing import pair_files
from sage_lightning.data.quarantine import PLOT
from sage_lightning.errors import UserError
from sage_lightning.inventory.excluded import EXAMPLES, NO_CAMERA_FILE, NO_UPLOAD, SAME_RECORD, Apart
from sage_lightning.sage.names import parse_path
from sage_lightning.sage.records import RECORD_SUFFIXES, load_records

UPLOAD = "upload"
NEEDED = ("timestamp", "name", "value")
_ROOT = r"^https?://[^/]+/(?:api/v1/data/)?"  # of the archive's own paths
_TIME = r"^\d{16,20}[-_]"
_NODE = r"/([0-9a-fA-F]{16})/[^/]*$"
_TABLES = (".csv", ".parquet")
_CUT = (OSError, EOFError, zlib.error)  # what a file says that is no gzip, or ends too early


def record_files(given: str) -> list[Path]:
    """The files that `inventory.records` names, sorted: one, those of a folder, or those of a pattern.

    Raises:
        UserError: there is none.
    """
    path = Path(given)
    if path.is_file():
        return [path]
    if path.is_dir():
        found = [file for file in path.rglob("*") if file.name.endswith(RECORD_SUFFIXES) and file.is_file()]
    else:
        # Path.glob takes no absolute pattern.
        found = [Path(name) for name in glob(given, recursive=True) if Path(name).is_file()]  # noqa: PTH207
    if not found:
        what = (
            f"the folder holds no {', '.join(RECORD_SUFFIXES)}" if path.is_dir() else "no such file or folder"
        )
        raise UserError(f"inventory.records={given}: {what}")
    return sorted(found)


def recordless(given: str) -> str | None:
    """What to say of records that name no camera file; None where one does: the first ends the search."""
    count = 0
    try:
        for file in record_files(given):
            for record in _records(given, file):
                count += 1
                if record["name"] == UPLOAD and _names_camera_file(record):
                    return None
    except UserError as error:
        return error.lines[0]
    return f"inventory.records={given}: {count} record{'' if count == 1 else 's'}, none of a camera file"


def read_records(given: str, keep_mismatches: bool = False) -> tuple[pd.DataFrame, list[Apart]]:
    """The pair index, paths as the archive has them, and what of the records stands in none of its rows.

    Args:
        given: see `record_files`.
        keep_mismatches: see `pair_files`.

    Raises:
        UserError: no file, or one that holds no records.
    """
    parts = []
    for file in record_files(given):
        try:
            part = load_records(file)
        except (ValueError, KeyError, TypeError, AttributeError, *_CUT) as error:
            for _ in _records(given, file):
                pass  # it says which line is none
            raise UserError(_unreadable(given, file, error)) from error
        if missing := [name for name in NEEDED if name not in part]:
            raise UserError(_unreadable(given, file, f"no column {', '.join(missing)}"))
        times = pd.to_datetime(part["timestamp"], utc=True, format="mixed")  # a CSV holds texts
        parts.append(part.assign(timestamp=times.astype("datetime64[ns, UTC]")))
    records = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    return index_of(records, keep_mismatches)


def index_of(records: pd.DataFrame, keep_mismatches: bool = False) -> tuple[pd.DataFrame, list[Apart]]:
    """`read_records` of records that are loaded.

    Args:
        records: columns of `sage_data_client.load`; those named `meta.…` may be missing.
        keep_mismatches: see `pair_files`.
    """
    uploads = records[records["name"] == UPLOAD]
    path = uploads["value"].astype("str").str.replace(_ROOT, "", regex=True)
    last = path.str.rsplit("/", n=1).str[-1].str.replace(_TIME, "", regex=True)
    filename = _meta(uploads, "filename").fillna(last)
    folder = path.str.extract(_NODE, expand=False)
    node = _meta(uploads, "node").fillna(folder).str.lower().fillna(_meta(uploads, "vsn")).fillna(UNKNOWN)
    again = path.duplicated()  # overlapping queries give a record twice
    times = _nanoseconds(uploads["timestamp"], path)
    files = pd.DataFrame({"path": path, "node": node, "filename": filename, "time_ns": times})
    files = files[~again].join(_parsed(filename), on="filename")
    files["position"] = files["position"].fillna(_meta(uploads, "position"))
    is_camera = files["kind"].notna()
    index = pair_files(files[is_camera].drop(columns="filename").reset_index(drop=True), keep_mismatches)
    shown = index.loc[index["reason"] == PLOT, "rgb_path"]  # plots that stand in a picture's place
    others = files["path"][(files["kind"] == "plot") | ~is_camera]
    others = others[~others.isin(shown)]
    apart = [
        Apart(NO_UPLOAD, len(records) - len(uploads), _names(records[records["name"] != UPLOAD])),
        Apart(SAME_RECORD, int(again.sum()), _first(path[again])),
        Apart(NO_CAMERA_FILE, len(others), _first(others)),
    ]
    return index, apart


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


def _nanoseconds(times: pd.Series, paths: pd.Series) -> pd.Series:
    """Of the record, or, where it says none, of the path."""
    known = times.notna()
    said = paths.str.extract(r"(?:^|/)(\d{16,18}|[1-8]\d{18})[-_][^/]*$", expand=False)
    written = said.fillna(str(NO_TIME)).astype("int64")
    nanoseconds = times.dt.as_unit("ns").astype("int64").where(known, written)
    return nanoseconds.where(nanoseconds >= 0, NO_TIME)


def _records(given: str, file: Path) -> Iterator[dict[str, Any]]:
    """Record by record: `name`, `value`, `meta`; a file of lines is read no further than is asked for."""
    if file.name.endswith(_TABLES):
        try:
            table = load_records(file)
        except (ValueError, OSError) as error:
            raise UserError(_unreadable(given, file, error)) from error
        if missing := [name for name in NEEDED if name not in table]:
            raise UserError(_unreadable(given, file, f"no column {', '.join(missing)}"))
        names = table.get("meta.filename", pd.Series(None, table.index))
        for name, value, filename in zip(table["name"], table["value"], names, strict=True):
            yield {"name": name, "value": value, "meta": {} if pd.isna(filename) else {"filename": filename}}
        return
    for number, line in enumerate(_lines(given, file), start=1):
        record = _record(line)
        if record is None:
            what = "a JSON object with timestamp, name, value and meta"
            raise UserError(
                f"inventory.records={given}: line {number} of {file.name} is no query record, {what}"
            )
        yield record


def _record(line: bytes) -> dict[str, Any] | None:
    """The record in a line; None where there is none."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    whole = isinstance(record, dict) and record.keys() >= {*NEEDED, "meta"}
    return record if whole and isinstance(record["meta"], dict) else None


def _names_camera_file(record: dict[str, Any]) -> bool:
    name = str(record["meta"].get("filename") or record["value"])
    file = parse_path(PurePosixPath(name).name)
    return file is not None and file.kind != "plot"


def _unreadable(given: str, file: Path, error: Exception | str) -> str:
    return f"inventory.records={given}: {file.name} cannot be read ({error})"


def _first(paths: pd.Series) -> list[str]:
    return sorted(paths.unique().tolist())[:EXAMPLES]


def _names(records: pd.DataFrame) -> list[str]:
    return sorted(records["name"].astype("str").unique().tolist())[:EXAMPLES]


def _lines(given: str, file: Path) -> Iterator[bytes]:
    try:
        with gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb") as opened:
            yield from opened
    except _CUT as error:
        raise UserError(_unreadable(given, file, error)) from error
