"""What stochastic depth drops is counted, not streamed: it follows from seed, step, rank and part."""

import numpy as np
import torch


def seed_generator(seed: int, step: int, rank: int, part: int = 0) -> None:
    """Seeds torch's generator, so that no generator's state needs saving.

    Args:
        seed: of the run.
        step: the optimiser step.
        rank: of this process.
        part: which of the step's batches, where gradients are accumulated.
    """
    state = np.random.SeedSequence([seed, step, rank, part]).generate_state(1, np.uint64)
    torch.manual_seed(int(state[0]))
