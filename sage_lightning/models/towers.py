"""Two towers, one a sensor: a backbone (image to embedding), a projector (embedding to projection)."""

from typing import Literal

from torch import Tensor, nn

from sage_lightning.models.backbone import Backbone
from sage_lightning.models.patches import PatchHeads
from sage_lightning.models.prototypes import PrototypeHead

Sensor = Literal["rgb", "ir"]
_OWN = ("patch_embed", "pos_embed")  # what a ViT that shares its trunk keeps for its sensor


class TwoTowers(nn.Module):
    """An RGB and a thermal tower with one space of projections; what else they share is the caller's choice.

    Args:
        rgb_backbone: (B, 3, H, W) to (B, D).
        ir_backbone: (B, C_ir, h, w) to (B, D').
        rgb_projector: (B, D) to (B, P): what sensors are compared in, of a `PrototypeHead` its bottleneck.
        ir_projector: (B, D') to (B, P).
        patches: heads for patches, where a method hides some.
    """

    def __init__(
        self,
        rgb_backbone: Backbone,
        ir_backbone: Backbone,
        rgb_projector: nn.Module,
        ir_projector: nn.Module,
        patches: PatchHeads | None = None,
    ) -> None:
        super().__init__()
        self.rgb_backbone = rgb_backbone
        self.ir_backbone = ir_backbone
        self.rgb_projector = rgb_projector
        self.ir_projector = ir_projector
        self.patches = patches

    def embed_rgb(self, rgb: Tensor) -> Tensor:
        """(B, 3, H, W) normalised pictures to (B, D) embeddings."""
        return self.rgb_backbone(rgb)

    def embed_ir(self, ir: Tensor) -> Tensor:
        """(B, C_ir, h, w) normalised thermal channels to (B, D') embeddings."""
        return self.ir_backbone(ir)

    def project_rgb(self, embedding: Tensor) -> Tensor:
        """(B, D) RGB embeddings to (B, P) projections."""
        return self.rgb_projector(embedding)

    def project_ir(self, embedding: Tensor) -> Tensor:
        """(B, D') thermal embeddings to (B, P) projections."""
        return self.ir_projector(embedding)

    def backbone(self, sensor: Sensor) -> Backbone:
        """The one that sees a sensor."""
        return self.rgb_backbone if sensor == "rgb" else self.ir_backbone

    def embed(self, sensor: Sensor, images: Tensor) -> Tensor:
        """(B, C, H, W) normalised images of a sensor to (B, D) embeddings."""
        return self.embed_rgb(images) if sensor == "rgb" else self.embed_ir(images)

    def project(self, sensor: Sensor, embedding: Tensor) -> Tensor:
        """(B, D) embeddings of a sensor to (B, P) projections."""
        return self.project_rgb(embedding) if sensor == "rgb" else self.project_ir(embedding)

    def forward(self, rgb: Tensor, ir: Tensor) -> tuple[Tensor, Tensor]:
        """Both sensors' projections, (B, P) each; row i of both is pair i."""
        return self.project_rgb(self.embed_rgb(rgb)), self.project_ir(self.embed_ir(ir))


def share_trunk(rgb: Backbone, ir: Backbone) -> None:
    """Gives the thermal ViT the RGB ViT's blocks and norms.

    Patches, position embeddings, and class and register tokens, where there are any, stay its own.

    Args:
        rgb: a ViT.
        ir: a ViT of the same architecture.
    """
    for name, part in rgb.net.named_children():
        if name not in _OWN:
            setattr(ir.net, name, part)


def share_prototypes(rgb: PrototypeHead, ir: PrototypeHead) -> None:
    """Gives the thermal head the RGB head's prototypes: what one sensor is to say of a pair, the other can.

    Two sets of directions would have nothing in common but their numbers.
    """
    ir.prototypes = rgb.prototypes
