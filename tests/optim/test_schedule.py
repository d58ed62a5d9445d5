"""The shape of each schedule, and what LambdaLR makes of it."""

import io
import math
from itertools import pairwise

import pytest
import torch
from torch.optim.lr_scheduler import LambdaLR

from sage_lightning.optim.schedule import WarmupConstant, WarmupCosine, WarmupLinear

KINDS = (WarmupCosine, WarmupLinear, WarmupConstant)


def schedule(kind=WarmupCosine, **changes):
    arguments = {
        "warmup_epochs": 2.0,
        "floor": 0.001,
        "steps_per_epoch": 5,
        "total_steps": 50,
        "batch_size": 512,
    }
    if kind is WarmupConstant:
        del arguments["floor"]
    return kind(**(arguments | changes))


def by_hand(kind, warmup, floor, total, step):
    """Share of the peak, from the definition: step + 1 of the warm-up's, then how far it is to the last."""
    if step < warmup:
        return (step + 1) / warmup
    progress = (step - warmup) / (total - 1 - warmup)
    share = {
        WarmupCosine: (1 + math.cos(math.pi * progress)) / 2,
        WarmupLinear: (total - 1 - step) / (total - 1 - warmup),
        WarmupConstant: 1.0,
    }[kind]
    return floor + (1 - floor) * share


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("epochs", "warmup", "floor"), [(2.0, 10, 0.001), (0, 0, 0.25), (0.5, 2, 0.0)])
def test_every_step_is_as_by_hand(kind, epochs, warmup, floor):
    changes = {} if kind is WarmupConstant else {"floor": floor}
    factor = schedule(kind, warmup_epochs=epochs, batch_size=512, **changes)
    for step in range(50):
        expected = 2 * by_hand(kind, warmup, floor, 50, step)
        assert factor(step) == pytest.approx(expected, rel=1e-12, abs=1e-15), step


@pytest.mark.parametrize("kind", KINDS)
def test_the_rate_follows_the_global_batch(kind):
    assert schedule(kind)(17) == pytest.approx(2 * schedule(kind, batch_size=256)(17))


def test_it_rises_to_the_peak_and_falls_to_the_floor():
    factors = [schedule(batch_size=256)(step) for step in range(50)]
    assert factors[:3] == pytest.approx([0.1, 0.2, 0.3])
    assert factors[9] == factors[10] == 1.0
    assert factors[-1] == pytest.approx(0.001)
    assert all(a > b for a, b in pairwise(factors[10:]))
    # Half-way between the peak (step 10) and the floor (step 49), the cosine is half.
    assert (factors[29] + factors[30]) / 2 == pytest.approx((1 + 0.001) / 2)


def test_the_line_falls_alike_at_each_step():
    factors = [schedule(WarmupLinear, batch_size=256)(step) for step in range(50)]
    falls = [a - b for a, b in pairwise(factors[10:])]
    assert falls == pytest.approx([0.999 / 39] * 39)
    assert factors[10] == 1.0
    assert factors[-1] == pytest.approx(0.001)


def test_the_constant_stays_at_the_peak():
    factors = [schedule(WarmupConstant, batch_size=256)(step) for step in range(100)]
    assert factors[:3] == pytest.approx([0.1, 0.2, 0.3])
    assert set(factors[9:]) == {1.0}


@pytest.mark.parametrize("kind", KINDS)
def test_no_warmup_starts_at_the_peak(kind):
    assert schedule(kind, warmup_epochs=0, batch_size=256)(0) == 1.0


def test_a_fraction_of_an_epoch_warms_up():
    assert schedule(warmup_epochs=0.4, batch_size=256)(0) == 0.5


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_shorter_than_its_warmup_keeps_warming_up(kind):
    short = schedule(kind, steps_per_epoch=25, total_steps=25, batch_size=256)
    assert [short(0), short(24)] == pytest.approx([1 / 50, 25 / 50])


@pytest.mark.parametrize("kind", [WarmupCosine, WarmupLinear])
def test_after_the_last_step_it_stays_at_the_floor(kind):
    assert schedule(kind, batch_size=256)(500) == pytest.approx(0.001)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("total", [1, 2])
def test_a_run_of_a_step_or_two_works(kind, total):
    assert schedule(kind, warmup_epochs=0, total_steps=total, batch_size=256)(0) == 1.0


@pytest.mark.parametrize("kind", KINDS)
def test_lambda_lr_steps_saves_safely_and_returns(kind):
    def scheduler(**changes):
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.5)
        return optimizer, LambdaLR(optimizer, schedule(kind, **changes))

    optimizer, lr = scheduler()
    for step in range(20):
        assert optimizer.param_groups[0]["lr"] == 0.5 * schedule(kind)(step)
        optimizer.step()
        lr.step()
    file = io.BytesIO()
    torch.save({"lr": lr.state_dict(), "optimizer": optimizer.state_dict()}, file)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    other_optimizer, other = scheduler(batch_size=1024, warmup_epochs=0)  # it keeps what it began with
    other.load_state_dict(saved["lr"])
    other_optimizer.load_state_dict(saved["optimizer"])
    other_optimizer.step()
    other.step()
    assert other_optimizer.param_groups[0]["lr"] == 0.5 * schedule(kind)(21)


@pytest.mark.parametrize("wrong", [{"floor": 1.5}, {"warmup_epochs": -1}, {"batch_size": 0}])
def test_numbers_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        schedule(**wrong)
