"""VICReg's covariance term, value and gradient: ours beside the D × D matrix of the paper, on one core.

python benchmarks/vicreg_loss.py   # half a minute; prints a table, writes benchmarks/results/vicreg_loss.json
"""

import os
import statistics
import time
from collections.abc import Callable

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported

import pandas as pd
import torch
from measure.clock import machine, save
from torch import Tensor

from sage_lightning.evaluation.headline import print_table
from sage_lightning.losses.vicreg import covariance_term

SHAPES = (
    (512, 8192),
    (256, 8192),
    (512, 2048),
    (128, 512),
)  # pairs of the global batch, width of a projection
ROUNDS = 5


def direct(z: Tensor) -> Tensor:
    """Equations 3 and 4 as one writes them, differentiated by autograd."""
    centred = z - z.mean(dim=0)
    covariance = centred.T @ centred / (len(z) - 1)
    return covariance.fill_diagonal_(0).square().sum() / z.shape[1]


def seconds(term: Callable[[Tensor], Tensor], z: Tensor) -> float:
    z = z.clone().requires_grad_()
    start = time.perf_counter()
    term(z).backward()
    return time.perf_counter() - start


def main() -> None:
    rows = []
    for pairs, features in SHAPES:
        z = torch.randn(pairs, features, generator=torch.Generator().manual_seed(0))
        times: dict[str, list[float]] = {"ours": [], "direct": []}
        for turn in range(-1, ROUNDS):  # the first one brings code into memory
            for name, term in (("ours", covariance_term), ("direct", direct)):
                taken = seconds(term, z)
                if turn >= 0:
                    times[name].append(taken)
        ours, other = (statistics.median(times[name]) for name in ("ours", "direct"))
        ratios = [b / a for a, b in zip(times["ours"], times["direct"], strict=True)]
        rows.append(
            {
                "pairs": pairs,
                "width": features,
                "ours, ms": round(1000 * ours, 1),
                "direct, ms": round(1000 * other, 1),
                "ratio": round(statistics.median(ratios), 1),
            }
        )
    save("vicreg_loss", {"machine": machine("float32"), "rounds": ROUNDS, "rows": rows})
    print_table(pd.DataFrame(rows), title="VICReg's covariance term, value and gradient")


if __name__ == "__main__":
    main()
