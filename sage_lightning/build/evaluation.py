"""From a checkpoint to its report."""

import logging
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.loggers import Logger

from sage_lightning.build.history import history
from sage_lightning.build.model import towers
from sage_lightning.build.objects import instantiate
from sage_lightning.build.saved import load
from sage_lightning.callbacks.pictures import log_evaluation
from sage_lightning.checkpoints import KEY, find_checkpoint, read_checkpoint
from sage_lightning.data.begun import change, earlier, trained_on
from sage_lightning.data.datamodule import PairDataModule
from sage_lightning.errors import UserError
from sage_lightning.evaluation.embedder import Embedder
from sage_lightning.evaluation.headline import print_table
from sage_lightning.evaluation.run import evaluate
from sage_lightning.evaluation.table import LEARNED
from sage_lightning.models.architecture import architecture
from sage_lightning.models.backbone import Backbone
from sage_lightning.models.towers import TwoTowers
from sage_lightning.planning.room import enough_memory_or

log = logging.getLogger("sage_lightning")


def evaluation(
    cfg: DictConfig,
    folder: Path,
    path: Path,
    data: PairDataModule,
    split: str,
    facts: dict[str, str],
    loggers: list[Logger],
) -> dict[str, float]:
    """Evaluates a checkpoint, writes the report into the folder, prints the short table.

    Args:
        cfg: of the command; its `clustering` is used.
        folder: of the run.
        path: run folder or checkpoint.
        data: what it was trained on.
        split: train, val or test.
        facts: what the report is to tell of the run.
        loggers: get the numbers and the pictures too.

    Returns:
        The learned features' headline numbers, by their names in the logs.
    """
    path = find_checkpoint(path)
    description = read_checkpoint(path)[KEY]
    if data.store.index_hash != description["data_hash"]:
        text = "The data have changed since this checkpoint%s: scores are of the data as they are now"
        before = earlier(data.store, description["data_hash"])
        log.warning(text, "" if before is None else f" ({change(before, data.store)})")
        if before is not None and (seen := trained_on(before, data.store, split)):
            raise UserError(
                f"split={split}: {path} has learned from {seen} of its pairs, which the table or data.nodes "
                "now holds out; bring the splits back, or train anew"
            )
    embedder = load(path)
    fresh = towers(OmegaConf.create(description["config"]), embedder.transform.ir_channels)
    untrained = Embedder(fresh, embedder.transform, embedder.view, embedder.device)
    with enough_memory_or(f"{path}: memory ran out in its evaluation; the checkpoint is whole"):
        found = evaluate(
            embedder,
            untrained,
            data,
            instantiate(cfg.clustering),
            split,
            folder,
            history(path.parent.parent),
            facts | _facts(description, embedder.towers, path),
        )
    metrics = {f"{split}/{name}": float(value) for name, value in found.headline[LEARNED].items()}
    for logger in loggers:
        logger.log_metrics(metrics, step=description["step"])
        log_evaluation(logger, found, step=description["step"])
        logger.finalize("success")
    print_table(found.headline)
    log.info("Report: %s", found.report)
    return metrics


def _facts(description: dict[str, Any], towers: TwoTowers, path: Path) -> dict[str, str]:
    """What the report tells of where the model comes from."""
    config = description["config"]
    return {
        "model": config["model"]["_target_"].rpartition(".")[2],
        "RGB tower": tower(towers.rgb_backbone),
        "thermal tower": tower(towers.ir_backbone),
        "global batch": str(config["data"]["batch_size"]),
        "steps": str(description["step"]),
        "checkpoint": str(path),
        "data hash": description["data_hash"],
        "versions": ", ".join(f"{name} {version}" for name, version in description["versions"].items()),
        "config": OmegaConf.to_yaml(OmegaConf.create(config)),
    }


def tower(backbone: Backbone) -> str:
    """What a tower is; a ViT by what was made, which its options may have made other than its name says."""
    if not backbone.is_vit:
        return backbone.name
    nets: list[Any] = [backbone.net, architecture(backbone.name)]
    made, named = ((net.embed_dim, len(net.blocks)) for net in nets)
    kind = backbone.name.partition("_patch")[0] if made == named else "ViT"
    return f"{kind}, {made[0]} wide, {made[1]} deep, patch {backbone.net.patch_embed.patch_size[0]} px"
