"""Names of early users' local copies, records of them, and folders that hold them."""

import json
from pathlib import Path

import pandas as pd

from sage_lightning.data.scan import scan_folder

NODE = "000048b02d15bc42"

THERMAL = "right_336x252_14bit.thermal.celsius"

NS = 1_684_663_056_123_456_789  # 2023-05-21 09:57:36 and a bit, UTC


def write(root: Path, files: dict[str, str]) -> pd.DataFrame:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text or "x")  # an empty file would be a truncated one
    return scan_folder(root).index


def rgb(second: str = "20230521-095736", suffix: str = "") -> str:
    return f"rgb_{second}_W057_6144x2048{suffix}.jpg"


def thermal(second: str = "20230521-095736", suffix: str = "") -> str:
    return f"{second}_W057_right_336x252_14bit.thermal.celsius{suffix}.csv"


def record(filename: str, time: object = "2023-05-21T09:57:36.123456789Z", **meta: str) -> str:
    meta = {"filename": filename, "node": NODE, "vsn": "W057"} | meta
    url = f"https://storage.invalid/api/v1/data/1/sage-mobotix-scan/{NODE}/{filename}"
    return json.dumps({"timestamp": time, "name": "upload", "value": url, "meta": meta})


LISTED = (f"processed/{rgb()}", thermal("20230521-095737"))
