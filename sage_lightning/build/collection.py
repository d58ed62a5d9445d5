"""What is asked of a collection's index alone: commands that need no torch."""

import logging
from pathlib import Path

import pandas as pd
from omegaconf import DictConfig

from sage_lightning.build.objects import instantiate
from sage_lightning.build.preparing import executor, kept
from sage_lightning.build.split import split
from sage_lightning.data.files import UNKNOWN
from sage_lightning.data.index import summary, unknown_nodes
from sage_lightning.data.lag import pairs_at_lag
from sage_lightning.data.prepare import decoder_of, give_up_otherwise
from sage_lightning.data.scan import Scan
from sage_lightning.data.sizes import wanted
from sage_lightning.data.source import PairSource
from sage_lightning.data.sources import SageSource
from sage_lightning.data.split import SPLITS, EmptySplitError
from sage_lightning.data.table_hash import table_hash
from sage_lightning.data.telling import known, looked_at
from sage_lightning.errors import UserError

log = logging.getLogger("sage_lightning")


def index(cfg: DictConfig, folder: Path) -> dict[str, float]:
    """Writes the index of a collection into the folder, and says what is in it."""
    source: PairSource = instantiate(cfg.data.source)
    scan = listed(cfg, source)
    table = _verified(cfg, source, scan) if cfg.index.verify else judged(cfg, source, scan)
    placeless = unknown_nodes(table, source.nodes)
    strangers = [node for node in placeless if node != UNKNOWN]
    if UNKNOWN in placeless and (source.nodes.rows or strangers):
        count = int((table["node"] == UNKNOWN).sum())
        log.warning("Of %d rows nothing says the node: their days are of UTC until one does", count)
    if source.nodes.rows and strangers:
        some = ", ".join(strangers[:5]) + (" …" if len(strangers) > 5 else "")
        log.warning("data.nodes knows no place of %s at some of their times: their days are of UTC", some)
    table = _dealt(cfg, source, table)
    # The first is the same wherever these files lie; the second knows what has been decoded here.
    by_names = table_hash(_dealt(cfg, source, scan.index, quiet=True))
    told = table_hash(table)
    table.attrs = {"sha256_by_names": by_names, "sha256": told}
    table.to_parquet(folder / "index.parquet", index=False)
    log.info("%s", summary(table))
    log.info("Index: %s", folder / "index.parquet")
    log.info(
        "sha256 by names: %s%s", by_names, "" if told == by_names else f"; with what decoding told: {told}"
    )
    usable = int((table["status"] == "ok").sum())
    return {"pairs": float(usable), "quarantined": float(len(table) - usable)}


def pairs(cfg: DictConfig, folder: Path) -> dict[str, float]:
    """Writes a table of pairs that are a time apart into the folder, and says how many there are."""
    source: PairSource = instantiate(cfg.data.source)
    _, table = known_index(cfg, source)
    table = _dealt(cfg, source, table)
    lag = pd.Timedelta(cfg.lag)
    tolerance = lag / 10 if cfg.tolerance is None else pd.Timedelta(cfg.tolerance)
    found = pairs_at_lag(table, lag, tolerance, source.nodes)
    found.to_parquet(folder / "pairs.parquet", index=False)
    usable = table[table["status"] == "ok"]
    nowhere = int(usable["position"].isna().sum())
    text = "%d of %d pairs have another of their position %s later, give or take %s%s"
    left_out = f"; {nowhere} of unknown position are left out" if nowhere else ""
    log.info(text, len(found), len(usable), _spoken(lag), _spoken(tolerance), left_out)
    if (table["split"] != "").any() and len(found):
        within = found["split"].value_counts()
        dealt = ", ".join(f"{within.get(name, 0)} {name}" for name in SPLITS)
        log.info("Within one split: %s; not within one: %d", dealt, within.get("", 0))
    log.info("Pairs: %s", folder / "pairs.parquet")
    return {"pairs": float(len(found))}


def listed(cfg: DictConfig, source: PairSource) -> Scan:
    """A collection as it is now, pairs or not.

    Raises:
        UserError: there is nothing to list.
    """
    cache_dir = Path(cfg.paths.data_dir)
    scan = source.listed(cache_dir) if isinstance(source, SageSource) else source.scan(cache_dir)
    if scan.index.empty:
        raise UserError(f"data.root={source.root} holds no camera file; other files: {scan.others}")
    return scan


def known_index(cfg: DictConfig, source: PairSource) -> tuple[Scan, pd.DataFrame]:
    """A collection of pairs as it is now, and its index with what decoding has told of it so far."""
    scan = source.scan(Path(cfg.paths.data_dir))
    return scan, judged(cfg, source, scan)


def judged(cfg: DictConfig, source: PairSource, scan: Scan) -> pd.DataFrame:
    """The index with what decoding has told of it so far."""
    return known(source, Path(cfg.paths.data_dir), scan.index)


def _verified(cfg: DictConfig, source: PairSource, scan: Scan) -> pd.DataFrame:
    """The index after a look at every file; shards that say otherwise are given up."""
    cache_dir = Path(cfg.paths.data_dir)
    usable = scan.index[scan.index["status"] == "ok"]
    size = kept(cfg).rgb_size
    table, failed, contents = looked_at(source, cache_dir, scan.index, size, executor(cfg))
    if usable.empty or not wanted(source, usable).clear:
        return table  # there is no store of these
    decoder = decoder_of(source, usable, kept(cfg))
    if given_up := give_up_otherwise(cache_dir, decoder, scan, usable, failed, contents):
        log.info("Files are not as they were when they were decoded: %d shards will be made again", given_up)
    return table


def _dealt(cfg: DictConfig, source: PairSource, table: pd.DataFrame, quiet: bool = False) -> pd.DataFrame:
    """The index with its splits; where none can be made it is said, and the index is of use without."""
    try:
        return table.assign(split=source.split(table, split(cfg)))
    except EmptySplitError as error:
        for line in [] if quiet else error.lines:
            log.warning("%s", line)
        return table.assign(split="")


def _spoken(duration: pd.Timedelta) -> str:
    return str(duration.to_pytimedelta())
