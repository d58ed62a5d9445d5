"""The Trainer, what watches it, where it logs; starting a run and going on with one."""

import logging
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.callbacks import Callback, ModelCheckpoint
from pytorch_lightning.loggers import Logger
from pytorch_lightning.plugins.io import TorchCheckpointIO
from pytorch_lightning.strategies import DDPStrategy, Strategy

from sage_lightning.build.data import datamodule
from sage_lightning.build.model import rests, total_steps
from sage_lightning.build.objects import instantiate
from sage_lightning.callbacks.describe import DescribeCheckpoint
from sage_lightning.callbacks.health import HealthAlarms
from sage_lightning.callbacks.online import OnlineMetrics
from sage_lightning.callbacks.pictures import CropPictures
from sage_lightning.callbacks.progress import TrainingProgress
from sage_lightning.checkpoints import KEY, describe, find_checkpoint, read_checkpoint, write_checkpoint
from sage_lightning.config import config_dir, resolved
from sage_lightning.data.datamodule import PairDataModule
from sage_lightning.errors import UserError
from sage_lightning.methods.gather import leave_ranks
from sage_lightning.planning.room import out_of_memory


def trainer(cfg: DictConfig, folder: Path, data: PairDataModule) -> pl.Trainer:
    """The Trainer, with what watches the run; all that it writes goes to the run's folder.

    Raises:
        UserError: a tower rests, and the strategy says that none does.
    """
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
        HealthAlarms(**cfg.health),
        CropPictures(),
        DescribeCheckpoint(description),
        *_checkpoint_writers(folder, cfg.callbacks.checkpoint_every_n_steps),
    ]
    for name in ("pytorch_lightning", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)  # its greetings; the bar tells the rest
    loggers = _loggers(cfg, folder)
    for logger in loggers:
        logger.log_hyperparams(config)
    made: pl.Trainer = instantiate(
        cfg.trainer,
        callbacks=callbacks,
        plugins=[_WholeCheckpoints()],
        logger=loggers,
        default_root_dir=folder,
        use_distributed_sampler=False,  # the sampler counts the ranks into the global batch by itself
        num_sanity_val_steps=0,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    if rests(cfg):
        _tell_of_rest(made.strategy, str(cfg.trainer.strategy))
    return made


def _tell_of_rest(strategy: Strategy, given: str) -> None:
    """DDP stops a run in which parameters go without a gradient, unless it is told before it takes the model.

    What is asked is the strategy itself: `auto`, too, becomes DDP where there are several devices or nodes.

    Raises:
        UserError: the strategy given by name says that nothing rests.
    """
    if not isinstance(strategy, DDPStrategy):
        return
    if not strategy._ddp_kwargs.setdefault("find_unused_parameters", True):
        raise UserError(
            f"trainer.strategy={given}: with this model.direction a tower rests, and DDP then stops the run; "
            "use ddp or ddp_fork"
        )


class _WholeCheckpoints(TorchCheckpointIO):
    """Lightning's own writer moves the file from the system's temporary folder, which may be a slow copy."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Called on the rank that writes."""
        write_checkpoint(checkpoint, Path(path))


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


def fit(
    trainer: pl.Trainer, method: pl.LightningModule, data: PairDataModule, checkpoint: Path | None
) -> None:
    """Trains, from a checkpoint if there is one; a next run of this process begins afresh.

    Raises:
        UserError: a version that let other parameters decay has begun the run.
    """
    if checkpoint is not None:
        _check_groups(method, checkpoint)
    try:
        trainer.fit(method, datamodule=data, ckpt_path=checkpoint, weights_only=True)
    finally:
        leave_ranks()


def fit_or_stop_short(
    trainer: pl.Trainer, method: pl.LightningModule, data: PairDataModule, checkpoint: Path | None
) -> bool:
    """As `fit`; whether memory ran out. What held it is then gone but for the arguments."""
    try:
        fit(trainer, method, data, checkpoint)
    except (RuntimeError, MemoryError, OSError) as error:
        if not out_of_memory(error):
            raise
        return True
    return False


def _check_groups(method: pl.LightningModule, checkpoint: Path) -> None:
    """The optimiser's moments belong to parameters by their place in its groups, and by nothing else."""
    optimizers: Any = method.configure_optimizers()
    (begun,) = read_checkpoint(checkpoint)["optimizer_states"]
    was = [len(group["params"]) for group in begun["param_groups"]]
    now = [len(group["params"]) for group in optimizers["optimizer"].param_groups]
    if was != now:
        raise UserError(
            f"resume={checkpoint}: a version that let {was[0]} parameters decay, not {now[0]}, "
            "has begun this run; go on with that version, or begin a new run"
        )


def training_data(cfg: DictConfig) -> PairDataModule:
    """The data of a run: of one that is resumed those that it was begun with, made inputs of as they were.

    Raises:
        UserError: as `datamodule`, or there is no checkpoint to go on from.
    """
    if cfg.resume is None:
        return datamodule(cfg)
    begun = read_checkpoint(find_checkpoint(Path(cfg.resume)))[KEY]
    return datamodule(cfg, begun["normalisation"], begun["data_hash"])


def resume_from(cfg: DictConfig, data: PairDataModule) -> Path | None:
    """The checkpoint to go on from, None for a new run.

    Raises:
        UserError: its training is complete.
    """
    if cfg.resume is None:
        return None
    path = find_checkpoint(Path(cfg.resume))
    if read_checkpoint(path)[KEY]["step"] >= total_steps(cfg, data):
        line = f"resume={cfg.resume}: its training is complete; python evaluate.py ckpt_path={cfg.resume}"
        raise UserError(f"{line} evaluates it")
    return path
