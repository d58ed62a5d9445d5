"""Numbers of the validation split while training goes on, over all ranks, each pair counted once."""

from typing import Protocol

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor

from sage_lightning.evaluation.labels import NOWHERE, places
from sage_lightning.methods.gather import gather_ragged
from sage_lightning.metrics.alignment import linear_cka, modality_gap, normalised_std, relative_distance
from sage_lightning.metrics.rankme import rankme
from sage_lightning.metrics.retrieval import retrieval

SPACES = ("rgb_embedding", "ir_embedding", "rgb_projection", "ir_projection")


class Scored(Protocol):
    """What a method says of a whole split's projections."""

    device: torch.device

    def loss_terms(self, z_rgb: Tensor, z_ir: Tensor) -> dict[str, Tensor]:
        """Name → scalar, "loss" among them; (N, P) projections of both sensors."""
        ...

    def log_dict(self, dictionary: dict[str, float], *, rank_zero_only: bool) -> None:
        """Lightning's."""
        ...


class OnlineMetrics(Callback):
    """Logs `val/loss…`, `val/retrieval_…` and `health/…` at the end of each validation.

    The split is gathered whole, so the numbers are the same for any number of ranks, and the loss is that of
    one batch as large as the split.
    """

    def __init__(self) -> None:
        self._outputs: list[dict[str, Tensor]] = []

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: dict[str, Tensor],  # type: ignore[override]
        batch: object,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keeps a batch's embeddings until the split is complete."""
        self._outputs.append(outputs)

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: Scored) -> None:  # type: ignore[override]
        """Gathers the split, restores its order and logs."""
        outputs = {key: torch.cat([part[key] for part in self._outputs]) for key in (*SPACES, "row")}
        self._outputs.clear()
        device = pl_module.device
        gathered = {key: gather_ragged(value.to(device)).cpu() for key, value in outputs.items()}
        order = gathered["row"].argsort()
        split = {key: gathered[key][order] for key in SPACES}
        index = trainer.datamodule.split_index("val")  # type: ignore[attr-defined]
        terms = pl_module.loss_terms(split["rgb_projection"], split["ir_projection"])
        logged = {f"val/{name}": float(value) for name, value in terms.items()}
        rgb, ir = split["rgb_projection"].numpy(), split["ir_projection"].numpy()
        place = places(index)
        known = place != NOWHERE
        for direction, query, gallery in (("rgb_to_ir", rgb, ir), ("ir_to_rgb", ir, rgb)):
            logged[f"val/retrieval_{direction}_r1"] = retrieval(query, gallery).recall[1]
            if known.any():
                found = retrieval(query[known], gallery[known], groups=place[known])
                logged[f"val/retrieval_within_position_{direction}_r1"] = found.recall[1]
        for sensor in ("rgb", "ir"):
            embedding = split[f"{sensor}_embedding"].numpy()
            logged[f"health/rankme_{sensor}"] = rankme(embedding)
            logged[f"health/std_{sensor}"] = normalised_std(embedding)
            logged[f"health/rankme_projection_{sensor}"] = rankme(split[f"{sensor}_projection"].numpy())
        embeddings = split["rgb_embedding"].numpy(), split["ir_embedding"].numpy()
        logged["health/cka"] = linear_cka(*embeddings)
        if embeddings[0].shape == embeddings[1].shape:
            logged["health/towers_distance"] = relative_distance(*embeddings)
        logged["health/modality_gap"] = modality_gap(rgb, ir)
        pl_module.log_dict(logged, rank_zero_only=True)
