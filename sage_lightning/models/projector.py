"""VICReg's expander: from an embedding to the space in which the loss is taken; evaluation leaves it off."""

from collections.abc import Sequence

from torch import Tensor, nn

from sage_lightning.models.batchnorm import GlobalBatchNorm1d


class Projector(nn.Module):
    """Linear, BatchNorm, ReLU for each width but the last: a Linear without bias, as the authors have it.

    Args:
        in_features: D of the embedding.
        widths: the layers' widths; the last is D of the projection.

    Raises:
        ValueError: if there is no width.
    """

    def __init__(self, in_features: int, widths: Sequence[int]) -> None:
        super().__init__()
        if not widths:
            raise ValueError("a projector needs at least one width")
        layers: list[nn.Module] = []
        before = in_features
        for width in widths[:-1]:
            layers += [nn.Linear(before, width), GlobalBatchNorm1d(width), nn.ReLU(inplace=True)]
            before = width
        layers.append(nn.Linear(before, widths[-1], bias=False))
        self.layers = nn.Sequential(*layers)
        self.num_features: int = widths[-1]

    def forward(self, embedding: Tensor) -> Tensor:
        """(B, in_features) to (B, widths[-1])."""
        return self.layers(embedding)


class RegionProjector(nn.Module):
    """One projector for every region of an embedding that has several side by side.

    Args:
        in_features: D of the embedding, of all its regions.
        regions: R of them.
        widths: as of `Projector`, of a region.
    """

    def __init__(self, in_features: int, regions: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.regions = regions
        self.projector = Projector(in_features // regions, widths)
        self.num_features: int = regions * self.projector.num_features

    def forward(self, embedding: Tensor) -> Tensor:
        """(B, in_features) to (B, R · widths[-1]), regions side by side as they are in the embedding."""
        parts = embedding.unflatten(1, (self.regions, -1))
        return self.projector(parts.flatten(0, 1)).unflatten(0, parts.shape[:2]).flatten(1)
