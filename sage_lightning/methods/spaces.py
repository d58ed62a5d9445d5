"""What a validation step gives to the callbacks that watch, whatever the method."""

import torch
from torch import Tensor

from sage_lightning.batch import PairBatch
from sage_lightning.models.towers import TwoTowers


def spaces(towers: TwoTowers, batch: PairBatch) -> dict[str, Tensor]:
    """This rank's embeddings (B, D) and projections (B, P) of both sensors, and whose, on the CPU."""
    rgb_embedding = towers.embed_rgb(batch.rgb)
    ir_embedding = towers.embed_ir(batch.ir)
    found = {
        "rgb_embedding": rgb_embedding,
        "ir_embedding": ir_embedding,
        "rgb_projection": towers.project_rgb(rgb_embedding),
        "ir_projection": towers.project_ir(ir_embedding),
    }
    # NumPy, which measures them, has no bfloat16.
    kept = {
        name: space.detach().to(torch.promote_types(space.dtype, torch.float32)).cpu()
        for name, space in found.items()
    }
    return kept | {"row": batch.row.cpu(), "sample_id": batch.sample_id.cpu()}
