"""The results as Markdown: of a contest, who is ahead and how surely; of trials, what each reached."""

from typing import Any

import numpy as np

from contest.scores import DIRECTIONS, SPACES, difference

HEADS = (
    "collection, recipe of ours",
    "R@1",
    "space",
    "queries",
    "chance",
    "random weights",
    "gradient grid",
    "Lightly",
    "ours",
    "ours − Lightly, 95 %",
    "seeds surely ahead",
    "ours − gradient grid, 95 %",
)
OURS, THEIRS = "ours", "Lightly"


def contest_rows(runs: dict[str, Any]) -> list[list[str]]:
    """A row a collection, recipe of ours, scope, direction and space, over the seeds that both have run.

    "better" or "worse" where the interval leaves out 0.
    """
    learned = [run for run in runs.values() if "who" in run]
    recipes = dict.fromkeys((run["collection"], run["recipe"]) for run in learned if run["who"] == OURS)
    rows = []
    for collection, recipe in recipes:
        here = [run for run in learned if run["collection"] == collection]
        of = {
            OURS: {run["seed"]: run for run in here if run["who"] == OURS and run["recipe"] == recipe},
            THEIRS: {run["seed"]: run for run in here if run["who"] == THEIRS},
        }
        seeds = sorted(of[OURS].keys() & of[THEIRS].keys())
        both = {who: [found[seed] for seed in seeds] for who, found in of.items()}
        beside = runs[collection]
        for scope, bunch in beside["bunches"].items() if seeds else ():
            for name in DIRECTIONS:
                named = f"{collection}, {recipe}"
                rows += [_row(named, beside, both, scope, name, space, bunch) for space in SPACES]
    return rows


def _row(
    collection: str,
    beside: dict[str, Any],
    of: dict[str, Any],
    scope: str,
    name: str,
    space: str,
    bunch: list[int],
) -> list[str]:
    found = {who: [run["hits"][space][scope] for run in runs] for who, runs in of.items()}
    random = [run["random"][space][scope][name] for run in of[OURS]]
    ahead = difference(found[OURS], found[THEIRS], name, bunch)
    grid_hits = beside["gradient grid"][scope]
    over_grid = difference(found[OURS], [grid_hits] * len(found[OURS]), name, bunch)
    surely = sum(seed[1] > 0 for seed in ahead["seeds"])
    return [
        collection,
        f"{scope}, {name}",
        space,
        str(len(bunch)),
        f"{beside['chance'][scope]:.3f}",
        f"{np.mean(random):.3f}",
        f"{np.mean(grid_hits[name]):.3f}",
        *(_spread([float(np.mean(run[name])) for run in found[who]]) for who in (THEIRS, OURS)),
        _judged(ahead),
        f"{surely} of {len(ahead['seeds'])}",
        _judged(over_grid),
    ]


def _judged(found: dict[str, Any]) -> str:
    low, high = found["pooled"]
    verdict = "**better**" if low > 0 else "worse" if high < 0 else "open"
    return f"{found['mean']:+.3f} ({low:+.3f} – {high:+.3f}) {verdict}"


def _spread(values: list[float]) -> str:
    return f"{np.mean(values):.3f} ({min(values):.3f} – {max(values):.3f})"


def contest_table(runs: dict[str, Any]) -> str:
    return _markdown(HEADS, contest_rows(runs))


def trials_table(runs: dict[str, Any]) -> str:
    """A row a trial, means of both directions, by the scope that was searched first."""
    rows = []
    for run in runs.values():
        if "who" not in run:
            continue
        scope = list(run["hits"][SPACES[0]])[-1]
        reached = [np.mean([np.mean(v) for v in run["hits"][space][scope].values()]) for space in SPACES]
        rows.append(
            [run["collection"], run["who"], run["recipe"], str(run["steps"]), *(f"{r:.3f}" for r in reached)]
        )
    return _markdown(("collection", "who", "trial", "steps", *SPACES), rows)


def _markdown(heads: tuple[str, ...], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
