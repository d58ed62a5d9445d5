"""The whole evaluation: embeddings, numbers, clusters, figures, and one report."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from sage_lightning.batch import PairBatch
from sage_lightning.clustering.cluster import Clusterer, Clusters, cluster
from sage_lightning.data.datamodule import PairDataModule
from sage_lightning.data.store import PairStore
from sage_lightning.data.transform import decode
from sage_lightning.errors import UserError
from sage_lightning.evaluation.embedder import Embedder
from sage_lightning.evaluation.embeddings import describe_split, write_embeddings
from sage_lightning.evaluation.features import Split
from sage_lightning.evaluation.figures.sheet import Pictures
from sage_lightning.evaluation.gallery import Source, gallery
from sage_lightning.evaluation.headline import headline
from sage_lightning.evaluation.report import write_report
from sage_lightning.evaluation.scores import score_table
from sage_lightning.evaluation.table import SENSORS

LEAST_GROUPED = 30  # rows below which neither clusters nor a map mean anything
FEW_ROWS = 10_000  # up to here BLAS threads wait for each other longer than they compute
UNIT_SIGNS = {"celsius": "°C", "kelvin": "K", "counts": "counts", "display": "display value"}

Array = NDArray[Any]


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation leaves.

    Attributes:
        scores: the long table, also in scores.csv; see `evaluation.table.Row`.
        headline: the short one.
        figures: name → figure, as in the report.
        report: report.html.
        embeddings: embeddings.parquet.
    """

    scores: pd.DataFrame
    headline: pd.DataFrame
    figures: dict[str, Figure]
    report: Path
    embeddings: Path


def evaluate(
    embedder: Embedder,
    untrained: Embedder,
    datamodule: PairDataModule,
    clustering: Clusterer,
    split: str,
    output_dir: Path,
    history: pd.DataFrame | None,
    facts: dict[str, str],
) -> Evaluation:
    """Scores a split and writes embeddings.parquet, scores.csv and report.html.

    Args:
        embedder: of the trained towers.
        untrained: of the same towers with random weights.
        datamodule: gives both splits.
        clustering: any estimator with `fit_predict`.
        split: "train", "val" or "test"; on "train" there are no probes, which are fitted there.
        output_dir: exists.
        history: metrics.csv of the training run, where there was one.
        facts: name → value, for the report: one-line values head it, the others are folded under provenance.
    """
    test = describe_split(embedder, untrained, datamodule, split)
    train = test if split == "train" else describe_split(embedder, untrained, datamodule, "train")
    splits = [test] if split == "train" else [train, test]
    embeddings, report = output_dir / "embeddings.parquet", output_dir / "report.html"
    with threadpool_limits(1 if len(train.index) + len(test.index) <= FEW_ROWS else None):
        clusters = grouped(test, clustering)
        scores = score_table(train, test, clusters, read_labels=split != "train")
        source = source_of(embedder, datamodule.store, split)
        figures = gallery(scores, test, clusters, source, history)
    short = headline(scores)
    write_embeddings(embeddings, splits, {sensor: found.labels for sensor, found in clusters.items()})
    scores.to_csv(output_dir / "scores.csv", index=False)
    write_report(
        report,
        scores=scores,
        short=short,
        figures=figures,
        clusters=clusters,
        clustering=str(clustering),
        attends=source.attends,
        index=datamodule.store.index,
        split=split,
        facts=facts,
    )
    return Evaluation(scores, short, figures, report, embeddings)


def grouped(test: Split, clustering: Clusterer) -> dict[str, Clusters]:
    """Sensor → clusters of its backbone embeddings; none for a handful of rows."""
    if len(test.index) < LEAST_GROUPED:
        return {}
    try:
        return {sensor: cluster(clustering, test.learned[f"{sensor}_embedding"]) for sensor in SENSORS}
    except ValueError as error:
        raise UserError(f"clustering: {clustering} cannot group {len(test.index)} pairs: {error}") from error


def source_of(embedder: Embedder, store: PairStore, split: str) -> Source:
    """Pictures and attention maps of a split's rows, read from the store when asked for."""
    store_rows = store.rows(split)
    rgb, ir = embedder.towers.rgb_backbone, embedder.towers.ir_backbone

    def pictures(rows: list[int]) -> Pictures:
        colours, raw = store.read(store_rows[rows])
        return Pictures(colours, decode(torch.from_numpy(raw)).numpy(), UNIT_SIGNS[store.thermal_unit])

    def attention(rows: list[int]) -> tuple[Pictures, Array, Array]:
        colours, raw = store.read(store_rows[rows])
        none = torch.zeros(len(rows), dtype=torch.int64)
        pixels = torch.from_numpy(colours).permute(0, 3, 1, 2)
        batch = PairBatch(pixels, torch.from_numpy(raw), none, none, none)
        return Pictures(*embedder.shown(batch), UNIT_SIGNS[store.thermal_unit]), *embedder.attention(batch)

    return Source(pictures, attention, {"rgb": rgb.attends, "ir": ir.attends})
