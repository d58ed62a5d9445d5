"""Bytes and arithmetic of operations whose bytes and arithmetic are known."""

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint
from torch.utils.flop_counter import FlopCounterMode

from sage_lightning.planning.meter import Meter


def test_bytes_live_from_where_they_are_made_to_where_nothing_holds_them() -> None:
    with Meter() as meter:
        first = torch.zeros(100)
        second = first + 1
        view = second.view(10, 10)
        assert (meter.live, meter.peak) == (800, 800)
        del first, second
        assert meter.live == 400  # the view holds its storage
        del view
    assert (meter.live, meter.peak) == (0, 800)


def test_flops_are_those_of_torch_s_own_counter() -> None:
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Flatten(), nn.Linear(8 * 36, 16))
    attention = torch.randn(2, 2, 5, 8, requires_grad=True)

    def work() -> None:
        loss = net(torch.randn(4, 3, 8, 8)).sum()
        loss = loss + nn.functional.scaled_dot_product_attention(attention, attention, attention).sum()
        loss.backward()

    with FlopCounterMode(display=False) as counter:
        work()
    with Meter() as meter:
        work()
    assert meter.flops == counter.get_total_flops() > 0


def test_what_is_checkpointed_is_not_held() -> None:
    peaks = {}
    layers = nn.Sequential(*(nn.Linear(64, 64) for _ in range(8)))
    for name, run in (("whole", layers), ("parts", lambda x: checkpoint(layers, x, use_reentrant=False))):
        with Meter() as meter:
            parts = [run(part) for part in torch.randn(4096, 64).split(512)]
            torch.cat(parts).sum().backward()
        peaks[name] = meter.peak
    assert peaks["parts"] < 0.5 * peaks["whole"]
