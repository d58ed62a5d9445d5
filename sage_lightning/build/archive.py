"""From the config to a folder of files out of the archive. Needs no torch."""

from dataclasses import asdict
from pathlib import Path

from omegaconf import DictConfig

from sage_lightning.config import moment
from sage_lightning.evaluation.headline import print_table
from sage_lightning.sage.archive.download import download as bring
from sage_lightning.sage.archive.order import Order
from sage_lightning.sage.archive.survey import COLUMNS, shown, survey


def download(cfg: DictConfig) -> dict[str, float]:
    """Brings what is ordered, or says how much it is.

    Returns:
        How many files came, their bytes, how many were there already, how many failed; or, of a dry run,
        the sums of the table that it prints and how many queries had no answer.
    """
    download = cfg.download
    nodes = [download.node] if isinstance(download.node, str) else list(download.node)
    order = Order(
        nodes=list(dict.fromkeys(nodes)),
        start=moment(download.start),
        end=moment(download.end),
        folder=Path(download.folder),
        plugin=download.plugin,
        task=download.task,
        endpoint=download.endpoint,
        storage=download.storage.rstrip("/"),
        workers=download.workers,
        timeout=download.timeout,
        least_rate=download.least_rate,
        retries=download.retries,
        backoff=download.backoff,
    )
    if not download.dry_run:
        return asdict(bring(order))
    found = survey(order)
    print_table(shown(found.table), title=f"What a download into {order.folder} still brings")
    return {name: float(found.table[name].iloc[-1]) for name in COLUMNS} | {"failed": found.unanswered}
