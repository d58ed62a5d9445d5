"""Pictures and thermal frames → embeddings, through the same transform that training used.

embedder = Embedder(towers, transform, view)
embedder.embed_rgb(Image.open("picture.png"))   # (D,)
embedder.embed_ir(read_celsius("frame.thermal.celsius.csv"))   # (D',)
"""

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from sage_lightning.batch import PairBatch
from sage_lightning.data.augment import FullView
from sage_lightning.data.transform import PairTransform, decode
from sage_lightning.models.towers import TwoTowers

Array = NDArray[Any]
Space = Literal["embedding", "projection"]


class Embedder:
    """Two towers in evaluation mode, and what turns raw pixels into their inputs.

    Args:
        towers: moved to `device`; set to evaluation.
        transform: decodes, scales and normalises; moved as well.
        view: the whole field of view at the towers' sizes.
        device: where to compute.
    """

    def __init__(
        self, towers: TwoTowers, transform: PairTransform, view: FullView, device: str | torch.device = "cpu"
    ) -> None:
        self.device = torch.device(device)
        self.towers = towers.to(self.device).eval()
        self.transform = transform.to(self.device).eval()
        self.view = view

    @torch.inference_mode()
    def embed_rgb(self, picture: Image.Image | NDArray[np.uint8], space: Space = "embedding") -> Array:
        """(D,) of one picture.

        Args:
            picture: (H, W, 3) uint8 or a PIL image, of any size: the field of view that the thermal frame
                shares, which `sage_lightning.sage.picture.read_optical` cuts from a side-by-side JPEG.
            space: the backbone's embedding, or the head's projection, in which both sensors can be compared:
                of VICReg what the loss is of, of DINO the bottleneck.
        """
        # Copied: torch takes no read-only array, and those that Pillow gives are.
        pixels = np.array(picture.convert("RGB") if isinstance(picture, Image.Image) else picture)
        view = self.transform.rgb_views(torch.from_numpy(pixels).to(self.device), self.view)
        embedding = self.towers.embed_rgb(view)
        out = embedding if space == "embedding" else self.towers.project_rgb(embedding)
        return out[0].float().cpu().numpy()

    @torch.inference_mode()
    def embed_ir(self, celsius: Array, space: Space = "embedding") -> Array:
        """(D,) of one thermal frame.

        Args:
            celsius: (h, w) in the unit that the collection holds, NaN where missing, of any size.
            space: as in `embed_rgb`.
        """
        degrees = torch.from_numpy(np.array(celsius, np.float32)).to(self.device)
        embedding = self.towers.embed_ir(self.transform.ir_views(degrees, self.view))
        out = embedding if space == "embedding" else self.towers.project_ir(embedding)
        return out[0].float().cpu().numpy()

    @torch.inference_mode()
    def views(self, batch: PairBatch) -> PairBatch:
        """A raw batch as the towers take it: the whole field of view, nothing drawn."""
        moved = PairBatch(*(part.to(self.device) for part in batch))
        return self.transform(moved, self.view, None, 0)

    @torch.inference_mode()
    def embed_views(self, seen: PairBatch) -> dict[str, Array]:
        """rgb_embedding, ir_embedding, rgb_projection, ir_projection, (B, D) each, and row, of `views`."""
        rgb, ir = self.towers.embed_rgb(seen.rgb), self.towers.embed_ir(seen.ir)
        out = {
            "rgb_embedding": rgb,
            "ir_embedding": ir,
            "rgb_projection": self.towers.project_rgb(rgb),
            "ir_projection": self.towers.project_ir(ir),
        }
        return {key: value.float().cpu().numpy() for key, value in out.items()} | {
            "row": seen.row.cpu().numpy()
        }

    def embed(self, loader: Iterable[PairBatch]) -> dict[str, Array]:
        """`embed_views` over raw batches, joined: (N, D) each."""
        parts = [self.embed_views(self.views(batch)) for batch in loader]
        return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}

    @torch.inference_mode()
    def attention(self, batch: PairBatch) -> tuple[Array, Array]:
        """(B, heads, rows, columns) of each tower's last block, for a raw batch."""
        seen = self.views(batch)
        maps = self.towers.rgb_backbone.attention(seen.rgb), self.towers.ir_backbone.attention(seen.ir)
        rgb, ir = (part.float().cpu().numpy() for part in maps)
        return rgb, ir

    @torch.inference_mode()
    def shown(self, batch: PairBatch) -> tuple[NDArray[np.uint8], Array]:
        """What the towers see of a raw batch, for the eye: (B, H, W, 3) pictures and (B, h, w) degrees."""
        rgb = self.view.rgb(batch.rgb.to(self.device).float() / 255)
        pixels = (rgb.clamp(0, 1) * 255).round().byte().movedim(1, 3)
        return pixels.cpu().numpy(), self.view.ir(decode(batch.ir.to(self.device))).float().cpu().numpy()
