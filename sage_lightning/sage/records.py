"""Records of the archive's query API, as `sage_data_client` writes and reads them: one row an upload."""

import zlib
from pathlib import Path

import pandas as pd
import sage_data_client

from sage_lightning.sage.names import parse_name
from sage_lightning.sage.record_lines import NO_RECORD, whole_records

RECORD_SUFFIXES = (".ndjson", ".ndjson.gz", ".json", ".json.gz", ".csv", ".parquet")

_TABLES = (".csv", ".parquet")
_NEEDED = ("timestamp", "meta.filename", "meta.node")


def read_records(path: Path) -> pd.DataFrame:
    """The uploads of camera files among the records of a file.

    Returns:
        `time_ns`, `node` (16 lower-case hexadecimal digits), `vsn`, `filename`, `kind` ("picture", "thermal",
        "plot"), `position`, `width`, `height`; null where a record does not say. Left out are other
        records, and lines that are none, see `whole_records`.

    Raises:
        ValueError: the file is none of records.
        OSError: the file cannot be opened, or is no gzip.
    """
    path = Path(path)
    table = load_records(path) if path.name.endswith(_TABLES) else whole_records(path)
    return camera_records(table)


def load_records(path: Path) -> pd.DataFrame:
    """The table in a file, as `sage_data_client` gives it.

    Raises:
        ValueError: the file is none of records, or is cut.
        OSError: the file cannot be opened, or is no gzip.
    """
    path = Path(path)
    if path.name.endswith(".parquet"):
        return pd.read_parquet(path)
    if path.name.endswith(".csv"):
        return pd.read_csv(path, dtype={"meta.node": "str", "meta.vsn": "str", "meta.position": "str"})
    try:
        return sage_data_client.load(path)
    except (EOFError, zlib.error) as error:
        raise ValueError(str(error)) from error
    except (AttributeError, KeyError, TypeError) as error:  # what the client meets in other JSON
        raise ValueError(NO_RECORD) from error


def camera_records(table: pd.DataFrame) -> pd.DataFrame:
    """The uploads of camera files in a table of the client's; see `read_records`."""
    if table.empty:
        table = table.reindex(columns=[*table.columns, *(name for name in _NEEDED if name not in table)])
    if missing := [name for name in _NEEDED if name not in table]:
        raise ValueError(f"no column {', '.join(missing)}")
    names = table["meta.filename"].astype("str").fillna("")
    said = [parse_name(name, None) for name in names]
    told = table.get("meta.position", pd.Series(None, table.index)).astype("str")
    position = pd.Series([file.position if file else None for file in said], table.index, dtype="str")
    times = _times(table["timestamp"])
    records = pd.DataFrame(
        {
            "time_ns": times.astype("int64"),
            "node": table["meta.node"].astype("str").str.lower(),
            "vsn": table.get("meta.vsn", pd.Series(None, table.index)).astype("str"),
            "filename": names,
            "kind": pd.Series([file.kind if file else None for file in said], table.index, dtype="str"),
            "position": position.fillna(told),
            "width": pd.array([file.width if file else None for file in said], dtype="Int32"),
            "height": pd.array([file.height if file else None for file in said], dtype="Int32"),
        }
    )
    return records[records["kind"].notna() & times.notna()]


def _times(written: pd.Series) -> pd.Series:
    try:
        return pd.to_datetime(written, utc=True, format="mixed").astype("datetime64[ns, UTC]")
    except TypeError as error:  # a list, say
        raise ValueError(f"a timestamp is no time: {error}") from error
