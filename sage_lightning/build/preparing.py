"""The store of a collection, made for its own sake: `sage-lightning prepare`."""

import logging
from pathlib import Path

from omegaconf import DictConfig

from sage_lightning.build.objects import instantiate
from sage_lightning.build.split import split
from sage_lightning.data.begun import change, earlier
from sage_lightning.data.executor import Executor, Processes
from sage_lightning.data.index import summary
from sage_lightning.data.prepare import Kept, prepare, prepare_part
from sage_lightning.data.stage import staged
from sage_lightning.data.store import PairStore
from sage_lightning.errors import UserError

log = logging.getLogger("sage_lightning")

_GIGABYTE = 1e9


def prepared(cfg: DictConfig, verify: bool = False, begun_with: str | None = None) -> PairStore:
    """The store that a config asks for, made where it is not there yet, and copied to where it is read.

    Args:
        cfg: of the command.
        verify: compares what is there with its checksums.
        begun_with: see `datamodule`.

    Raises:
        UserError: the data are not those that the run was begun with.
    """
    data = cfg.data
    store = prepare(
        instantiate(data.source),
        cache_dir=Path(cfg.paths.data_dir),
        kept=kept(cfg),
        split=split(cfg),
        executor=executor(cfg),
        select=data.get("select"),  # which checkpoints of before it have not
        balance=data.get("balance"),
        verify=verify,
    )
    if begun_with is not None:
        store = _as_begun(store, begun_with, cfg.resume)
    stage = cfg.paths.get("stage")  # likewise
    return store if stage is None else staged(store, Path(stage))


def _as_begun(store: PairStore, index_hash: str, run: str) -> PairStore:
    """Of a collection that has grown since a run was begun, what it was."""
    if store.index_hash == index_hash:
        return store
    line = f"resume={run}: the collection's files have changed since it was begun"
    before = earlier(store, index_hash)
    if before is None:
        raise UserError(f"{line}; begin a new run")
    found = change(before, store)
    if found.gone or found.other:
        raise UserError(f"{line}: {found}; begin a new run")
    log.info("New pairs since the run was begun: %d; it goes on with those that it had", found.added)
    return before


def store(cfg: DictConfig) -> dict[str, float]:
    """Makes the store, or a task's part of it, and says what is in it."""
    if cfg.prepare.part is not None:
        part = part_of(cfg.prepare.part)
        shards = prepare_part(
            instantiate(cfg.data.source),
            Path(cfg.paths.data_dir),
            kept(cfg),
            part,
            executor(cfg),
            cfg.prepare.verify,
        )
        log.info("Part %d of %d: its %d shards are whole", *part, shards)
        return {"shards": float(shards)}
    made = prepared(cfg, cfg.prepare.verify)
    log.info("%s", summary(made.index))
    size = sum(path.stat().st_size for path in made.files)
    log.info("Store: %s, %.2f GB in %d files", made.folder, size / _GIGABYTE, len(made.files))
    return {"pairs": float(len(made)), "gigabytes": size / _GIGABYTE}


def part_of(text: str) -> tuple[int, int]:
    """(3, 8) of "3/8"."""
    number, _, count = text.partition("/")
    return int(number), int(count)


def kept(cfg: DictConfig) -> Kept:
    """How the store keeps pictures."""
    height, width = (int(side) for side in cfg.data.rgb_store_size)
    return Kept(
        (height, width), cfg.data.get("rgb_store_kind", "raw")
    )  # which checkpoints of before have not


def executor(cfg: DictConfig) -> Executor:
    """Who decodes: as asked, or processes of this machine."""
    asked: Executor | None = instantiate(cfg.get("executor"))
    return asked or Processes(cfg.data.prepare_workers)
