"""The report's sections: what each number is, in plain words, beside the tables and figures that show it."""

import pandas as pd

from sage_lightning.clustering.cluster import Clusters
from sage_lightning.evaluation.figures.style import SENSOR_NAMES
from sage_lightning.evaluation.known import Known
from sage_lightning.evaluation.labels import CONFOUNDS
from sage_lightning.evaluation.page import Picture, Section, Table
from sage_lightning.evaluation.table import (
    BACKBONE,
    CHANCE,
    FEATURES,
    LEARNED,
    PROJECTION,
    RANDOM,
    SENSORS,
    pick,
)

NOTHING = "–"
SCOPES = {"retrieval_within_position": "Within one (node, position)", "retrieval": "Over the whole split"}
ARROWS = {"rgb_to_ir": "RGB → IR", "ir_to_rgb": "IR → RGB"}


def number(value: float, digits: int = 3) -> str:
    """A cell's text."""
    return NOTHING if pd.isna(value) else f"{round(value, digits) + 0.0:.{digits}f}"  # no -0.000


def claim(short: pd.DataFrame, scores: pd.DataFrame, known: Known) -> Section:
    """The headline table, in words whether it holds, and how much it may owe to where the camera points.

    Args:
        short: the headline.
        scores: the table.
        known: what is known of the scored pairs.
    """
    columns = ["", "n", *FEATURES, "95 %"]
    rows = [
        [line["what"], str(line["n"]), *(number(line[name]) for name in FEATURES), line["95 %"]]
        for line in short.to_dict("records")
    ]
    text = [
        *verdicts(short),
        *confound(scores),
        "Every line sets what was learned beside what it has to beat: chance, the same "
        "towers with random weights, and features that need no learning.",
    ]
    caption = (
        "R@1: share of queries whose own partner comes first; retrieval is by the projections, in which the "
        "towers learn to agree. Read-outs are linear probes of the thermal backbone's embedding. 95 %: "
        f"interval of what was learned, over {known.intervals}."
    )
    return Section("claim", "What it learned", text, [Table(columns, rows, columns.index(LEARNED), caption)])


def verdicts(short: pd.DataFrame) -> list[str]:
    """In words: the first retrieval line, and how many lines stand above everything that is free."""
    if short.empty:
        return []
    rivals = short[[name for name in FEATURES if name != LEARNED]]
    ahead = int((short[LEARNED] > rivals.max(axis=1)).sum())
    said = f"Learned features lead in {ahead} of {len(short)} lines."
    first = short.iloc[0]
    if str(first["what"]).startswith("R@1"):
        best = str(rivals.iloc[0].drop(CHANCE).idxmax())
        said = (
            f"{first['what']}: {100 * first[LEARNED]:.1f} %, {first[LEARNED] / first[CHANCE]:.1f} times "
            f"chance; the best of what is free, {best}, reaches {100 * first[best]:.1f} %. {said}"
        )
    return [said]


def confound(scores: pd.DataFrame) -> list[str]:
    """How well the position is read from each embedding, in words; nothing where no position is known."""
    found = pick(scores, task="probe", label="position", metric="accuracy", subset="all")
    if found.empty:
        return []
    chance = float(pick(found, features=CHANCE)["value"].iloc[0])
    told = []
    for sensor in SENSORS:
        learned, random = (
            float(pick(found, sensor=sensor, features=features, space=BACKBONE)["value"].iloc[0])
            for features in (LEARNED, RANDOM)
        )
        told.append(
            f"{100 * learned:.0f} % from {SENSOR_NAMES[sensor]} (random weights {100 * random:.0f} %)"
        )
    return [
        f"Confound: a linear probe reads the camera's position from the embedding, right in "
        f"{' and '.join(told)}; chance is {100 * chance:.0f} %. The more it does, the less a score over the "
        "whole split says of content: trust those within one position."
    ]


def retrieval(scores: pd.DataFrame, pictures: list[Picture]) -> Section:
    """The dots, and R@1, R@5, R@10 and the median rank of every feature set."""
    tables = []
    for scope, title in SCOPES.items():
        found = scores[scores["task"].isin([f"{scope}_{direction}" for direction in ARROWS])]
        found = pick(found, subset="all")
        if found.empty:
            continue
        rows = []
        for name, space in found[["features", "space"]].drop_duplicates().itertuples(index=False):
            cells = []
            for direction in ARROWS:
                part = pick(found, task=f"{scope}_{direction}", features=name, space=space)
                values = part.set_index("metric")["value"]
                cells += [number(values.get(metric, float("nan"))) for metric in ("r1", "r5", "r10")]
                cells.append(number(values.get("median_rank", float("nan")), 1))
            rows.append([f"{name}, {space}" if space else name, *cells])
        size = pick(found, metric="gallery_size").iloc[0]
        heads = [
            f"{arrow} {measure}"
            for arrow in ARROWS.values()
            for measure in ("R@1", "R@5", "R@10", "median rank")
        ]
        caption = f"{title}: {size['n']} queries, gallery of {size['value']:.0f} on average"
        if scope == "retrieval_within_position":
            whole = pick(scores, task="retrieval_rgb_to_ir", subset="all", metric="gallery_size").iloc[0]
            if left_out := whole["n"] - size["n"]:
                caption += f"; left out are {left_out} whose position is not known, or has no other"
        tables.append(Table(["", *heads], rows, caption=caption))
    within = scores["task"].str.startswith("retrieval_within_position").any()
    text = [
        "A query is one sensor's picture; the gallery holds the other sensor's. "
        + (
            "Within one (node, position) every frame has the same background, so only weather, light and "
            "passing objects tell frames apart: this is the measure of content. Over the whole split, "
            "knowing where the camera points helps. "
            if within
            else "Where cameras pointed is not known here, so the gallery is the whole split. "
        )
        + "Ties count by their expected rank. Backbone spaces of two towers are not aligned with each other."
    ]
    return Section("retrieval", "Retrieval", text, tables, pictures)


def readouts(scores: pd.DataFrame, known: Known, pictures: list[Picture]) -> Section:
    """Probes and kNN on the label columns.

    Args:
        scores: the table.
        known: what is known of the pairs.
        pictures: dots.
    """
    found = scores[scores["task"].isin(["probe", "knn"]) & scores["metric"].isin(["r2", "accuracy"])]
    rows = []
    for label, subset, metric in (
        found[["label", "subset", "metric"]].drop_duplicates().itertuples(index=False)
    ):
        here = pick(found, label=label, subset=subset, metric=metric)
        cells = []
        for sensor in SENSORS:
            for task in ("probe", "knn"):
                for features in (LEARNED, RANDOM):
                    keys = {"sensor": sensor, "task": task, "features": features, "space": BACKBONE}
                    value = pick(here, **keys)["value"]
                    cells.append(number(float(value.iloc[0])) if len(value) else NOTHING)
        chance = float(pick(here, features=CHANCE)["value"].iloc[0])
        name = label.replace("_", " ") + ("" if subset == "all" else f", {subset}")
        rows.append([name, "R²" if metric == "r2" else "accuracy", number(chance), *cells])
    heads = [
        f"{SENSOR_NAMES[sensor]} {task}{'' if features == LEARNED else ', random'}"
        for sensor in SENSORS
        for task in ("probe", "kNN")
        for features in (LEARNED, RANDOM)
    ]
    bunches = "local days" if known.days else "pairs"
    text = [
        "How much of what is known of a pair can be read straight out of the frozen backbone's embedding: a "
        "linear probe (fitted on the training split, its penalty chosen by cross-validation over "
        f"{bunches}) and 20 nearest neighbours."
    ]
    if there := [name for name in CONFOUNDS if (found["label"] == name).any()]:
        text[0] += (
            f" {' and '.join(there).capitalize()} {'are' if len(there) > 1 else 'is'} the confound: what a "
            "model would learn that knows where it points instead of what it sees."
        )
    tables = [Table(["label", "measure", "chance", *heads], rows)] if rows else []
    return Section("readouts", "Read-outs", text, tables, pictures)


def health(scores: pd.DataFrame) -> Section:
    """Signs of collapse."""
    found = pick(scores, task="health")
    heads = {"rankme": "RankMe", "std": "spread (1 is isotropic)", "uniformity": "uniformity"}
    rows = []
    for features in (LEARNED, RANDOM):
        for space in (BACKBONE, PROJECTION):
            for sensor in SENSORS:
                part = pick(found, features=features, space=space, sensor=sensor).set_index("metric")["value"]
                cells = [number(part.get(metric, float("nan")), 2) for metric in heads]
                rows.append([f"{SENSOR_NAMES[sensor]} {space}, {features}", *cells])
    between = {"cka": "linear CKA", "alignment": "alignment (0 is best)", "modality_gap": "modality gap"}
    pairs = []
    for features in (LEARNED, RANDOM):
        for space in (BACKBONE, PROJECTION):
            part = pick(found, features=features, space=space, sensor="").set_index("metric")["value"]
            cells = [number(part.get(metric, float("nan"))) for metric in between]
            pairs.append([f"{space}, {features}", *cells])
    text = ["RankMe is the number of dimensions in use; a collapsed embedding has few, and no spread."]
    tables = [Table(["", *heads.values()], rows), Table(["between the sensors", *between.values()], pairs)]
    return Section("health", "Health", text, tables)


def clusters(scores: pd.DataFrame, found: dict[str, Clusters], how: str, pictures: list[Picture]) -> Section:
    """How the embeddings group, and what the groups follow."""
    rows = []
    for sensor, part in found.items():
        sizes = f"{min(part.sizes)} – {max(part.sizes)}" if part.sizes else NOTHING
        rows.append(
            [SENSOR_NAMES[sensor], str(len(part.sizes)), sizes, str(part.noise), number(part.silhouette, 2)]
        )
    tables = [Table(["sensor", "clusters", "sizes", "noise", "silhouette"], rows)]
    nmi = pick(scores, task="clustering", metric="nmi")
    if not nmi.empty:
        table = nmi.pivot_table(index="label", columns="sensor", values="value", sort=False)
        heads = [f"NMI, {SENSOR_NAMES[sensor]}" for sensor in table.columns]
        cells = [
            [label.replace("_", " "), *map(number, line)]
            for label, line in zip(table.index, table.to_numpy(), strict=True)
        ]
        tables.append(Table(["agreement with", *heads], cells))
    text = [
        f"{how} on each sensor's backbone embedding of this split (L2-normalised, 32 principal components). "
        "NMI tells what the groups follow"
        + (
            ": much agreement with position means that they sort by pointing."
            if (nmi["label"] == "position").any()
            else "."
        )
    ]
    return Section("clusters", "Clusters", text, tables, pictures)


def provenance(facts: dict[str, str]) -> Section:
    """Everything needed to make the run again: short facts in a table, long ones folded."""
    short = {name: value for name, value in facts.items() if "\n" not in value}
    long = {name: value for name, value in facts.items() if "\n" in value}
    rows = [[name, value] for name, value in short.items()]
    return Section("provenance", "Provenance", [], [Table(["what", ""], rows)] if rows else [], folded=long)
