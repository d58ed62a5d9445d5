"""What a method can do: directions, what towers share, which crops it takes."""

from collections.abc import Iterator
from typing import Any

from sage_lightning.config.bounds import get, show
from sage_lightning.config.look import common

DIRECTIONS = ("rgb_teacher", "ir_teacher", "both", "alternate_roles", "alternate_sensor")
CENTRING = ("mean", "sinkhorn")
SHARING = ("separate", "trunk", "full")


def dino(config: dict[str, Any]) -> Iterator[str]:
    """Directions and shares that DINO has, and those that go together."""
    if not str(get(config, "model._target_")).endswith(".DINO"):
        return
    direction, sharing = get(config, "model.direction"), get(config, "model.sharing")
    if direction not in DIRECTIONS:
        yield f"model.direction={direction}: not one of {', '.join(DIRECTIONS)}"
    if sharing not in SHARING:
        yield f"model.sharing={sharing}: not one of {', '.join(SHARING)}"
        return
    if (centring := get(config, "model.centring")) is not None and centring not in CENTRING:
        yield f"model.centring={centring}: not one of {', '.join(CENTRING)}"
    intra = get(config, "model.intra_weight")
    if sharing == "separate" and intra == 0:
        yield (
            "model.intra_weight=0: a separate tower that only teaches never learns; "
            "give it a weight, or use model.sharing=trunk"
        )
    if sharing == "separate" and direction == "alternate_sensor":
        yield (
            "model.direction=alternate_sensor trains two unrelated models with model.sharing=separate; "
            "use model.sharing=trunk or full"
        )
    if sharing != "separate":
        yield from _shared(config, sharing)


def _shared(config: dict[str, Any], sharing: str) -> Iterator[str]:
    """Two towers that share must be of one shape."""
    backbones = [get(config, f"model.{sensor}_backbone") for sensor in ("rgb", "ir")]
    if backbones[0] != backbones[1]:
        yield f"model.sharing={sharing}: model.rgb_backbone and model.ir_backbone must be the same"
    patches = [get(config, f"data.{sensor}_patch") for sensor in ("rgb", "ir")]
    if sharing == "trunk" and backbones[0] is not None and not _vit(backbones[0].get("name")):
        yield "model.sharing=trunk: needs ViTs, each with patches of its own; use model.sharing=full"
    if sharing != "full":
        return
    for name, values in (
        ("patch", patches),
        ("size", [get(config, f"data.{sensor}_size") for sensor in ("rgb", "ir")]),
    ):
        if values[0] != values[1]:
            yield (
                f"model.sharing=full: data.rgb_{name}={show(values[0])} and data.ir_{name}={show(values[1])} "
                "must be the same"
            )
    thermal = str(get(config, "thermal._target_")).rpartition(".")[2].lower()
    if thermal != "bins3" and not common(config):
        yield (
            f"model.sharing=full: thermal={thermal} has one channel, and RGB three; use thermal=bins3, "
            "or data.look=common"
        )


def _vit(name: Any) -> bool:
    from sage_lightning.config.sensors import is_known_vit

    return is_known_vit(str(name))


def crops(config: dict[str, Any]) -> Iterator[str]:
    """DINO takes several crops of a pair, VICReg one."""
    method, view = str(get(config, "model._target_")), str(get(config, "augment.view._target_"))
    multi = view.endswith(".MultiCrop")
    if method.endswith(".DINO") and not multi:
        yield "augment: DINO needs several crops of each pair; use augment=multicrop"
    if method.endswith(".VICReg") and multi:
        yield "augment=multicrop: VICReg takes one view of each pair; use augment=paired or none"
    views, intra = get(config, "augment.view.global_crops"), get(config, "model.intra_weight")
    alone = get(config, "augment.view.local_crops") == 0 and views == 1
    if method.endswith(".DINO") and alone and intra:
        yield (
            "augment.view.global_crops=1 without local crops: same-sensor terms need another crop; use 2, "
            "or augment.view.local_crops"
        )
