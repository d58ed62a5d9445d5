"""What must hold between the keys of a composed config: one function a rule, each yields its lines."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sage_lightning.config.architectures import architectures, recomputing
from sage_lightning.config.archive import addresses, camera_nodes, download_folder, times
from sage_lightning.config.batches import batch
from sage_lightning.config.bounds import bounds, get, shares, show
from sage_lightning.config.collection import FOLDER, lags, pairs, selection, simulation, tables, units
from sage_lightning.config.inventory import inventory
from sage_lightning.config.look import look
from sage_lightning.config.methods import crops, dino, masked_patches, vicreg, whole_batch
from sage_lightning.config.pictures import pictures
from sage_lightning.config.preparing import part, store_kind
from sage_lightning.config.processes import accelerator, compiler, devices, strategy
from sage_lightning.config.sensors import backbones, heads, local_crops, notes, patches, regions
from sage_lightning.config.weights import weights

__all__ = ["RULES", "notes"]

_SPLITS = ("train", "val", "test")


def crop(config: dict[str, Any]) -> Iterator[str]:
    """The field of view that both sensors share has an inside."""
    box = get(config, "data.crop_box")
    if isinstance(box, list) and not (len(box) == 4 and box[0] < box[2] and box[1] < box[3]):
        yield f"data.crop_box={show(box)}: must be [left,top,right,bottom] with left < right and top < bottom"


def scale(config: dict[str, Any]) -> Iterator[str]:
    """The bounds that thermal values are scaled by: percentiles where they are, and in their order."""
    low, high = get(config, "thermal.low"), get(config, "thermal.high")
    if str(get(config, "thermal._target_")).endswith(".Percentile"):
        for key, value in (("thermal.low", low), ("thermal.high", high)):
            if value is not None and not 0 <= value <= 100:
                yield f"{key}={value}: must be a percentile, between 0 and 100"
    if low is not None and high is not None and low >= high:
        yield f"thermal.low={low} must be below thermal.high={high}"


def folders(config: dict[str, Any]) -> Iterator[str]:
    """What a run reads is there."""
    root, nodes = get(config, "data.root"), get(config, "data.nodes")
    if root is not None and not Path(root).is_dir():
        yield f"data.root={root}: no such folder"
    if isinstance(nodes, str) and not Path(nodes).is_file():
        yield f"data.nodes={nodes}: no such file"
    for key in ("resume", "ckpt_path"):
        given = get(config, key)
        if given is None or (path := Path(given)).is_file():
            continue
        if not path.is_dir():
            yield f"{key}={given}: no such run folder or checkpoint"
        elif not any(path.glob("*.ckpt")) and not any(path.glob("checkpoints/*.ckpt")):
            yield f"{key}={given}: the folder holds no checkpoint (checkpoints/*.ckpt)"


def writable(config: dict[str, Any]) -> Iterator[str]:
    """Where a run writes it may; the folders themselves may be new."""
    for key in ("paths.data_dir", "paths.output_dir", "paths.stage"):
        if (given := get(config, key)) is None:
            continue
        path = Path(given).absolute()
        there = next(folder for folder in (path, *path.parents) if folder.exists())
        if not there.is_dir():
            yield f"{key}={given}: {there} is a file"
        elif not os.access(there, os.W_OK | os.X_OK):
            yield f"{key}={given}: {there} cannot be written"
        elif there != path and (reason := _refused(there)):
            yield f"{key}={given}: cannot be written ({reason})"


def _refused(folder: Path) -> str | None:
    """Why no folder can be made here: of /proc, or of a full disk, the permissions say nothing."""
    try:
        with TemporaryDirectory(dir=folder, prefix=".sage-lightning-"):
            return None
    except OSError as error:
        return error.strerror or str(error)


def splits(config: dict[str, Any]) -> Iterator[str]:
    """The split that is evaluated, and those that are dealt."""
    if (split := config.get("split")) is not None and split not in _SPLITS:
        yield f"split={split}: not one of {', '.join(_SPLITS)}"
    deal = get(config, "data.split.deal")
    if deal is not None and not set(deal) <= {"val", "test"}:
        yield f"data.split.deal={show(deal)}: each must be val or test"
    elif deal is not None and get(config, "data.source._target_") != FOLDER:
        yield f"data.split.deal={show(deal)}: no table says splits here; leave it out"


def length(config: dict[str, Any]) -> Iterator[str]:
    """A run has an end, and more than none of it."""
    epochs, steps = get(config, "trainer.max_epochs"), get(config, "trainer.max_steps")
    if epochs is not None and epochs < 1 and epochs != -1:
        yield f"trainer.max_epochs={epochs}: must be at least 1, or -1 for as many as trainer.max_steps takes"
    elif epochs in (None, -1) and steps == -1:
        written = "null" if epochs is None else epochs
        yield f"trainer.max_epochs={written}: the run has no end; give trainer.max_steps"
    if steps is not None and steps < 1 and steps != -1:
        yield f"trainer.max_steps={steps}: must be at least 1, or -1 for none"


Rule = Callable[[dict[str, Any]], Iterator[str]]
RULES: tuple[Rule, ...] = (
    folders,
    writable,
    pairs,
    tables,
    splits,
    bounds,
    shares,
    pictures,
    simulation,
    store_kind,
    part,
    crop,
    scale,
    units,
    look,
    lags,
    selection,
    inventory,
    backbones,
    heads,
    patches,
    local_crops,
    regions,
    architectures,
    recomputing,
    weights,
    dino,
    vicreg,
    masked_patches,
    crops,
    whole_batch,
    batch,
    accelerator,
    strategy,
    devices,
    compiler,
    length,
    camera_nodes,
    times,
    addresses,
    download_folder,
)
