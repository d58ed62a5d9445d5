"""What hidden patches are named with: a mask token and a head over prototypes for each sensor's patch tokens.

These heads are not those of whole images, whose embedding may be wider than a token (`regions`), and which
fit patches badly where both are one (Oquab et al. 2023, DINOv2). As there, sensors have prototypes in common:
what one says of a patch, the other is to say.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from sage_lightning.models.backbone import Backbone
from sage_lightning.models.prototypes import PrototypeHead


class PatchHeads(nn.Module):
    """Of both sensors.

    Args:
        rgb_head: takes RGB patch tokens.
        ir_head: takes thermal ones; the same module where towers share their trunk.
        features: widths of the RGB tower's and of the thermal tower's tokens.
        one_token: whether both sensors are hidden by the same token, as towers that are one have it.
    """

    def __init__(
        self, rgb_head: PrototypeHead, ir_head: PrototypeHead, features: tuple[int, int], one_token: bool
    ) -> None:
        super().__init__()
        self.rgb_head = rgb_head
        self.ir_head = ir_head
        self.rgb_token = nn.Parameter(torch.zeros(features[0]))
        self.ir_token = self.rgb_token if one_token else nn.Parameter(torch.zeros(features[1]))

    def head(self, sensor: str) -> PrototypeHead:
        """Of "rgb" or "ir"."""
        return self.rgb_head if sensor == "rgb" else self.ir_head

    def token(self, sensor: str) -> Tensor:
        """(D',) what stands in the place of a hidden patch's embedding."""
        return self.rgb_token if sensor == "rgb" else self.ir_token


@contextmanager
def hiding(backbone: Backbone, hidden: Tensor, token: Tensor) -> Iterator[None]:
    """While it lasts, a ViT sees a token in the place of some patches; position embeddings are added to both.

    Args:
        backbone: a ViT.
        hidden: (B, rows · columns) bool.
        token: (D',).
    """

    def hide(module: nn.Module, arguments: tuple[Tensor], patches: Tensor) -> Tensor:
        # timm keeps rows and columns apart where sizes may vary
        return torch.where(hidden.view(*patches.shape[:-1], 1), token.to(patches.dtype), patches)

    hook = backbone.net.patch_embed.register_forward_hook(hide)
    try:
        yield
    finally:
        hook.remove()
