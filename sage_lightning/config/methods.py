"""What a method can do: directions, what towers share, which crops it takes."""

from collections.abc import Iterator
from typing import Any

from sage_lightning.config.bounds import get, show
from sage_lightning.config.look import common
from sage_lightning.config.sensors import SENSORS, is_known, is_known_vit, square

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
    if sharing == "separate" and intra == 0 and direction != "alternate_sensor":
        why = "is for towers that share"
        if direction in ("rgb_teacher", "ir_teacher"):
            why = "a separate tower that only teaches never learns"
        yield f"model.intra_weight=0: {why}; give it a weight, or use model.sharing=trunk or full"
    if sharing == "separate" and direction == "alternate_sensor":
        yield (
            "model.direction=alternate_sensor trains two unrelated models with model.sharing=separate; "
            "use model.sharing=trunk or full"
        )
    if sharing != "separate":
        yield from _shared(config, sharing)


def vicreg(config: dict[str, Any]) -> Iterator[str]:
    """Shares that there are, and regions that can be pairs of their own."""
    if not str(get(config, "model._target_")).endswith(".VICReg"):
        return
    sharing = get(config, "model.sharing") or "separate"  # runs of before there was a choice have no such key
    if sharing not in SHARING:
        yield f"model.sharing={sharing}: not one of {', '.join(SHARING)}"
    elif sharing != "separate":
        yield from _shared(config, sharing)
    counts = [get(config, f"model.{sensor}_backbone.regions") for sensor in SENSORS]
    if get(config, "model.local") and (counts[0] != counts[1] or counts[0] == 1):
        both = " and ".join(
            f"model.{sensor}_backbone.regions={count}" for sensor, count in zip(SENSORS, counts, strict=True)
        )
        yield f"model.local=true: {both} must be the same number, above 1"


def masked_patches(config: dict[str, Any]) -> Iterator[str]:
    """Only a ViT has patches to hide."""
    weight = get(config, "model.ibot_weight")
    for sensor in SENSORS if weight else ():
        name = get(config, f"model.{sensor}_backbone.name")
        if name is not None and is_known(str(name)) and not is_known_vit(str(name)):
            yield (
                f"model.ibot_weight={weight}: model.{sensor}_backbone.name={name} has no patches to mask; "
                "use ViTs, or model.ibot_weight=0"
            )


def _shared(config: dict[str, Any], sharing: str) -> Iterator[str]:
    """Two towers that share must be of one shape."""
    backbones = [get(config, f"model.{sensor}_backbone") for sensor in ("rgb", "ir")]
    if backbones[0] != backbones[1]:
        yield f"model.sharing={sharing}: model.rgb_backbone and model.ir_backbone must be the same"
    vit = backbones[0] is not None and is_known_vit(str(backbones[0].get("name")))
    if sharing == "trunk" and backbones[0] is not None and not vit:
        yield "model.sharing=trunk: needs ViTs, each with patches of its own; use model.sharing=full"
    if sharing != "full":
        return
    for name in ("patch", "size") if vit else ():  # a CNN has no patch, and takes any size
        rgb, ir = (get(config, f"data.{sensor}_{name}") for sensor in ("rgb", "ir"))
        if square(rgb) != square(ir):
            both = f"data.rgb_{name}={show(rgb)} and data.ir_{name}={show(ir)}"
            yield f"model.sharing=full: {both} must be the same"
    thermal = str(get(config, "thermal._target_")).rpartition(".")[2].lower()
    if thermal != "bins3" and not common(config):
        yield (
            f"model.sharing=full: thermal={thermal} has one channel, and RGB three; use thermal=bins3, "
            "or data.look=common"
        )


def crops(config: dict[str, Any]) -> Iterator[str]:
    """DINO takes several crops of a pair, VICReg one."""
    method, view = str(get(config, "model._target_")), str(get(config, "augment.view._target_"))
    multi = view.endswith(".MultiCrop")
    if method.endswith(".DINO") and not multi:
        yield "augment: DINO needs several crops of each pair; use augment=multicrop"
    if method.endswith(".VICReg") and multi:
        yield "augment=multicrop: VICReg takes one view of each pair; use augment=paired or none"
    views, direction = get(config, "augment.view.global_crops"), get(config, "model.direction")
    if not method.endswith(".DINO") or views != 1 or get(config, "augment.view.local_crops") != 0:
        return
    more = "use 2, or augment.view.local_crops"
    if direction == "alternate_sensor":
        yield (
            "augment.view.global_crops=1 without local crops: model.direction=alternate_sensor has nothing "
            f"to learn from; {more}"
        )
    elif get(config, "model.intra_weight"):
        yield (
            f"augment.view.global_crops=1 without local crops: same-sensor terms need another crop; {more}"
        )


def whole_batch(config: dict[str, Any]) -> Iterator[str]:
    """Accumulated gradients add up to the whole batch's only where nothing acts on a batch as a whole.

    What is null is known once the training pairs are counted: the build asks again then.
    """
    steps = get(config, "trainer.accumulate_grad_batches") or 1
    if steps == 1 or not str(get(config, "model._target_")).endswith(".DINO"):
        return
    centring, koleo = get(config, "model.centring"), get(config, "model.koleo_weight")
    ibot = get(config, "model.ibot_weight")
    wholes = ["model.centring=sinkhorn"] if centring == "sinkhorn" else []
    wholes += [f"model.koleo_weight={koleo}"] if koleo else []
    wholes += [f"model.ibot_weight={ibot}"] if ibot else []
    if wholes:
        verb = "act" if len(wholes) > 1 else "acts"
        instead = "model.centring=mean model.koleo_weight=0" + (" model.ibot_weight=0" if ibot else "")
        yield (
            f"trainer.accumulate_grad_batches={steps}: {' and '.join(wholes)} {verb} on the whole batch at "
            f"once; set {instead}, or leave accumulation at 1"
        )
