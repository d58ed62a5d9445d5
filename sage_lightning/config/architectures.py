"""Does an architecture take its image, and all of it? Tried on shapes without numbers, before any work."""

from collections.abc import Iterator
from typing import Any

from omegaconf import OmegaConf

from sage_lightning.config.bounds import get, show
from sage_lightning.config.compose import config_dir
from sage_lightning.config.sensors import SENSORS, heads, is_known, is_known_vit, square
from sage_lightning.errors import UserError

# What architectures say to an image that they cannot take, each in its own way.
_NOT_TAKEN = (AssertionError, IndexError, RuntimeError, TypeError, ValueError)


def architectures(config: dict[str, Any]) -> Iterator[str]:
    """Options that an architecture does not know, images that it refuses, rows that it would leave out.

    A patch that does not divide is the business of `patches`, attention heads that of `heads`; what conf/
    offers as it stands is known to fit.
    """
    for sensor in SENSORS:
        node, size = get(config, f"model.{sensor}_backbone"), get(config, f"data.{sensor}_size")
        if not node or size is None or not is_known(str(node.get("name"))):
            continue
        if _of_conf(node.get("name"), node.get("options")):
            continue
        sides, patch = square(size), get(config, f"data.{sensor}_patch")
        vit, pads = is_known_vit(node["name"]), bool(node.get("pad"))
        if min(sides) < 1 or (vit and (not patch or patch < 1)):
            continue
        if vit and not pads and any(side % patch for side in sides):
            continue
        if any(line.startswith(f"model.{sensor}_backbone.") for line in heads(config)):
            continue
        yield from _tried(sensor, node, size, patch if vit else None)


def recomputing(config: dict[str, Any]) -> Iterator[str]:
    """Blocks that are to be computed again in the backward pass, and cannot be."""
    for sensor in SENSORS:
        node = get(config, f"model.{sensor}_backbone")
        if not node or node.get("grad_checkpointing") is not True or not is_known(str(node.get("name"))):
            continue
        # torch takes seconds to import
        from sage_lightning.models.architecture import recomputes
        from sage_lightning.models.backbone import NOT_TWICE

        if not recomputes(node["name"]):
            key = f"model.{sensor}_backbone.grad_checkpointing"
            yield f"{key}=true: {node['name']}: {NOT_TWICE}; leave it at auto"


def _of_conf(name: Any, options: Any) -> bool:
    files = (config_dir() / "model/backbone").glob("*.yaml")
    offered = [OmegaConf.to_container(OmegaConf.load(file)) for file in files]
    return any(
        isinstance(made, dict) and (made.get("name"), made.get("options")) == (name, options)
        for made in offered
    )


def _tried(sensor: str, node: dict[str, Any], size: Any, patch: int | None) -> Iterator[str]:
    # torch takes seconds to import
    import torch

    from sage_lightning.models.architecture import stride
    from sage_lightning.models.backbone import Backbone

    name, key, (rows, columns) = node["name"], f"model.{sensor}_backbone", square(size)
    pads = bool(node.get("pad"))
    try:
        with torch.device("meta"):
            backbone = Backbone(name, (rows, columns), patch, 3, node.get("options"), pad=pads).eval()
            lost = backbone.left_out(rows, columns)
            backbone.tokens(torch.empty(1, 3, rows, columns))
    except UserError as error:
        yield from (f"{key}: {line}" for line in error.lines)
        return
    except _NOT_TAKEN as error:
        said = next(iter(str(error).splitlines()), type(error).__name__)
        yield f"{key}.name={name}: does not take data.{sensor}_size={show(size)} ({said})"
        return
    if any(lost):
        step = stride(name) or 32
        near = ", ".join(show(_whole(size, step, up)) for up in (0, 1) if min(square(_whole(size, step, up))))
        yield (
            f"data.{sensor}_size={show(size)}: {name} would leave out {lost[0]} rows and {lost[1]} columns; "
            f"nearest that it reads whole: {near}; {key}.pad=true fills images up"
        )


def _whole(size: Any, step: int, up: int) -> Any:
    """The size with its sides at multiples of a step, the next smaller (0) or larger (1)."""
    sides = [side if side % step == 0 else (side // step + up) * step for side in square(size)]
    return sides[0] if isinstance(size, int) else sides
