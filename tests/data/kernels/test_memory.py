import sys
from concurrent.futures import ThreadPoolExecutor

import torch

from sage_lightning.data.kernels.memory import Kept


def test_memory_is_given_again_once_nothing_is_on_it() -> None:
    kept = Kept()
    first = kept.empty(3, 40)
    assert first.shape == (3, 40)
    assert first.dtype == torch.float32
    place = first.data_ptr()
    view, graph = first[1], first.detach().requires_grad_() * 2  # which keeps what it was made from
    del first
    assert kept.empty(3, 40).data_ptr() != place
    del view
    graph = graph.square()
    assert kept.empty(3, 40).data_ptr() != place
    del graph
    assert place in {tensor.data_ptr() for tensor in [kept.empty(120) for _ in range(3)]}


def test_two_that_are_in_use_never_share() -> None:
    kept = Kept()
    tensors = [kept.empty(5, 2).fill_(number) for number in range(4)]
    assert [tensor.unique().tolist() for tensor in tensors] == [[0], [1], [2], [3]]


def test_threads_that_ask_at_once_never_share() -> None:
    kept, interval = Kept(), sys.getswitchinterval()

    def work(_: int) -> list[torch.Tensor]:
        for _ in range(200):
            held = [kept.empty(16) for _ in range(4)]
        return held

    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as threads:
            living = [tensor for held in threads.map(work, range(4)) for tensor in held]
    finally:
        sys.setswitchinterval(interval)
    assert len({tensor.data_ptr() for tensor in living}) == 16


def test_what_another_batch_has_no_use_for_is_let_go() -> None:
    kept = Kept()
    for size in range(1, 50):
        kept.empty(size)
    assert len(kept._used) == 1
