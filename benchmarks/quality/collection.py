"""What several models learn from one collection, over several seeds, beside what they have to beat.

    python benchmarks/quality/collection.py --models vicreg_vit_pico dino_vit_pico --seeds 1 2 3 4 5 \
        --out benchmarks/results/collection.json -- data=folder data.root=… data.table=…

Every run is a `python train.py` with what stands after `--`. Prints a Markdown table; the JSON holds every
run's scores and the machine.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import torch

ROOT = Path(__file__).parents[2]
TASKS = {"retrieval_rgb_to_ir": "R@1 RGB → IR", "retrieval_ir_to_rgb": "R@1 IR → RGB"}
RIVALS = ("chance", "random initialisation", "mean", "gradient grid")
SPACES = {"learned": "projection", "random initialisation": "projection"}


def scores_of(model: str, seed: int, overrides: list[str], folder: Path) -> pd.DataFrame:
    """scores.csv of one run."""
    run = folder / f"{model}-{seed}"
    command = [
        sys.executable,
        str(ROOT / "train.py"),
        f"model={model}",
        f"seed={seed}",
        f"hydra.run.dir={run}",
    ]
    subprocess.run([*command, *overrides], check=True, stdout=subprocess.DEVNULL)
    return pd.read_csv(run / "scores.csv", keep_default_na=False, na_values=["nan"])


def headline(scores: pd.DataFrame) -> dict[str, Any]:
    """Task → features → value, with the interval of what was learned."""
    found: dict[str, Any] = {}
    for task in TASKS:
        rows = scores[(scores["task"] == task) & (scores["metric"] == "r1") & (scores["subset"] == "all")]
        found[task] = {"n": int(rows["n"].iloc[0])}
        for name in ("learned", *RIVALS):
            row = rows[
                (rows["features"] == name) & rows["space"].isin([SPACES.get(name, ""), "pixels"])
            ].iloc[0]
            found[task][name] = float(row["value"])
            if name == "learned":
                found[task]["interval"] = [float(row["low"]), float(row["high"])]
    return found


def table(results: dict[str, list[dict[str, Any]]]) -> str:
    """Markdown: a line a model and direction, means over seeds."""
    seeds = len(next(iter(results.values())))
    heads = [
        "model",
        "",
        "queries",
        *RIVALS,
        f"learned, mean of {seeds} seeds",
        "least – most",
        "95 %, middle seed",
    ]
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for model, runs in results.items():
        for task, name in TASKS.items():
            here = sorted((run[task] for run in runs), key=lambda run: run["learned"])
            learned = [run["learned"] for run in here]
            rivals = [f"{sum(run[rival] for run in here) / len(here):.3f}" for rival in RIVALS]
            low, high = here[len(here) // 2]["interval"]
            cells = [model, name, str(here[0]["n"]), *rivals, f"**{sum(learned) / len(learned):.3f}**"]
            cells += [f"{learned[0]:.3f} – {learned[-1]:.3f}", f"{low:.3f} – {high:.3f}"]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="+", required=True)
    parser.add_argument("--seeds", nargs="+", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("overrides", nargs="*")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = {
            model: [headline(scores_of(model, seed, asked.overrides, Path(folder))) for seed in asked.seeds]
            for model in asked.models
        }
    machine = {
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "torch": torch.__version__,
    }
    # Where the collection lies is of no use to a reader.
    said = [text for text in asked.overrides if not text.startswith(("data.root=", "paths."))]
    content = {"seeds": asked.seeds, "overrides": said, "machine": machine, "results": results}
    asked.out.write_text(json.dumps(content, indent=1) + "\n")
    print(table(results))


if __name__ == "__main__":
    main()
