"""One table over the trials of a sweep."""

import json
from pathlib import Path
from typing import Any

import pandas as pd


def trials_table(sweep_dir: Path) -> pd.DataFrame:
    """A line a trial: its number, what it overrides, how it went, its metrics; also written as `trials.csv`.

    Args:
        sweep_dir: holds numbered folders; each tells of itself in `summary.json`, with overrides, metrics,
            seconds and status. A folder without one never got as far as its start.
    """
    rows: list[dict[str, Any]] = []
    folders = [folder for folder in sweep_dir.iterdir() if folder.is_dir() and folder.name.isdecimal()]
    for folder in sorted(folders, key=lambda folder: int(folder.name)):
        summary = folder / "summary.json"
        told: dict[str, Any] = (
            json.loads(summary.read_text()) if summary.exists() else {"status": "not started"}
        )
        overrides = dict(_split(override) for override in told.get("overrides", []))
        rows.append(
            {"trial": int(folder.name), **overrides, "status": told["status"]}
            | {"seconds": told.get("seconds", float("nan"))}
            | told.get("metrics", {})
        )
    table = pd.DataFrame(rows)
    table.to_csv(sweep_dir / "trials.csv", index=False)
    return table


def _split(override: str) -> tuple[str, str]:
    key, _, value = override.partition("=")
    return key, value
