"""Config → objects: the only caller of Hydra's instantiate.

First data, then model, then what watches, then the Trainer.
"""

import logging
from pathlib import Path
from typing import Any

import pandas as pd
import pytorch_lightning as pl
import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.callbacks import Callback, ModelCheckpoint
from pytorch_lightning.loggers import Logger

from sage_lightning.callbacks.describe import DescribeCheckpoint
from sage_lightning.callbacks.health import CollapseAlarm
from sage_lightning.callbacks.online import OnlineMetrics
from sage_lightning.callbacks.pictures import CropPictures, log_evaluation
from sage_lightning.callbacks.progress import TrainingProgress
from sage_lightning.checkpoints import KEY, describe, find_checkpoint, read_checkpoint
from sage_lightning.config import config_dir, resolved
from sage_lightning.data.augment import FullView
from sage_lightning.data.datamodule import PairDataModule
from sage_lightning.data.index import summary
from sage_lightning.data.prepare import prepare
from sage_lightning.data.transform import PairTransform, channel_statistics
from sage_lightning.errors import UserError
from sage_lightning.evaluation.embedder import Embedder
from sage_lightning.evaluation.headline import print_table
from sage_lightning.evaluation.run import evaluate
from sage_lightning.evaluation.table import LEARNED
from sage_lightning.methods.gather import leave_ranks
from sage_lightning.models.projector import Projector
from sage_lightning.models.towers import TwoTowers

log = logging.getLogger("sage_lightning")

# Of the model's keys, those that make its parts; the rest are its method's arguments.
PARTS = ("rgb_backbone", "ir_backbone", "projector")


def datamodule(cfg: DictConfig) -> PairDataModule:
    """The data of a run, ready: written or found, indexed, decoded into the store.

    Raises:
        UserError: if there is nothing to train on, or the global batch is larger than the training split.
    """
    data = cfg.data
    store = prepare(
        instantiate(data.source),
        cache_dir=Path(cfg.paths.data_dir),
        rgb_store_size=_pair(data.rgb_store_size),
        val=data.split.val,
        test=data.split.test,
        split_seed=data.split.seed,
        workers=data.prepare_workers,
    )
    log.info("%s", summary(store.index))
    pairs = len(store.rows("train"))
    if pairs < data.batch_size:
        raise UserError(f"data.batch_size={data.batch_size}: the training split has {pairs} pairs, no more")
    thermal = instantiate(cfg.thermal)
    ir_mean, ir_std = channel_statistics(thermal, store)
    sizes = {"rgb_size": _pair(data.rgb_size), "ir_size": _pair(data.ir_size)}
    return PairDataModule(
        store,
        PairTransform(
            thermal,
            rgb_mean=store.statistics["rgb"]["mean"],
            rgb_std=store.statistics["rgb"]["std"],
            ir_mean=ir_mean,
            ir_std=ir_std,
        ),
        train_view=instantiate(cfg.augment.view)(**sizes),
        eval_view=FullView(**sizes),
        photometric=instantiate(cfg.augment.photometric),
        batch_size=data.batch_size,
        seed=cfg.seed,
        num_workers=data.num_workers,
    )


def towers(cfg: DictConfig, ir_channels: int) -> TwoTowers:
    """The two towers with fresh weights: the same weights for the same seed."""
    torch.manual_seed(cfg.seed)
    data, model = cfg.data, cfg.model
    rgb = instantiate(model.rgb_backbone)(
        img_size=_pair(data.rgb_size), patch_size=data.rgb_patch, in_chans=3
    )
    ir = instantiate(model.ir_backbone)(
        img_size=_pair(data.ir_size), patch_size=data.ir_patch, in_chans=ir_channels
    )
    widths = list(model.projector)
    return TwoTowers(rgb, ir, Projector(rgb.num_features, widths), Projector(ir.num_features, widths))


def method(cfg: DictConfig, data: PairDataModule) -> pl.LightningModule:
    """The LightningModule: towers, and an optimiser whose schedule spans the run's steps."""
    steps_per_epoch = data.steps_per_epoch
    text = "%d steps of %d pairs an epoch; %d pairs are left out of each epoch, other ones every time"
    log.info(text, steps_per_epoch, data.batch_size, data.dropped_per_epoch)
    total = steps_per_epoch * cfg.trainer.max_epochs
    if cfg.trainer.max_steps > 0:
        total = min(total, cfg.trainer.max_steps)
    arguments = {key: value for key, value in cfg.model.items() if key not in PARTS}
    return instantiate(
        arguments,
        towers=towers(cfg, data.transform.thermal.channels),
        optimizer=instantiate(cfg.optimizer),
        schedule=instantiate(cfg.schedule)(
            steps_per_epoch=steps_per_epoch, total_steps=total, batch_size=cfg.data.batch_size
        ),
        seed=cfg.seed,
    )


def trainer(cfg: DictConfig, folder: Path, data: PairDataModule) -> pl.Trainer:
    """The Trainer, with what watches the run; all that it writes goes to the run's folder."""
    config = resolved(cfg)
    description = describe(
        kind=cfg.model._target_.rpartition(".")[2].lower(),
        architecture=config["model"],
        config=config,
        data_hash=data.store.index_hash,
        normalisation=data.transform.normalisation,
    )
    callbacks: list[Callback] = [
        TrainingProgress(),
        OnlineMetrics(),
        CollapseAlarm(**cfg.health),
        CropPictures(),
        DescribeCheckpoint(description),
        *_checkpoint_writers(folder, cfg.callbacks.checkpoint_every_n_steps),
    ]
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)  # its greetings; the bar tells the rest
    loggers = _loggers(cfg, folder)
    for logger in loggers:
        logger.log_hyperparams(config)
    return instantiate(
        cfg.trainer,
        callbacks=callbacks,
        logger=loggers,
        default_root_dir=folder,
        use_distributed_sampler=False,  # the sampler counts the ranks into the global batch by itself
        num_sanity_val_steps=0,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def fit(
    trainer: pl.Trainer, method: pl.LightningModule, data: PairDataModule, checkpoint: Path | None
) -> None:
    """Trains, from a checkpoint if there is one; a next run of this process begins afresh."""
    try:
        trainer.fit(method, datamodule=data, ckpt_path=checkpoint, weights_only=True)
    finally:
        leave_ranks()


def resume_from(cfg: DictConfig, data: PairDataModule) -> Path | None:
    """The checkpoint to go on from, None for a new run.

    Raises:
        UserError: if the data are not those that the run was begun with.
    """
    if cfg.resume is None:
        return None
    path = find_checkpoint(Path(cfg.resume))
    if read_checkpoint(path)[KEY]["data_hash"] != data.store.index_hash:
        raise UserError(f"resume={cfg.resume}: the collection's files have changed since; begin a new run")
    return path


def load(path: Path) -> Embedder:
    """The trained towers of a checkpoint, ready to embed; it knows its architecture and its normalisation.

    Args:
        path: a run folder or a checkpoint.
    """
    checkpoint = read_checkpoint(find_checkpoint(path))
    cfg = OmegaConf.create(checkpoint[KEY]["config"])
    thermal = instantiate(cfg.thermal)
    trained = towers(cfg, thermal.channels)
    prefix = "towers."
    state = checkpoint["state_dict"].items()
    weights = {name.removeprefix(prefix): tensor for name, tensor in state if name.startswith(prefix)}
    trained.load_state_dict(weights)
    transform = PairTransform(thermal, **checkpoint[KEY]["normalisation"])
    return Embedder(trained, transform, FullView(_pair(cfg.data.rgb_size), _pair(cfg.data.ir_size)))


def data_of(path: Path, data_dir: str | None) -> PairDataModule:
    """The data that a checkpoint was trained on.

    Args:
        path: run folder or checkpoint.
        data_dir: where they are cached now; None for where they were.
    """
    cfg = OmegaConf.create(read_checkpoint(find_checkpoint(path))[KEY]["config"])
    if data_dir is not None:
        cfg.paths.data_dir = str(Path(data_dir).absolute())
    return datamodule(cfg)


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
        log.warning("The data have changed since this checkpoint: scores are of the data as they are now")
    embedder = load(path)
    fresh = towers(OmegaConf.create(description["config"]), embedder.transform.thermal.channels)
    untrained = Embedder(fresh, embedder.transform, embedder.view)
    history = path.parent.parent / "metrics.csv"
    found = evaluate(
        embedder,
        untrained,
        data,
        instantiate(cfg.clustering),
        split,
        folder,
        pd.read_csv(history) if history.is_file() else None,
        facts | _facts(description, path),
    )
    metrics = {f"{split}/{name}": float(value) for name, value in found.headline[LEARNED].items()}
    for logger in loggers:
        logger.log_metrics(metrics, step=description["step"])
        log_evaluation(logger, found, step=description["step"])
        logger.finalize("success")
    print_table(found.headline)
    log.info("Report: %s", found.report)
    return metrics


def _checkpoint_writers(folder: Path, every_n_steps: int) -> list[Callback]:
    """`last.ckpt`, renewed every so many steps and at each epoch's end."""
    where: dict[str, Any] = {
        "dirpath": folder / "checkpoints",
        "filename": "last",
        "enable_version_counter": False,
        "save_top_k": 1,
    }
    return [
        ModelCheckpoint(every_n_train_steps=every_n_steps, **where),
        ModelCheckpoint(every_n_epochs=1, save_on_train_epoch_end=True, **where),
    ]


def _loggers(cfg: DictConfig, folder: Path) -> list[Logger]:
    """CSV first and always, then those that are asked for."""
    chosen = {"csv": OmegaConf.load(config_dir() / "logger" / "csv.yaml").csv} | dict(cfg.logger)
    return [instantiate(logger)(save_dir=folder) for logger in chosen.values()]


def _pair(size: Any) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def _facts(description: dict[str, Any], path: Path) -> dict[str, str]:
    """What the report tells of where the model comes from."""
    config = description["config"]
    return {
        "model": config["model"]["_target_"].rpartition(".")[2],
        "towers": " and ".join(config["model"][f"{sensor}_backbone"]["name"] for sensor in ("rgb", "ir")),
        "patches": " and ".join(str(config["data"][f"{sensor}_patch"]) for sensor in ("rgb", "ir")) + " px",
        "global batch": str(config["data"]["batch_size"]),
        "steps": str(description["step"]),
        "checkpoint": str(path),
        "data hash": description["data_hash"],
        "versions": ", ".join(f"{name} {version}" for name, version in description["versions"].items()),
        "config": OmegaConf.to_yaml(OmegaConf.create(config)),
    }
