"""What is learned in equal time: ours beside what one would assemble from Lightly, over several seeds.

    pip install -e '.[rivals]'
    python benchmarks/quality.py --collection DIR --table labels.csv \
        --columns rgb=visible ir=thermal split=split_grouped --minutes 1 --seeds 1 2 3 4 5
    python benchmarks/quality.py --trials …   # what recipes were chosen by: scored on validation pairs

The simulated camera comes of itself; a collection of aligned pairs is added by its folder and its table. Two
runs go side by side (--jobs), of one thread each. Minutes are of a process's own time: whatever else the
machine does, both get as much. What has been run is kept and not run again.

Writes benchmarks/results/quality.json (--out), run by run, and prints a Markdown table.
"""

import argparse
import json
import logging
import multiprocessing
import os
import warnings
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported

import torch
from contest.clock import Budget
from contest.learners import LEARNERS, Assembly, spaces
from contest.recipes import RECIPES, TRIALS
from contest.scores import SPACES, bunches, centred, hits, means, unlearned
from contest.table import contest_table, trials_table
from hydra import compose, initialize_config_dir
from measure.clock import RESULTS, machine
from omegaconf import DictConfig

from sage_lightning.build.data import datamodule
from sage_lightning.build.model import towers
from sage_lightning.config import config_dir

CENTRED = 512  # training pairs that a sensor's mean is of
VALIDATION = ["data.split.val=0.35", "data.split.deal=[val]"]  # of the training pairs, for trials


def config(overrides: list[str]) -> DictConfig:
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        return compose("train", overrides)


def key_of(run: dict[str, Any]) -> str:
    return f"{run['collection']}; {run['who']}; {run['recipe']}; seed {run['seed']}"


def quiet() -> None:
    warnings.filterwarnings("ignore")
    for name in ("pytorch_lightning", "lightning_fabric", "lightning", "sage_lightning"):
        logging.getLogger(name).setLevel(logging.ERROR)
    torch.set_num_threads(1)


def contest(run: dict[str, Any], base: list[str], split: str) -> dict[str, Any]:
    """One run: what it took, the hits of what it learned, and R@1 of the same towers at random."""
    quiet()
    cfg = config([*base, *run["overrides"], f"seed={run['seed']}"])
    data = datamodule(cfg)
    index = data.split_index(split)
    budget = Budget(run["minutes"] * 60)
    steps, learned = LEARNERS[run["who"]](cfg, data, budget)
    used = budget.used
    fresh = (Assembly if run["who"] == "Lightly" else towers)(cfg, data.transform.ir_channels)
    found: dict[str, Any] = run | {"steps": steps, "seconds": round(used, 1)}
    for kind, module in (("hits", learned), ("random", fresh)):
        features = spaces(module, data, split)
        features |= centred(features, spaces(module, data, "train", CENTRED))
        found[kind] = {space: hits(features, space, index) for space in SPACES}
    found["random"] = {space: means(of) for space, of in found["random"].items()}
    return found


def beside(overrides: list[str], split: str) -> dict[str, Any]:
    """What needs no learning, and the bunches that queries are drawn in."""
    quiet()
    data = datamodule(config(overrides))
    return unlearned(data, split) | {"bunches": bunches(data.split_index(split))}


class Kept:
    """Results in a file, a line a run, so that a run that is there is not run again."""

    def __init__(self, path: Path, about: dict[str, Any]) -> None:
        self.path = path
        there = json.loads(path.read_text()) if path.is_file() else {}
        self.runs: dict[str, Any] = there.get("runs", {})
        self.about = about

    def has(self, run: dict[str, Any]) -> bool:
        """Whether this run is there, of the same recipe and as long."""
        there = self.runs.get(key_of(run))
        return there is not None and all(there.get(name) == value for name, value in run.items())

    def add(self, key: str, result: Any) -> None:
        self.runs[key] = result
        lines = ",\n".join(
            f"  {json.dumps(key)}: {json.dumps(run, separators=(',', ':'))}" for key, run in self.runs.items()
        )
        head = "".join(f" {json.dumps(name)}: {json.dumps(value)},\n" for name, value in self.about.items())
        self.path.parent.mkdir(exist_ok=True, parents=True)
        self.path.write_text(f'{{\n{head} "runs": {{\n{lines}\n }}\n}}\n')


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--collection", help="folder of aligned pairs")
    parser.add_argument("--table", default="labels.csv", help="in that folder, a row a pair")
    parser.add_argument("--columns", nargs="+", default=[], metavar="KEY=NAME", help="as of data.columns")
    parser.add_argument(
        "--collections", nargs="+", default=["pairs", "simulated"], choices=["pairs", "simulated"]
    )
    parser.add_argument("--minutes", type=float, default=2.0, help="of processor time, a run")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3, 4, 5])
    parser.add_argument("--jobs", type=int, default=2, help="runs side by side")
    parser.add_argument("--trials", action="store_true", help="what was tried, on validation pairs")
    parser.add_argument("--cache", default="cache", help="for what is decoded")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    out = asked.out or RESULTS / ("quality_trials.json" if asked.trials else "quality.json")
    columns = [f"data.columns.{column}" for column in asked.columns]
    where = {
        "simulated": [],
        "pairs": ["data=folder", f"data.root={asked.collection}", f"data.table={asked.table}", *columns],
    }
    split, recipes = ("val", TRIALS) if asked.trials else ("test", RECIPES)
    there = {"simulated"} | ({"pairs"} if asked.collection else set())
    chosen = [name for name in asked.collections if name in there & recipes.keys()]
    about = {"machine": machine("float32", threads=2), "minutes": asked.minutes, "seeds": asked.seeds}
    kept = Kept(out, about | {"split": split, "recipes": recipes})
    base = {name: [*where[name], f"paths.data_dir={asked.cache}"] for name in chosen}
    if asked.trials and "pairs" in base:
        base["pairs"] += VALIDATION
    runs = [
        {"collection": name, "who": who, "recipe": list(labelled)[turn], "seed": seed}
        | {"minutes": asked.minutes, "overrides": list(labelled.values())[turn]}
        for turn in range(max(len(labelled) for name in chosen for labelled in recipes[name].values()))
        for name in chosen
        for seed in asked.seeds
        for who, labelled in recipes[name].items()
        if turn < len(labelled)
    ]
    # The system's scheduler shares out by session: without one of its own, two processes would count as one.
    with ProcessPoolExecutor(asked.jobs, multiprocessing.get_context("spawn")) as pool:
        for name in chosen:
            if name not in kept.runs:
                kept.add(name, pool.submit(beside, base[name], split).result())
        running = [
            pool.submit(contest, run, base[run["collection"]], split) for run in runs if not kept.has(run)
        ]
        for future in as_completed(running):
            found = future.result()
            kept.add(key_of(found), found)
            print(f"{key_of(found)}: {found['steps']} steps", flush=True)
    print(trials_table(kept.runs) if asked.trials else contest_table(kept.runs))


if __name__ == "__main__":
    main()
