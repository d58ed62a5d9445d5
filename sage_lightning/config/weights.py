"""Weights that a tower begins with are there and fit, before any work. What is resumed has its own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sage_lightning.config.bounds import get, show
from sage_lightning.config.sensors import SENSORS, is_known, is_known_vit, square
from sage_lightning.errors import UserError


def weights(config: dict[str, Any]) -> Iterator[str]:
    """Files that are not there, are none, or do not fit; timm's own are not fetched for it."""
    if get(config, "resume") is not None:
        return
    for sensor in SENSORS:
        node, size = get(config, f"model.{sensor}_backbone"), get(config, f"data.{sensor}_size")
        place = get(config, f"model.{sensor}_backbone.weights")
        if place is None or size is None or not is_known(str(node.get("name"))):
            continue
        key = f"model.{sensor}_backbone"
        whole = Path(place).is_dir() or Path(place).suffix == ".ckpt"
        if node.get("weights_sensor") is not None and not whole:
            yield f"{key}.weights_sensor={node['weights_sensor']}: weights={place} is no run's; leave it out"
        if node.get("weights_size") is not None and (whole or place == "timm"):
            known = f"weights={place} tells it by itself; leave it out"
            yield f"{key}.weights_size={show(node['weights_size'])}: {known}"
        yield from _fit(config, sensor, node, size)


def _fit(config: dict[str, Any], sensor: str, node: dict[str, Any], size: Any) -> Iterator[str]:
    # torch takes seconds to import
    import timm
    import torch

    from sage_lightning.models.backbone import Backbone
    from sage_lightning.models.starting import fitted

    name, key = node["name"], f"model.{sensor}_backbone"
    if node["weights"] == "timm":
        if not timm.is_model_pretrained(name):
            yield f"{key}.weights=timm: timm has no weights of {name}"
        return
    patch = get(config, f"data.{sensor}_patch") if is_known_vit(name) else None
    given = {part: value for part, value in node.items() if part not in ("_target_", "_partial_")}
    given["regions"] = 1
    try:
        with torch.device("meta"):
            tower = Backbone(**given, img_size=square(size), patch_size=patch, in_chans=3)
    except UserError:
        return  # the rules on sizes, patches and architectures have said it
    try:
        fitted(tower, sensor)
    except UserError as error:
        yield from (f"{key}.{line}" for line in error.lines)
