"""VICReg between two sensors (Bardes, Ponce, LeCun 2022): a pair agrees, features vary and differ.

The loss is taken over the global batch: every rank gathers all projections, so any number of ranks trains
alike.
"""

from collections.abc import Callable
from typing import Any

import torch
from pytorch_lightning import LightningModule
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from sage_lightning.batch import PairBatch
from sage_lightning.losses.vicreg import vicreg_terms
from sage_lightning.methods.chunks import embed_in_chunks
from sage_lightning.methods.gather import gather_with_grad
from sage_lightning.methods.logged import on_device
from sage_lightning.methods.seeding import seed_generator
from sage_lightning.methods.spaces import spaces
from sage_lightning.models.projector import RegionProjector
from sage_lightning.models.towers import TwoTowers
from sage_lightning.optim.groups import parameter_groups


class VICReg(LightningModule):
    """Trains two towers.

    Args:
        towers: both sensors' backbones and projectors.
        optimizer: takes parameter groups; its learning rate is for a global batch of 256.
        schedule: factor on that rate at an optimiser step, counted from 0.
        seed: with the step and the rank it fixes what stochastic depth drops, so no generator's state needs
            saving; what is dropped, alone in a run, depends on the number of ranks.
        invariance_weight: of the squared distance between a pair's projections.
        variance_weight: of the mean of both sensors' hinges.
        covariance_weight: of the sum of both sensors' covariances.
        local: the loss is of regions, each a pair of its own; the towers' heads are `RegionProjector`s then.
        grad_cache: embeds the batch in chunks, so that memory holds the graph of one; see `embed_in_chunks`.
        grad_cache_pairs: of a chunk, on each rank.
    """

    EVALUATED = "towers"  # the part that embeds once training is over

    def __init__(
        self,
        towers: TwoTowers,
        optimizer: Callable[[list[dict[str, Any]]], Optimizer],
        schedule: Callable[[int], float],
        seed: int,
        invariance_weight: float = 25.0,
        variance_weight: float = 25.0,
        covariance_weight: float = 1.0,
        local: bool = False,
        grad_cache: bool = False,
        grad_cache_pairs: int = 64,
    ) -> None:
        super().__init__()
        self.towers = towers
        self.optimizer = optimizer
        self.schedule = schedule
        self.seed = seed
        self.weights = {
            "invariance": invariance_weight,
            "variance": variance_weight,
            "covariance": covariance_weight,
        }
        head = towers.rgb_projector
        if local and not isinstance(head, RegionProjector):
            raise ValueError("model.local=true: these towers have no heads for regions")
        self.regions = head.regions if local and isinstance(head, RegionProjector) else 1
        self.grad_cache = grad_cache
        self.grad_cache_pairs = grad_cache_pairs

    def loss_terms(self, z_rgb: Tensor, z_ir: Tensor) -> dict[str, Tensor]:
        """The weighted loss and the unweighted terms, as they are logged.

        Args:
            z_rgb: (B, P) projections of the whole batch, or of a whole split.
            z_ir: (B, P).

        Returns:
            "loss", "loss_invariance", "loss_variance", "loss_covariance"; scalars.
        """
        terms = vicreg_terms(z_rgb, z_ir, regions=self.regions)._asdict()
        loss = sum(self.weights[name] * term for name, term in terms.items())
        return {"loss": torch.as_tensor(loss)} | {f"loss_{name}": term for name, term in terms.items()}

    def on_train_batch_start(self, batch: PairBatch, batch_idx: int) -> None:
        """Seeds torch's generator for this step."""
        seed_generator(self.seed, self.global_step, self.global_rank)

    def training_step(self, batch: PairBatch, batch_idx: int) -> Tensor:
        """The loss of the global batch, the same number on every rank."""
        z_rgb = self.towers.project_rgb(self._embed(self.towers.embed_rgb, batch.rgb))
        z_ir = self.towers.project_ir(self._embed(self.towers.embed_ir, batch.ir))
        terms = self.loss_terms(gather_with_grad(z_rgb), gather_with_grad(z_ir))
        self.log_dict({f"train/{name}": term for name, term in terms.items()})
        rate = {"train/lr": self.trainer.optimizers[0].param_groups[0]["lr"]}
        self.log_dict(on_device(rate, terms["loss"].device))
        return terms["loss"]

    def _embed(self, embed: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
        return embed_in_chunks(embed, images, self.grad_cache_pairs) if self.grad_cache else embed(images)

    def validation_step(self, batch: PairBatch, batch_idx: int) -> dict[str, Tensor]:
        """See `spaces`."""
        return spaces(self.towers, batch)

    def configure_optimizers(self) -> Any:
        """The optimiser over decayed and undecayed parameters, its rate set anew at every step."""
        optimizer = self.optimizer(parameter_groups(self.towers))
        scheduler = LambdaLR(optimizer, self.schedule)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}
