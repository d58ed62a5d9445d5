"""Sizes, patches and backbones of the two sensors: a patch divides its image, and timm has the backbone."""

import difflib
import functools
from collections.abc import Iterator
from typing import Any

from omegaconf import OmegaConf

from sage_lightning.config.bounds import get, show
from sage_lightning.config.compose import config_dir

SENSORS = ("rgb", "ir")


def backbones(config: dict[str, Any]) -> Iterator[str]:
    """Architectures that timm does not have."""
    for sensor in SENSORS:
        name = _backbone(config, sensor)
        if name is not None and not _known(name):
            import timm

            near = difflib.get_close_matches(name, timm.list_models(), n=3, cutoff=0.5)
            hint = f"nearest are {', '.join(near)}" if near else "timm.list_models() names them all"
            yield f"model.{sensor}_backbone.name={name}: timm has no such architecture; {hint}"


def heads(config: dict[str, Any]) -> Iterator[str]:
    """Widths that do not divide over the attention heads, where a backbone's options give both."""
    for sensor in SENSORS:
        options = f"model.{sensor}_backbone.options"
        width, number = get(config, f"{options}.embed_dim"), get(config, f"{options}.num_heads")
        if not (isinstance(width, int) and isinstance(number, int)):
            continue
        if width < 1 or number < 1 or width % number:
            yield f"{options}.embed_dim={width} does not divide over {options}.num_heads={number}"


def patches(config: dict[str, Any]) -> Iterator[str]:
    """Patches that do not divide their image: timm would drop the border without a word."""
    for sensor in SENSORS:
        size, patch = get(config, f"data.{sensor}_size"), get(config, f"data.{sensor}_patch")
        name, small = _backbone(config, sensor), get(config, f"data.{sensor}_local_size")
        if size is None or name is None or not _known(name):
            continue
        pads = get(config, f"model.{sensor}_backbone.pad")
        sides = _sides(size)
        if patch is None:
            if _is_vit(name):
                yield f"data.{sensor}_patch=null: model.{sensor}_backbone is a ViT, which needs a patch size"
        elif pads:
            continue
        elif patch >= 1 and min(sides) >= 1 and any(side % patch for side in sides) and _is_vit(name):
            yield _patch_line(sensor, "size", size, patch)
        if small is None or not _multi_crop(config) or patch is None or not _is_vit(name):
            continue
        if patch >= 1 and min(_sides(small)) >= 1 and any(side % patch for side in _sides(small)):
            yield _patch_line(sensor, "local_size", small, patch)


def local_crops(config: dict[str, Any]) -> Iterator[str]:
    """Local crops that are larger than the global ones."""
    for sensor in SENSORS:
        size, small = get(config, f"data.{sensor}_size"), get(config, f"data.{sensor}_local_size")
        if size is None or small is None or not _multi_crop(config):
            continue
        if any(part > whole for part, whole in zip(square(small), square(size), strict=True)):
            yield f"data.{sensor}_local_size={show(small)}: no larger than data.{sensor}_size={show(size)}"


def regions(config: dict[str, Any]) -> Iterator[str]:
    """More parts of the image than it has patches; of a patch that `patches` refuses nothing is said."""
    for sensor in SENSORS:
        size, patch = get(config, f"data.{sensor}_size"), get(config, f"data.{sensor}_patch")
        key, name = f"model.{sensor}_backbone.regions", _backbone(config, sensor)
        wanted = get(config, key)
        if wanted is None or size is None or not patch or patch < 1 or name is None:
            continue
        spare = patch - 1 if get(config, f"model.{sensor}_backbone.pad") else 0
        most = min((side + spare) // patch for side in _sides(size))
        if most and wanted > most and _is_vit(name):
            yield f"{key}={wanted}: the image has no more than {most} patches on a side; use 1 to {most}"


def notes(config: dict[str, Any]) -> list[str]:
    """What is right but has no effect, one line each."""
    unused = [
        f"data.{sensor}_local_size is unused: only augment=multicrop has local crops"
        for sensor in SENSORS
        if get(config, f"data.{sensor}_local_size") is not None and not _multi_crop(config)
    ]
    return unused + [
        f"data.{sensor}_patch is unused: model.{sensor}_backbone {_instead(name)}"
        for sensor in SENSORS
        if get(config, f"data.{sensor}_patch") is not None
        and (name := _backbone(config, sensor)) is not None
        and not _is_vit(name)
    ]


def _multi_crop(config: dict[str, Any]) -> bool:
    return str(get(config, "augment.view._target_")).endswith(".MultiCrop")


def _patch_line(sensor: str, which: str, size: Any, patch: int) -> str:
    """Says which patches divide the image, and which images the patch divides, the nearest first."""
    sides = _sides(size)
    divisors = [d for d in range(1, min(sides) + 1) if not any(side % d for side in sides)]
    below = [d for d in divisors if d < patch][-1:]
    above = [d for d in divisors if d > patch][:1]
    patches = ", ".join(map(str, below + above))
    ways = [[side + patch - side % patch, side - side % patch] for side in sides]
    if isinstance(size, int):
        near = sorted((way for way in ways[0] if way), key=lambda way: abs(way - size))
        sizes = ", ".join(map(str, near))
    else:
        sizes = show(
            [
                min((way for way in both if way), key=lambda way: abs(way - side)) if side % patch else side
                for side, both in zip(sides, ways, strict=True)
            ]
        )
    return (
        f"data.{sensor}_patch={patch} does not divide data.{sensor}_{which}={show(size)}: "
        f"use {patches} or another divisor, or data.{sensor}_{which}={sizes}"
    )


def square(size: Any) -> Any:
    """[rows, columns] of a size: one number is a square's both sides."""
    return [size, size] if isinstance(size, int) else size


def _sides(size: Any) -> list[int]:
    return [size] if isinstance(size, int) else list(size)


def _backbone(config: dict[str, Any], sensor: str) -> str | None:
    name = get(config, f"model.{sensor}_backbone.name")
    return None if name is None else str(name)


@functools.cache
def _known(name: str) -> bool:
    """Whether timm has it; those that conf/ names need no import of timm, which takes seconds."""
    if any(
        OmegaConf.select(OmegaConf.load(file), "name") == name
        for file in (config_dir() / "model/backbone").glob("*.yaml")
    ):
        return True
    import timm

    return bool(timm.is_model(name))


def is_known(name: str) -> bool:
    """Whether timm has it."""
    return _known(name)


def is_known_vit(name: str) -> bool:
    """Whether timm has it, and it is a ViT."""
    return _is_vit(name)


def _instead(name: str) -> str:
    from sage_lightning.models.architecture import has_patches

    return "has patches of its own" if has_patches(name) else "is a CNN"


@functools.cache
def _is_vit(name: str) -> bool:
    from sage_lightning.models.architecture import is_vit

    return _known(name) and is_vit(name)
