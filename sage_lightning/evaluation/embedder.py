"""Pictures and thermal frames → embeddings, through the same transform that training used.

embedder = Embedder(towers, transform, view)
embedder.embed_rgb(Image.open("picture.png"))   # (D,)
embedder.embed_ir(read_celsius("frame.thermal.celsius.csv"))   # (D',)
"""

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn.functional import pad

from sage_lightning.batch import PairBatch
from sage_lightning.data.augment import FullView
from sage_lightning.data.transform import PairTransform, celsius
from sage_lightning.models.towers import Sensor, TwoTowers

Array = NDArray[Any]
Space = Literal["embedding", "projection"]
SPACES: tuple[Space, Space] = ("embedding", "projection")
GRAY = 128  # of a picture where there is none
SHARE = 0.2  # what levels of 1 add to the squared length of a tower's features


class Seen(NamedTuple):
    """B frames of one sensor as its tower takes them, and what their look took away.

    Attributes:
        images: (B, C, H, W).
        levels: (B, K); K is 0 where the look took nothing.
    """

    images: Tensor
    levels: Tensor


def beside(features: Tensor, levels: Tensor) -> Tensor:
    """(B, D) features of a tower and (B, K) levels, side by side: (B, D + K), an embedding.

    Levels are weighed by the features' length, which differs between architectures, and by their number: in
    cosines, all of them together have their share, whatever D and K are.
    """
    weight = (SHARE / max(levels.shape[1], 1)) ** 0.5
    return torch.cat([features, weight * features.norm(dim=1, keepdim=True) * levels], dim=1)


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

    @property
    def widths(self) -> dict[str, int]:
        """Sensor → D of its tower's features, an embedding's first numbers."""
        return {"rgb": self.towers.rgb_backbone.num_features, "ir": self.towers.ir_backbone.num_features}

    @torch.inference_mode()
    def embed_rgb(self, picture: Image.Image | NDArray[np.uint8], space: Space = "embedding") -> Array:
        """(D,) of one picture.

        Args:
            picture: (H, W, 3) uint8 or a PIL image, of any size: the field of view that the thermal frame
                shares, which `sage_lightning.sage.picture.read_optical` cuts from a side-by-side JPEG.
            space: the backbone's embedding, with what the common look took away beside it; or the head's
                projection, in which both sensors can be compared: of VICReg what the loss is of, of DINO the
                bottleneck.
        """
        # Copied: torch takes no read-only array, and those that Pillow gives are.
        pixels = np.array(picture.convert("RGB") if isinstance(picture, Image.Image) else picture)
        rgb = torch.from_numpy(pixels).to(self.device).permute(2, 0, 1)[None]
        return self._spaces("rgb", self._see_rgb(rgb))[space][0]

    @torch.inference_mode()
    def embed_ir(self, celsius: Array, space: Space = "embedding") -> Array:
        """(D,) of one thermal frame.

        Args:
            celsius: (h, w) in the unit that the collection holds, NaN where missing, of any size.
            space: as in `embed_rgb`.
        """
        degrees = torch.from_numpy(np.array(celsius, np.float32)).to(self.device)[None]
        return self._spaces("ir", self._see_ir(degrees))[space][0]

    @torch.inference_mode()
    def views(self, batch: PairBatch) -> dict[Sensor, Seen]:
        """A raw batch as the towers take it: the whole field of view, nothing drawn."""
        rgb, ir = batch.rgb.to(self.device), batch.ir.to(self.device)
        return {"rgb": self._see_rgb(rgb), "ir": self._see_ir(ir)}

    @torch.inference_mode()
    def embed_views(self, seen: dict[Sensor, Seen]) -> dict[str, Array]:
        """rgb_embedding, ir_embedding, rgb_projection and ir_projection of `views`, (B, D) each."""
        spaces = {sensor: self._spaces(sensor, part) for sensor, part in seen.items()}
        return {f"{sensor}_{space}": spaces[sensor][space] for space in SPACES for sensor in spaces}

    def embed(self, loader: Iterable[PairBatch]) -> dict[str, Array]:
        """`embed_views` over raw batches, joined, (N, D) each, and row."""
        parts = [self.embed_views(self.views(batch)) | {"row": batch.row.numpy()} for batch in loader]
        return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}

    @torch.inference_mode()
    def attention(self, batch: PairBatch) -> tuple[Array, Array]:
        """(B, heads, rows, columns) of each tower's last block, for a raw batch."""
        seen = self.views(batch)
        rgb = self.towers.rgb_backbone.attention(seen["rgb"].images)
        ir = self.towers.ir_backbone.attention(seen["ir"].images)
        return rgb.float().cpu().numpy(), ir.float().cpu().numpy()

    @torch.inference_mode()
    def shown(self, batch: PairBatch) -> tuple[NDArray[np.uint8], Array]:
        """What the towers see of a raw batch, for the eye: (B, H, W, 3) pictures and (B, h, w) degrees.

        What a tower fills up to whole patches (`model.*_backbone.pad`) is gray in pictures, NaN in degrees,
        so that the grid of `attention` lies over both exactly.
        """
        rgb, degrees = self.view.rgb(batch.rgb.to(self.device)), self._degrees(batch.ir.to(self.device))
        pixels = self._filled("rgb", (rgb.clamp(0, 1) * 255).round().byte(), GRAY).movedim(1, 3)
        return pixels.cpu().numpy(), self._filled("ir", degrees.float(), torch.nan).cpu().numpy()

    def _filled(self, sensor: Sensor, images: Tensor, value: float) -> Tensor:
        """(…, H, W) images of a sensor at the size at which its tower cuts them into patches."""
        rows, columns = self.towers.backbone(sensor).padding(*images.shape[-2:])
        return pad(images, (0, columns, 0, rows), value=value)

    def _degrees(self, frames: Tensor) -> Tensor:
        """A view of them, NaN where missing, in the collection's unit."""
        view = self.view.ir(frames)
        return view if frames.is_floating_point() else celsius(view)

    def _see_rgb(self, rgb: Tensor) -> Seen:
        """(B, 3, H, W) uint8."""
        view, regions = self.view.rgb(rgb), self.towers.rgb_backbone.regions
        return Seen(self.transform.rgb(view), self.transform.rgb_levels(view, regions))

    def _see_ir(self, frames: Tensor) -> Seen:
        """(B, h, w), as the store keeps them, or NaN where missing."""
        view, regions = self._degrees(frames), self.towers.ir_backbone.regions
        return Seen(self.transform.ir(view), self.transform.ir_levels(view, regions))

    def _spaces(self, sensor: Sensor, seen: Seen) -> dict[Space, Array]:
        """The embedding, (B, D + K), and the projection, (B, P), which is of the tower's features alone."""
        features = self.towers.embed(sensor, seen.images)
        embedding, projection = beside(features, seen.levels), self.towers.project(sensor, features)
        return {"embedding": embedding.float().cpu().numpy(), "projection": projection.float().cpu().numpy()}
