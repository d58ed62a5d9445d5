"""The doors: `python train.py …`, `python evaluate.py …`, `sage-lightning train …`.

Overrides are checked, all at once, before Hydra is let run. Processes that DDP starts again do not go through
Hydra: they read the config that rank 0 has composed, so that multirun and its numbered folders keep working.
"""

import json
import logging
import os
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import hydra
from hydra._internal.utils import get_args_parser
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from sage_lightning import config
from sage_lightning.data.disk import writing_run
from sage_lightning.errors import UserError
from sage_lightning.provenance import provenance
from sage_lightning.reader import printed_after, reader_may_leave
from sage_lightning.run_folder import run_folder
from sage_lightning.version import __version__

log = logging.getLogger("sage_lightning")

# What Lightning says of itself, which is no news to a user.
HUSHED = (
    r".*treespec, LeafSpec",  # Lightning 2.6 asks torch 2.15's pytree in a way that torch has deprecated
    r"Experiment logs directory .* exists and is not empty",  # metrics.csv lies in the run's own folder
    r"The number of training batches .* is smaller than the logging interval",
    r"The dirpath has changed from",  # a resumed run has a folder of its own
    r"Found .* module\(s\) in eval mode at the start of training",  # a teacher is
    r"It is recommended to use .*sync_dist=True",  # what is logged is of all ranks already
)

# Set while a run is under way: the folder from which a rank that DDP started reads its config.
RUN_FOLDER = "SAGE_LIGHTNING_RUN_FOLDER"

Task = Callable[[DictConfig, Path], dict[str, float]]


@reader_may_leave()
def main() -> None:
    """`sage-lightning <command> <overrides>`."""
    commands = {
        "train": train,
        "evaluate": evaluate,
        "download": download,
        "index": index,
        "inventory": inventory,
        "pairs": pairs,
        "plan": plan,
        "prepare": prepare,
    }
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    usage = f"usage: sage-lightning {'|'.join(commands)} [key=value …]; --cfg job after it shows all keys"
    if command in ("--version", "-V"):
        print(f"sage_lightning {__version__}")
    elif command in ("--help", "-h"):
        print(usage)
    elif RUN_FOLDER in os.environ:
        train()  # a rank that DDP started with this command line; the command itself is still in it
    elif command in commands:
        del sys.argv[1]
        commands[command]()
    else:
        print(f"sage-lightning {command}: no such command; {usage}", file=sys.stderr)
        sys.exit(2)


def train() -> None:
    """Trains, evaluates, and writes the report."""
    _enter("train", _train)


def evaluate() -> None:
    """Evaluates a checkpoint and writes the report."""
    _enter("evaluate", _evaluate)


def index() -> None:
    """Lists a collection's pairs, and what is in quarantine."""
    _enter("index", _index)


def pairs() -> None:
    """Lists pairs of one camera position that are a time apart."""
    _enter("pairs", _pairs)


def plan() -> None:
    """Says what a run would need, before it is begun."""
    _enter("plan", _plan)


def prepare() -> None:
    """Decodes a collection into its store."""
    _enter("prepare", _prepare)


def download() -> None:
    """Brings files from the archive."""
    _enter("download", _download)


def inventory() -> None:
    """Says what a collection holds, from its files or from query records, and writes it down."""
    _enter("inventory", _inventory)


@reader_may_leave()
def _enter(name: str, task: Task) -> None:
    if folder := os.environ.get(RUN_FOLDER):
        cfg = OmegaConf.load(Path(folder) / "config.yaml")
        assert isinstance(cfg, DictConfig)
        _hush()
        try:
            task(cfg, Path(folder))
        except UserError as error:
            _refuse(error)
        return
    sys.argv[1:] = config.quoted(sys.argv[1:])  # where Hydra reads it again
    if not {"-m", "--multirun"} & set(sys.argv):
        sys.argv[1:] = map(config.bracketed, sys.argv[1:])
    arguments = get_args_parser().parse_args()
    asks_only = arguments.help or arguments.hydra_help or arguments.cfg or arguments.info is not None
    if not asks_only:
        try:
            config.check(arguments.overrides, name, arguments.multirun, arguments.config_dir)
        except UserError as error:
            _refuse(error)
    _hush()
    failed: list[int] = []
    partial: list[Path] = []

    @reader_may_leave()  # before Hydra makes a traceback of it
    def run(cfg: DictConfig) -> None:
        folder = Path(HydraConfig.get().runtime.output_dir)
        environment = dict(os.environ)
        try:
            if _record(cfg, folder, task).get("failed"):  # of a download: some files did not come
                partial.append(folder)
        except UserError as error:
            if not arguments.multirun:
                _refuse(error)
            failed.append(error.status)  # the other trials go on
            for line in error.lines:
                log.error("%s", line)
        finally:
            # DDP leaves its ranks' variables behind, and the next trial would take itself for a child.
            os.environ.clear()
            os.environ.update(environment)

    entered = hydra.main(version_base="1.3", config_path=str(config.config_dir()), config_name=name)(run)
    try:
        with printed_after() if asks_only else nullcontext(), run_folder():
            entered()
    except UserError as error:
        _refuse(error)
    if failed or partial:
        sys.exit(max([1, *failed]))


def _hush() -> None:
    for message in HUSHED:
        warnings.filterwarnings("ignore", message)
    logging.raiseExceptions = False  # where the log finds no room, what is written next says so in one line
    logging.getLogger("timm").setLevel(logging.WARNING)  # which file it reads; ours say it


def _refuse(error: UserError) -> None:
    for line in error.lines:
        print(line, file=sys.stderr)
    sys.exit(error.status)


def _record(cfg: DictConfig, folder: Path, task: Task) -> dict[str, float]:
    """Runs the task in its folder, which tells afterwards what was asked, what came and how long it took."""
    with writing_run(folder):
        return _recorded(cfg, folder, task)


def _recorded(cfg: DictConfig, folder: Path, task: Task) -> dict[str, float]:
    overrides = list(HydraConfig.get().overrides.task)
    settled = config.settled(config.resolved(cfg), overrides)
    for note in config.notes(settled):
        log.info("%s", note)
    cfg = OmegaConf.create(settled)
    OmegaConf.save(cfg, folder / "config.yaml")
    _write_json(folder / "provenance.json", provenance())
    os.environ[RUN_FOLDER] = str(folder.resolve())
    summary: dict[str, Any] = {"overrides": overrides, "status": "failed", "metrics": {}}
    started = time.monotonic()
    try:
        summary["metrics"] = task(cfg, folder)
        summary["status"] = "done"
    finally:
        if (wandb := sys.modules.get("wandb")) is not None and wandb.run is not None:
            wandb.finish(exit_code=1)  # the run failed with it open, and the next trial would write into it
        summary["seconds"] = round(time.monotonic() - started, 1)
        _write_json(folder / "summary.json", summary)
    return summary["metrics"]


def _train(cfg: DictConfig, folder: Path) -> dict[str, float]:
    # torch takes seconds to import: not before the config is known to be right
    from sage_lightning.build import learning as build

    started = time.monotonic()
    build.fetch_weights(cfg)
    data = build.training_data(cfg)
    checkpoint = build.resume_from(cfg, data)
    method = build.method(cfg, data)
    trainer = build.trainer(cfg, folder, data)
    prepared = time.monotonic()
    short, first = build.fit_or_stop_short(trainer, method, data, checkpoint), trainer.is_global_zero
    if short:
        del trainer, method  # they hold what was taken
        raise build.shortage(cfg, data, first)
    if not first:
        return {}
    facts = {
        "command": " ".join(sys.argv),
        "data ready after": f"{prepared - started:.0f} s",
        "training": f"{time.monotonic() - prepared:.0f} s",
    }
    return build.evaluation(cfg, folder, folder, data, "test", facts, trainer.loggers)


def _evaluate(cfg: DictConfig, folder: Path) -> dict[str, float]:
    from sage_lightning.build import learning as build

    path = Path(cfg.ckpt_path)
    places = {key: OmegaConf.select(cfg, key) for key in config.PLACES}
    data = build.data_of(path, places, cfg.paths.stage)
    return build.evaluation(cfg, folder, path, data, cfg.split, {"command": " ".join(sys.argv)}, [])


def _index(cfg: DictConfig, folder: Path) -> dict[str, float]:
    from sage_lightning.build import collection

    return collection.index(cfg, folder)


def _pairs(cfg: DictConfig, folder: Path) -> dict[str, float]:
    from sage_lightning.build import collection

    return collection.pairs(cfg, folder)


def _plan(cfg: DictConfig, folder: Path) -> dict[str, float]:
    from sage_lightning.build import learning as build

    return build.plan(cfg, folder)


def _prepare(cfg: DictConfig, folder: Path) -> dict[str, float]:
    from sage_lightning.build import preparing

    return preparing.store(cfg)


def _download(cfg: DictConfig, folder: Path) -> dict[str, float]:
    from sage_lightning.build import archive

    try:
        return archive.download(cfg)
    except KeyboardInterrupt:
        log.warning("Stopped; files that are there are whole, and the same command goes on")
        sys.exit(130)


def _inventory(cfg: DictConfig, folder: Path) -> dict[str, float]:
    from sage_lightning.build.inventory import inventory

    return inventory(cfg, folder)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    main()
