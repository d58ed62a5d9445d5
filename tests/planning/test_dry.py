"""A step without numbers takes what the real step takes."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from pytorch_lightning.callbacks import Callback
from torch.utils.flop_counter import FlopCounterMode

from sage_lightning.build.measuring import short_trainer
from sage_lightning.build.model import built
from sage_lightning.errors import UserError
from sage_lightning.methods.vicreg import VICReg
from sage_lightning.planning.meter import Meter

CASES = {
    "vicreg": ("model=vicreg_vit_pico",),
    "cached": ("model=vicreg_vit_pico", "model.grad_cache=true", "model.grad_cache_pairs=4"),
    "lars": ("model=vicreg_vit_pico", "model/backbone@model.rgb_backbone=resnet18", "optimizer=lars"),
    "half": ("model=vicreg_vit_pico", "trainer.precision=bf16-mixed"),
    "dino": ("model=dino_vit_pico", "model.prototypes=32"),
    "shared": ("model=dino_vit_pico", "model.sharing=trunk", "augment.view.local_crops=3"),
}


class Real:
    """Real steps, in the order in which Lightning takes them."""

    def __init__(self, planner: Any) -> None:
        data = planner.data
        self.trainer = data.trainer = short_trainer(planner.cfg, Callback(), 1, accelerator="cpu")
        self.trainer.training = True
        self.method = built(planner.cfg, data)
        optimizers: Any = self.method.configure_optimizers()
        self.optimizer = optimizers["optimizer"]
        self.trainer.strategy.optimizers = [self.optimizer]
        self.method.trainer = self.trainer
        self.method.log = self.method.log_dict = lambda *arguments, **named: None  # type: ignore[assignment]
        self.method.train()
        stored = next(iter(data.split_loader("train", data.batch_size)))
        self.batch = data.on_after_batch_transfer(stored, 0)

    def step(self) -> None:
        with self.trainer.precision_plugin.train_step_context():
            loss: Any = self.method.training_step(self.batch, 0)
        self.optimizer.zero_grad()
        loss.backward()


@pytest.mark.parametrize("name", CASES)
def test_it_takes_what_a_real_step_takes(planner: Callable[..., Any], name: str) -> None:
    planned = planner(*CASES[name])
    dry = planned.dry(8)
    with Meter() as meter:
        real = Real(planned)
        real.step()
        meter.peak = meter.live
        real.step()
    assert dry.peak_bytes - dry.state_bytes == pytest.approx(meter.peak, rel=0.05)
    with FlopCounterMode(display=False) as counter:
        real.step()
    assert dry.flops == counter.get_total_flops() > dry.forward_flops > 0
    trained = [p for p in real.method.parameters() if p.requires_grad]
    assert dry.gradient_bytes == sum(p.numel() * p.element_size() for p in trained)
    held = {id(t): t.numel() * t.element_size() for t in (*real.method.parameters(), *real.method.buffers())}
    assert dry.held_bytes == sum(held.values())
    assert dry.state_bytes == dry.gradient_bytes * (1 if name == "lars" else 2)


def test_larger_batches_take_more_and_chunks_less(planner: Callable[..., Any]) -> None:
    plain = planner(*CASES["vicreg"])
    cached = planner(*CASES["cached"], "model.grad_cache_pairs=64")
    assert plain.dry(512).working_bytes > 1.9 * plain.dry(256).working_bytes
    assert cached.dry(512).working_bytes < 0.3 * plain.dry(512).working_bytes
    assert cached.dry(512).flops > 1.2 * plain.dry(512).flops


def test_a_step_that_asks_for_numbers_is_refused(
    planner: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = planner()
    monkeypatch.setattr(VICReg, "loss_terms", lambda self, z_rgb, z_ir: {"loss": z_rgb * float(z_ir.sum())})
    with pytest.raises(UserError, match="its step asks for numbers, and cannot be planned"):
        planned.dry(8)


def test_a_planned_step_leaves_no_tensors_without_numbers_behind(planner: Callable[..., Any]) -> None:
    planned = planner()
    planned.dry(8)
    assert {p.device.type for p in planned.method.parameters()} == {"meta"}
    assert torch.ones(2).add(1).tolist() == [2, 2]


def test_only_a_gpus_optimiser_without_a_kernel_copies_gradients(planner: Callable[..., Any]) -> None:
    """Heads so wide that of two pairs nothing is larger than the optimiser's step."""
    for chosen, copies in (("optimizer=adamw", 0), ("optimizer=lars", 1)):
        for gpu in (False, True):
            planned = planner("model=vicreg_vit_pico", "model.projector=[2048,2048]", chosen)
            planned.gpu = gpu
            dry = planned.dry(2)
            fixed = dry.held_bytes + dry.state_bytes + dry.gradient_bytes
            copied = (dry.peak_bytes - fixed) / dry.gradient_bytes
            assert (copied >= 1) == bool(copies and gpu), (chosen, gpu)
