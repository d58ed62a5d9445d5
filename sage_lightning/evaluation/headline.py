"""The few numbers that say whether a run has learned something, each beside what it must beat."""

import sys
from collections.abc import Collection

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table

from sage_lightning.evaluation.labels import is_size
from sage_lightning.evaluation.table import (
    BACKBONE,
    CHANCE,
    FEATURES,
    GRADIENTS,
    LEARNED,
    MEAN,
    MEAN_SPREAD,
    PIXELS,
    PROJECTION,
    RANDOM,
    pick,
)

ARROWS = {"rgb_to_ir": "RGB→IR", "ir_to_rgb": "IR→RGB"}
MOST_LABEL_LINES = 4
LOG_WIDTH = 120  # characters, where there is no terminal to ask
HEADS = {RANDOM: "random\ninit", MEAN_SPREAD: "mean,\nspread", GRADIENTS: "gradient\ngrid"}


def headline(scores: pd.DataFrame) -> pd.DataFrame:
    """At most ten lines: `what`, `n`, a column a feature set (NaN where it has no number), `95 %` of learned.

    Retrieval is that of the projections, which the loss aligns; read-outs are those of the thermal backbone.
    The index has each line's name in the vocabulary of the logs, such as "probe_cloud_fraction_r2_night".
    """
    lines = []
    subsets = [subset for subset in ("day", "night") if subset in set(scores["subset"])] or ["all"]
    for subset in subsets:
        for direction, arrow in ARROWS.items():
            lines.append(
                (
                    f"retrieval_within_position_{direction}",
                    subset,
                    "",
                    "r1",
                    f"R@1 in position, {subset}, {arrow}",
                )
            )
    for direction, arrow in ARROWS.items():
        lines.append((f"retrieval_{direction}", "all", "", "r1", f"R@1 whole split, {arrow}"))
    lines += _label_lines(scores)
    found = {_name(*line[:4]): _line(scores, *line) for line in lines}
    rows = {name: line for name, line in found.items() if line is not None}
    return pd.DataFrame(rows.values(), index=list(rows), columns=["what", "n", *FEATURES, "95 %"])


def print_table(
    table: pd.DataFrame,
    title: str = "",
    caption: str = "",
    numbers: Collection[str] = (),
    whole: Collection[str] = (),
) -> None:
    """Prints a small table; numbers to three decimals, a dash where there is none.

    Args:
        table: what is shown.
        title: above it.
        caption: below it.
        numbers: columns of numbers that are written out already.
        whole: columns whose cells are never broken; where there is no room for them they are cut.
    """
    shown = Table(
        title=title or None,
        title_justify="left",
        title_style="bold",
        caption=caption or None,
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        header_style="bold",
    )
    for column in table.columns:
        numeric = column in numbers or pd.api.types.is_numeric_dtype(table[column])
        shown.add_column(
            HEADS.get(column, str(column)),
            justify="right" if numeric else "left",
            overflow="fold",
            no_wrap=column in whole,
        )
    for values in table.itertuples(index=False):
        shown.add_row(*(_text(value) for value in values))
    # Cells hold what users call things, brackets included.
    console = Console(width=None if sys.stdout.isatty() else LOG_WIDTH, markup=False, emoji=False)
    console.print(shown)


def _label_lines(scores: pd.DataFrame) -> list[tuple[str, str, str, str, str]]:
    """Cloud fraction by day and night where it is known, otherwise the collection's first labels."""
    probes = scores[(scores["task"] == "probe") & scores["metric"].isin(["r2", "accuracy"])]
    clouds = pick(probes, label="cloud_fraction")
    shown = probes[~probes["label"].map(is_size).astype(bool)]
    chosen = clouds if not clouds.empty else pick(shown, subset="all")
    keys = chosen[["label", "subset", "metric"]].drop_duplicates().head(MOST_LABEL_LINES)
    name = {"r2": "R²", "accuracy": "accuracy"}
    return [
        ("probe", subset, label, metric, f"{name[metric]} {label.replace('_', ' ')} from IR, {subset}")
        for label, subset, metric in keys.itertuples(index=False)
    ]


def _name(task: str, subset: str, label: str, metric: str) -> str:
    return "_".join(part for part in (task, label, metric, "" if subset == "all" else subset) if part)


def _line(
    scores: pd.DataFrame, task: str, subset: str, label: str, metric: str, what: str
) -> dict[str, str | float] | None:
    found = pick(scores, task=task, subset=subset, label=label, metric=metric)
    found = found[found["sensor"].isin(["", "ir"])]
    if found.empty:
        return None
    learned_space = BACKBONE if task == "probe" else PROJECTION
    spaces = {LEARNED: learned_space, RANDOM: learned_space, CHANCE: ""}
    spaces |= dict.fromkeys((MEAN, MEAN_SPREAD, GRADIENTS), PIXELS)
    line: dict[str, str | float] = {"what": what, "n": int(found["n"].max())}
    for features in FEATURES:
        value = pick(found, features=features, space=spaces[features])["value"]
        line[features] = float(value.iloc[0]) if len(value) else float("nan")
    learned = pick(found, features=LEARNED, space=learned_space).iloc[0]
    line["95 %"] = "–" if pd.isna(learned["low"]) else f"{learned['low']:.3f} – {learned['high']:.3f}"
    return line


def _text(value: object) -> str:
    if isinstance(value, float):
        return "–" if pd.isna(value) else f"{round(value, 3) + 0.0:.3f}"
    return str(value)
