"""Masked patches (iBOT, Zhou et al. 2022) between two sensors: of the patches that a student does not see in
its large crops it says what a teacher, who sees all, does. For grids that differ see losses/ibot.py.

Which are hidden follows from (seed, epoch, pair, crop, sensor), so it depends neither on ranks nor on a
resumed run's past.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from torch import Tensor

from sage_lightning.batch import MultiCropBatch
from sage_lightning.data.counted import Stream, part_ids
from sage_lightning.data.masks import Masks, block_masks
from sage_lightning.losses.ibot import area_shares, patch_cross_entropy, targets_at
from sage_lightning.methods.centring import Centring
from sage_lightning.methods.gather import rank_count, sum_over_ranks
from sage_lightning.methods.roles import Kind, lessons
from sage_lightning.models.backbone import Backbone
from sage_lightning.models.patches import PatchHeads, hiding
from sage_lightning.models.prototypes import cosines
from sage_lightning.models.towers import Sensor, TwoTowers

STREAMS: dict[Sensor, Stream] = {"rgb": Stream.RGB_MASK, "ir": Stream.IR_MASK}
Edges = tuple[tuple[float, ...], tuple[float, ...]]  # of rows and of columns, 0 to 1 of the field of view


class Guesses(NamedTuple):
    """What a student says of P = G · B large crops' patches that it is asked for; see `Masks`.

    Attributes:
        logits: (P, M, K).
        masks: which patches these are, and which of them count.
        number: of those that count, over all ranks; int64 scalar.
        edges: of the student's patches.
    """

    logits: Tensor
    masks: Masks
    number: Tensor
    edges: Edges


class Taught(NamedTuple):
    """What a teacher says of all patches of the same crops.

    Attributes:
        targets: (P, N, K) distributions.
        edges: of the teacher's patches.
    """

    targets: Tensor
    edges: Edges


class Masking:
    """Hides patches from a student and compares.

    Args:
        seed: of the run.
        share: bounds of the share of patches that are hidden of a crop.
        probability: that any are.
    """

    def __init__(self, seed: int, share: tuple[float, float], probability: float) -> None:
        self.seed = seed
        self.share = (float(share[0]), float(share[1]))
        self.probability = probability
        self._shares: dict[Any, Tensor | None] = {}

    @staticmethod
    def teach(
        teacher: TwoTowers, sensor: Sensor, images: Tensor, centres: Centring, temperature: float
    ) -> tuple[Tensor, Taught]:
        """Large crops, wholly seen, to embeddings and targets of all patches, of one pass.

        Args:
            teacher: with heads for patches.
            sensor: that is seen.
            images: (P, C, H, W).
            centres: of the teacher's heads.
            temperature: of the targets.

        Returns:
            (P, D), and what is said of the patches.
        """
        backbone = teacher.backbone(sensor)
        embedding, tokens = backbone.with_patches(images)
        head = _patches(teacher).head(sensor)
        [said] = cosines(head.prototypes, [head(tokens.flatten(0, 1))])
        targets = centres.targets(head, said.unflatten(0, tokens.shape[:2]), temperature)
        return embedding, Taught(targets, _patch_edges(backbone, images))

    def embed(
        self, student: TwoTowers, sensor: Sensor, crops: Tensor, batch: MultiCropBatch
    ) -> tuple[Tensor, Guesses]:
        """Large crops, partly hidden, to embeddings and guesses, of one pass.

        Args:
            student: with heads for patches.
            sensor: that is seen.
            crops: (G, B, C, H, W), of `batch`.
            batch: says which pairs they are of.

        Returns:
            (G · B, D), and the guesses.
        """
        backbone, patches = student.backbone(sensor), _patches(student)
        crop_id = part_ids(batch.sample_id, Stream.GLOBAL_CROPS, len(crops))
        edges = _patch_edges(backbone, crops)
        masks = block_masks(
            (len(edges[0]) - 1, len(edges[1]) - 1),
            self.share,
            self.probability,
            self.seed,
            batch.epoch.expand_as(crop_id).flatten(),
            crop_id.flatten(),
            STREAMS[sensor],
        )
        with hiding(backbone, masks.hidden, patches.token(sensor)):
            embedding, tokens = backbone.with_patches(crops.flatten(0, 1))
        head = patches.head(sensor)
        asked = tokens.take_along_dim(masks.place[:, :, None], dim=1)
        [said] = cosines(head.prototypes, [head(asked.flatten(0, 1))])
        logits = said.unflatten(0, asked.shape[:2])
        return embedding, Guesses(logits, masks, sum_over_ranks(masks.counts.sum()).clamp_min(1), edges)

    def terms(
        self,
        kind: Kind,
        guesses: Mapping[Sensor, Guesses],
        taught: Mapping[Sensor, Taught],
        temperature: float,
    ) -> dict[str, Tensor]:
        """A term for each sensor that teaches, of which the mean over ranks is the global one.

        Args:
            kind: of the lessons.
            guesses: of each sensor that learns.
            taught: of each that teaches.
            temperature: of the student.
        """
        terms = {}
        for name, teacher, learner in lessons(kind, taught):
            (targets, parts), guess = taught[teacher], guesses[learner]
            aims = targets_at(targets, guess.masks.place, self._shares_of(guess.edges, parts, targets))
            term = patch_cross_entropy(guess.logits, aims, guess.masks.counts, temperature, guess.number)
            terms[name] = rank_count() * term
        return terms

    def _shares_of(self, into: Edges, parts: Edges, like: Tensor) -> Tensor | None:
        """Made on a device once: to bring it there is to wait for it."""
        key = (into, parts, like.device, like.dtype)
        if key not in self._shares:
            self._shares[key] = None if into == parts else area_shares(into, parts).to(like)
        return self._shares[key]


def _patches(towers: TwoTowers) -> PatchHeads:
    assert towers.patches is not None
    return towers.patches


def _patch_edges(backbone: Backbone, crops: Tensor) -> Edges:
    """Where a ViT's patches of crops (…, H, W) lie; what the last ones have of padding does not count."""
    height, width = crops.shape[-2:]
    rows, columns = backbone.net.patch_embed.patch_size
    return _edges(height, rows), _edges(width, columns)


def _edges(side: int, patch: int) -> tuple[float, ...]:
    return tuple(min(edge * patch / side, 1.0) for edge in range(-(-side // patch) + 1))
