"""Embeddings of a split: computed in one pass over the store, and written as Parquet."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sage_lightning.data.datamodule import PairDataModule
from sage_lightning.data.transform import decode
from sage_lightning.evaluation.baselines import pixel_features
from sage_lightning.evaluation.embedder import Embedder
from sage_lightning.evaluation.features import Split
from sage_lightning.progress import track

Array = NDArray[Any]

BATCH = 128


def describe_split(embedder: Embedder, untrained: Embedder, datamodule: PairDataModule, split: str) -> Split:
    """Learned, random and pixel features of a split, each pair once and in the index's order.

    Both embedders have one transform, so views are made once.
    """
    loader = datamodule.split_loader(split, BATCH)
    parts: dict[str, list[dict[str, Array]]] = {"learned": [], "random": [], "pixels": []}
    rows: list[Array] = []
    for batch in track(loader, f"Embedding {split}", total=len(loader)):
        seen = embedder.views(batch)
        rows.append(batch.row.numpy())
        parts["learned"].append(embedder.embed_views(seen))
        parts["random"].append(untrained.embed_views(seen))
        pixels = pixel_features(batch.rgb, decode(batch.ir))
        parts["pixels"].append({key: value.numpy() for key, value in pixels.items()})
    joined = {
        source: {key: np.concatenate([part[key] for part in batches]) for key in batches[0]}
        for source, batches in parts.items()
    }
    index = datamodule.split_index(split)
    if not np.array_equal(np.concatenate(rows), np.arange(len(index))):
        raise RuntimeError(f"the {split} loader did not give every row of its index once and in order")
    return Split(index, **joined, widths=embedder.widths)


def write_embeddings(path: Path, splits: list[Split], clusters: dict[str, Array]) -> None:
    """One row a pair: the index's columns, four float32 vectors, and the clusters of the last split's rows.

    Args:
        path: of the Parquet file.
        splits: in order.
        clusters: sensor → labels of the last split's rows; null elsewhere.
    """
    tables = []
    for split in splits:
        columns = {key: fixed_size_list(value) for key, value in split.learned.items()}
        for sensor, labels in clusters.items():
            last = split is splits[-1]
            columns[f"{sensor}_cluster"] = pa.array(labels if last else [None] * len(split.index), pa.int32())
        table = pa.Table.from_pandas(split.index, preserve_index=False)
        for name, column in columns.items():
            table = table.append_column(name, column)
        tables.append(table)
    pq.write_table(pa.concat_tables(tables, promote_options="permissive"), path)


def fixed_size_list(vectors: Array) -> pa.FixedSizeListArray:
    """(N, D) float32 as an Arrow column; `np.stack(df["rgb_embedding"])` gives it back."""
    return pa.FixedSizeListArray.from_arrays(pa.array(vectors.astype(np.float32).ravel()), vectors.shape[1])
