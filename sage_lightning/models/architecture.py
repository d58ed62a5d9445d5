"""What is known of a timm architecture by its name, without its weights."""

import difflib
import functools
from typing import Any

import timm
import torch
from timm.layers import PatchEmbed
from timm.models.beit import Beit
from timm.models.eva import Eva
from timm.models.vision_transformer import VisionTransformer
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from sage_lightning.errors import UserError

_VITS = (VisionTransformer, Eva, Beit)


def is_vit(name: str) -> bool:
    """Whether a timm architecture cuts its image into patches of a size that can be chosen.

    Raises:
        UserError: if timm has no such architecture.
    """
    made = architecture(name)
    # A hybrid's patches are of a CNN's map, whose stride is not the user's to choose.
    return isinstance(made, _VITS) and isinstance(made.patch_embed, PatchEmbed)


def has_patches(name: str) -> bool:
    """Whether a timm architecture begins with patches, of whatever size.

    Raises:
        UserError: if timm has no such architecture.
    """
    return hasattr(architecture(name), "patch_embed")


def stride(name: str) -> int | None:
    """Pixels of the image to one step of an architecture's last map; None where timm does not tell.

    Raises:
        UserError: if timm has no such architecture.
    """
    stages = getattr(architecture(name), "feature_info", None)
    return int(stages[-1]["reduction"]) if stages else None


def recomputes(name: str) -> bool:
    """Whether an architecture can compute its blocks a second time in the backward pass, to the same end.

    BatchNorm would count each batch twice in its running statistics.

    Raises:
        UserError: if timm has no such architecture.
    """
    made: Any = architecture(name)
    if any(isinstance(part, _BatchNorm) for part in made.modules()):
        return False
    try:
        made.set_grad_checkpointing(False)  # timm's own say no by an assertion
    except (AssertionError, AttributeError):
        return False
    return True


@functools.cache
def architecture(name: str) -> nn.Module:
    """What a name stands for, on the meta device.

    Raises:
        UserError: if timm has no such architecture.
    """
    _check_name(name)
    with torch.device("meta"):
        return timm.create_model(name)


def _check_name(name: str) -> None:
    if not timm.is_model(name):
        near = difflib.get_close_matches(name, timm.list_models(), n=3, cutoff=0.5)
        hint = f"; nearest: {', '.join(near)}" if near else ""
        raise UserError(f"backbone {name}: timm has no such architecture{hint}")
