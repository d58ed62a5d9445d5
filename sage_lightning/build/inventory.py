"""From the config to an inventory: what is counted comes from files, or from query records."""

import logging
import sys
from dataclasses import replace
from pathlib import Path

from omegaconf import DictConfig

from sage_lightning.build.collection import judged, listed
from sage_lightning.build.objects import instantiate
from sage_lightning.data.index import add_place_and_time
from sage_lightning.data.select import selected
from sage_lightning.inventory.collection import Collection, other_files
from sage_lightning.inventory.excluded import NOT_SELECTED, Apart
from sage_lightning.inventory.page import write_page
from sage_lightning.inventory.records import read_records
from sage_lightning.inventory.run import take, write_tables
from sage_lightning.inventory.summary import print_summary
from sage_lightning.sage.nodes import NodeTable, read_nodes
from sage_lightning.version import __version__

log = logging.getLogger("sage_lightning")


def inventory(cfg: DictConfig, folder: Path) -> dict[str, float]:
    """Takes the inventory, prints its short form, writes tables, figures and page into the folder.

    Returns:
        How many pairs, and how many files in quarantine.

    Raises:
        UserError: there is nothing to count.
    """
    collection = _of_files(cfg) if cfg.inventory.records is None else _of_records(cfg)
    if cfg.data.select is not None:
        collection = _selected(collection, str(cfg.data.select))
    found = take(
        collection,
        thresholds=tuple(cfg.thermal.get("thresholds") or ()),
        frames_per_group=cfg.inventory.frames_per_group,
        gap_factor=cfg.inventory.gap_factor,
        workers=cfg.data.prepare_workers,
    )
    write_tables(found, folder)
    print_summary(found)
    page = write_page(found, folder, _facts(cfg))
    log.info("Page: %s", page)
    return {"pairs": found.pairs, "quarantined_files": found.quarantined_files}


def _facts(cfg: DictConfig) -> dict[str, str]:
    """The choices that numbers depend on."""
    chosen = {
        "data.nodes": cfg.data.get("nodes"),
        "data.select": cfg.data.select,
        "thermal.thresholds": cfg.thermal.get("thresholds"),
        "inventory.frames_per_group": cfg.inventory.frames_per_group,
        "inventory.gap_factor": cfg.inventory.gap_factor,
    }
    said = {key: "null" if value is None else str(value) for key, value in chosen.items()}
    return {"command": f"sage-lightning inventory {' '.join(sys.argv[1:])}", "version": __version__} | said


def _of_files(cfg: DictConfig) -> Collection:
    source = instantiate(cfg.data.source)
    scan = listed(cfg, source)
    return Collection(
        name=str(source.root),
        index=judged(cfg, source, scan),
        source=source,
        nodes=source.nodes.rows,
        apart=[other_files(source.root, scan.others)],
    )


def _of_records(cfg: DictConfig) -> Collection:
    index, apart = read_records(cfg.inventory.records, bool(cfg.data.get("keep_mismatches", False)))
    nodes = NodeTable() if cfg.data.nodes is None else read_nodes(Path(cfg.data.nodes))
    return Collection(
        name=str(cfg.inventory.records),
        index=add_place_and_time(index, nodes),
        source=None,
        nodes=nodes.rows,
        apart=apart,
    )


def _selected(collection: Collection, expression: str) -> Collection:
    index = selected(expression, collection.index)
    left = Apart(NOT_SELECTED, 2 * (len(collection.index) - len(index)))
    return replace(collection, index=index, apart=[*collection.apart, left])
