"""Backbones from timm with one sensor's image size, patch and channels. Shapes: B images, D features."""

import inspect
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import timm
import torch
from timm.models.vision_transformer import Attention
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, pad

from sage_lightning.errors import UserError
from sage_lightning.models.architecture import architecture, has_patches, is_vit, recomputes, stride
from sage_lightning.models.batchnorm import convert_batchnorm
from sage_lightning.models.coverage import left_out
from sage_lightning.models.resample import Channels

MANY = 1024  # patches; 224 pixels at patch 4 are 3136, at patch 8 784
NOT_TWICE = "its blocks cannot be computed twice (timm has no such mode, or BatchNorm would count twice)"
_OWNED = ("img_size", "patch_size", "in_chans", "num_classes", "drop_path_rate", "pretrained")


class Backbone(nn.Module):
    """One timm architecture without its classifier; its batch statistics, if any, are over all ranks.

    Args:
        name: a timm architecture.
        img_size: pixels, one number for a square or (height, width).
        patch_size: pixels of a square patch; unused where the architecture leaves no choice, as CNNs do.
        in_chans: channels of the image.
        options: further arguments of `timm.create_model`, such as embed_dim, depth, num_heads.
        drop_path: stochastic depth, the rate of the last block.
        regions: 1 leaves the embedding as timm makes it. More keep where things are: the image is cut into
            regions × regions parts, and the embedding is the mean features of each part, side by side.
        any_size: takes images of other sizes too: a ViT's position embeddings are interpolated to their grid.
        pad: images are filled up with zeros, the sensor's mean, at the bottom and at the right, to whole
            patches of a ViT or whole strides of a CNN. Grids are then those of the padded image.
        weights: what `starting.begin` begins with: a run folder, a checkpoint, a timm state dict, or "timm"
            for its own, which may ask the network; None for random ones. Nothing is read before.
        weights_size: of the images that a state dict was trained on; None for squares.
        weights_sensor: which tower of a checkpoint; None for this tower's own sensor.
        weights_channels: of a first layer for another number of channels, see `resample.adapt_channels`.
        grad_checkpointing: keeps only what goes into each block, and computes the rest again in the backward
            pass: a third more arithmetic, a fraction of the memory. "auto": a ViT of over `MANY` patches.

    Raises:
        UserError: for a name or an option that timm does not know, a patch that does not divide the image,
            which timm would answer by dropping the rest without a word, more regions than patches, padding
            to a stride that timm does not tell, or blocks that cannot be computed again.
    """

    def __init__(
        self,
        name: str,
        img_size: int | Sequence[int],
        patch_size: int | None,
        in_chans: int,
        options: Mapping[str, Any] | None = None,
        drop_path: float = 0.0,
        regions: int = 1,
        any_size: bool = False,
        pad: bool = False,
        weights: str | None = None,
        weights_size: int | tuple[int, int] | None = None,
        weights_sensor: Literal["rgb", "ir"] | None = None,
        weights_channels: Channels = "sum",
        grad_checkpointing: bool | Literal["auto"] = "auto",
    ) -> None:
        super().__init__()
        self.weights = weights
        self.weights_size = weights_size
        self.weights_sensor = weights_sensor
        self.weights_channels: Channels = weights_channels
        self.is_vit = is_vit(name)
        self.name = name
        self.multiple = _multiple(name, patch_size if self.is_vit else stride(name)) if pad else 1
        height, width = map(self._whole, (img_size, img_size) if isinstance(img_size, int) else img_size)
        arguments: dict[str, Any] = dict(options or {})
        if owned := sorted(set(arguments) & set(_OWNED)):
            raise UserError(
                f"backbone options {', '.join(owned)}: said elsewhere (data, thermal, drop_path, weights)"
            )
        if self.is_vit:
            _check_patch(name, height, width, patch_size)
            arguments |= {"img_size": (height, width), "patch_size": patch_size}
            arguments |= {"dynamic_img_size": True} if any_size else {}
        elif "img_size" in inspect.signature(type(architecture(name))).parameters:
            arguments["img_size"] = (height, width)
        if drop_path:
            arguments["drop_path_rate"] = drop_path
        try:
            net = timm.create_model(name, pretrained=False, num_classes=0, in_chans=in_chans, **arguments)
        except TypeError as error:
            raise UserError(f"backbone {name} does not take its options {arguments}: {error}") from error
        self.net: Any = convert_batchnorm(net)
        if not has_patches(name):
            # As the kernels of GPUs want it; everywhere, so that weights, gradients and moments lie alike on
            # whatever device a run goes on.
            self.net.to(memory_format=torch.channels_last)
        self.in_chans = in_chans
        self.regions = regions
        if self.grid is not None and regions > min(self.grid):
            rows, columns = self.grid
            raise UserError(f"backbone {name}: {regions} × {regions} regions of {rows} × {columns} patches")
        self._recompute(grad_checkpointing)

    def _recompute(self, asked: bool | Literal["auto"]) -> None:
        able = recomputes(self.name)
        if asked is True and not able:
            raise UserError(f"backbone {self.name}: grad_checkpointing=true: {NOT_TWICE}")
        many = self.grid is not None and math.prod(self.grid) > MANY
        if asked is True or (asked == "auto" and many and able):
            self.net.set_grad_checkpointing()

    @property
    def num_features(self) -> int:
        """D of the embedding."""
        return int(
            self.net.head_hidden_size if self.regions == 1 else self.net.num_features * self.regions**2
        )

    @property
    def grid(self) -> tuple[int, int] | None:
        """Rows and columns of patches; None for a CNN."""
        if not self.is_vit:
            return None
        rows, columns = self.net.patch_embed.grid_size
        return int(rows), int(columns)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_chans, H, W) to (B, D) embeddings."""
        return self.net(self._padded(x)) if self.regions == 1 else self._by_region(self.tokens(x))

    def _by_region(self, tokens: Tensor) -> Tensor:
        parts = adaptive_avg_pool2d(tokens.movedim(3, 1), self.regions)
        means = parts.flatten(2).mT  # (B, regions², D')
        return (self.net.fc_norm(means) if self.is_vit else means).flatten(1)

    def with_patches(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """A ViT's embeddings, as of `forward`, and patch tokens after their last norm, of one pass.

        Args:
            x: (B, in_chans, H, W).

        Returns:
            (B, D) and (B, rows · columns, D').
        """
        x = self._padded(x)
        features = self.net.forward_features(x)
        tokens = self._patch_tokens(features, x)
        embedding = self.net.forward_head(features) if self.regions == 1 else self._by_region(tokens)
        return embedding, self.net.fc_norm(tokens).flatten(1, 2)

    def _patch_tokens(self, features: Tensor, x: Tensor) -> Tensor:
        """(B, prefix + rows · columns, D') of a ViT and its image to (B, rows, columns, D')."""
        side = self.net.patch_embed.patch_size
        grid = (x.shape[2] // side[0], x.shape[3] // side[1])
        return features[:, self.net.num_prefix_tokens :].unflatten(1, grid)

    @torch.no_grad()
    def takes(self, height: int, width: int) -> bool:
        """Whether it embeds images of this size; timm's architectures do not say, so one is tried.

        Args:
            height: in pixels.
            width: likewise.
        """
        try:
            self.left_out(height, width)
        except (AssertionError, RuntimeError, ValueError):  # as each architecture has it
            return False
        return True

    @torch.no_grad()
    def left_out(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns at the bottom and the right of an image of this size that have no say."""
        first = next(self.net.parameters())
        image = self._padded(first.new_zeros(1, self.in_chans, height, width))
        was, _ = self.training, self.eval()
        try:
            return left_out(self.net, self, image)
        finally:
            self.train(was)

    def tokens(self, x: Tensor) -> Tensor:
        """Features before they are pooled: a transformer's patch tokens, a CNN's last map.

        Class and register tokens are not among them.

        Args:
            x: (B, in_chans, H, W).

        Returns:
            (B, rows, columns, D').

        Raises:
            UserError: the architecture's features are no grid over the image.
        """
        x = self._padded(x)
        features = self.net.forward_features(x)
        if self.is_vit:
            return self._patch_tokens(features, x)
        if isinstance(features, Tensor) and features.ndim == 3:
            prefix, grid = self._found_grid(features.shape[1], x.shape[2], x.shape[3])
            return features[:, prefix:].unflatten(1, grid)
        if not isinstance(features, Tensor) or features.ndim != 4:
            raise UserError(f"backbone {self.name}: its features are no grid over the image")
        # timm's hierarchical transformers say that they keep channels last; its CNNs have them first.
        last = getattr(self.net, "output_fmt", "NCHW") == "NHWC"
        return features if last else features.movedim(1, 3)

    def _found_grid(self, tokens: int, height: int, width: int) -> tuple[int, tuple[int, int]]:
        """How many tokens come before the grid, and the grid, which has the image's proportions."""
        for prefix in (0, 1, 2):
            rows = round(math.sqrt((tokens - prefix) * height / width))
            columns = (tokens - prefix) // max(rows, 1)
            if rows and rows * columns == tokens - prefix and rows * width == columns * height:
                return prefix, (rows, columns)
        raise UserError(f"backbone {self.name}: its {tokens} features are no grid over {height} × {width} px")

    def _whole(self, side: int) -> int:
        return -(-side // self.multiple) * self.multiple

    def _padded(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to whole patches, with zeros at the bottom and at the right."""
        rows, columns = self.padding(x.shape[2], x.shape[3])
        return pad(x, (0, columns, 0, rows)) if rows or columns else x

    def padding(self, height: int, width: int) -> tuple[int, int]:
        """Rows that `pad` puts under an image of this size, and columns at its right."""
        return self._whole(height) - height, self._whole(width) - width

    @property
    def attends(self) -> bool:
        """Whether `attention` is that of heads; otherwise it is how strong features are."""
        return self.grid is not None and bool(self._attentions())

    def _attentions(self) -> list[Attention]:
        return [module for module in self.net.modules() if isinstance(module, Attention)]

    @torch.no_grad()
    def attention(self, x: Tensor) -> Tensor:
        """Where it looks: a ViT's attention in its last block, otherwise how strong the features are.

        Queries are the class token, or, without one, all patches on average. Only this block's weights are
        computed again, from its input, so that training keeps the fused attention, which never has them.

        Args:
            x: (B, in_chans, H, W).

        Returns:
            (B, heads, rows, columns), the weights of the patches; (B, 1, rows, columns), the norm of the
            features (B, rows, columns, D'), where the last block's attention is none of timm's own (CNNs,
            EVA, BEiT).
        """
        if not self.attends:
            return self.tokens(x).norm(dim=-1).unsqueeze(1)
        last, inputs = self._attentions()[-1], list[Tensor]()
        hook = last.register_forward_pre_hook(lambda _, arguments: inputs.append(arguments[0]))
        try:
            self.net.forward_features(self._padded(x))
        finally:
            hook.remove()
        weights = _attention_weights(last, inputs[0])
        prefix = self.net.num_prefix_tokens
        # timm puts the class token first, before any register tokens.
        row = weights[:, :, 0] if self.net.cls_token is not None else weights[:, :, prefix:].mean(dim=2)
        return row[:, :, prefix:].unflatten(2, self.grid)


def _attention_weights(attention: Attention, x: Tensor) -> Tensor:
    """softmax(q kᵀ / √d) of a timm attention; x: (B, N, D), returns (B, heads, N, N)."""
    qkv = attention.qkv(x).unflatten(2, (3, attention.num_heads, attention.head_dim))
    q, k, _ = qkv.permute(2, 0, 3, 1, 4).unbind(0)
    q, k = attention.q_norm(q), attention.k_norm(k)
    return (q @ k.transpose(-2, -1) * attention.scale).softmax(dim=-1)


def _multiple(name: str, number: int | None) -> int:
    if number is None:
        raise UserError(f"backbone {name}: pad=true needs a patch size, or a stride that timm tells")
    return number


def _check_patch(name: str, height: int, width: int, patch: int | None) -> None:
    if patch is None:
        raise UserError(f"backbone {name} is a ViT and needs a patch size")
    if height % patch or width % patch:
        sizes = sorted(
            {side for side in range(1, min(height, width) + 1) if height % side == width % side == 0}
        )
        near = sorted(sorted(sizes, key=lambda side: abs(side - patch))[:3])
        raise UserError(
            f"patch size {patch} does not divide image size {height} × {width}; "
            f"nearest patch sizes that do: {', '.join(map(str, near))}"
        )
